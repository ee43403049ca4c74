/**
 * Hears from a server when a directory there may have changed, over a connection of its own, which is made anew when it
 * is lost. Where a server cannot tell, it may be any moment: then there is a change now and then.
 */
import { AppError } from "../protocol/errors.ts";
import { CLOCK, type Clock, Debounce } from "../protocol/exchange/debounce.ts";
import type { Session } from "../protocol/exchange/session.ts";
import { peerError } from "../protocol/exchange/transfer.ts";
import { WATCH_POLL_MS } from "../protocol/limits.ts";
import type { Client } from "./client.ts";
import type { Wakeups } from "./watch.ts";

/** What a server says that cannot do it: for want of means, or since it is older than the request. */
const CANNOT: ReadonlySet<string> = new Set(["cannot_watch", "unsupported"]);

export interface ServerWatchOptions {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Told why the server is asked now and then, if it is. */
  readonly onPolling?: (reason: AppError) => void;
  readonly clock?: Clock;
}

export class ServerWatch implements Wakeups {
  readonly #onPolling: ((reason: AppError) => void) | undefined;
  readonly #clock: Clock;
  /** The server waits until it is quiet: what it says counts at once. */
  readonly #debounce = new Debounce();
  readonly #over = new AbortController();
  #error: unknown;
  #isPolling = false;
  #callOffPoll: (() => void) | undefined;

  private constructor({ onPolling, clock = CLOCK }: ServerWatchOptions) {
    this.#onPolling = onPolling;
    this.#clock = clock;
  }

  /**
   * From when this resolves on, `next` tells of changes below the directory `name`. `connect` makes a client for this
   * alone, which `signal` ends. Throws what the client throws.
   */
  static async start(
    connect: (signal: AbortSignal) => Client,
    name: string,
    options: ServerWatchOptions,
  ): Promise<ServerWatch> {
    const watch = new ServerWatch(options);
    const begun = Promise.withResolvers<void>();
    const client = connect(AbortSignal.any([options.signal, watch.#over.signal]));
    watch.#listen(client, name, begun.resolve).catch((error) => {
      begun.reject(error);
      watch.#error = error;
      watch.#debounce.hurry();
    });
    await begun.promise;
    return watch;
  }

  async next(): Promise<void> {
    if (this.#isPolling) this.#callOffPoll = this.#clock.after(WATCH_POLL_MS, () => this.#debounce.hurry());
    await this.#debounce.wait();
    this.#callOffPoll?.();
    if (this.#error) throw this.#error;
  }

  [Symbol.dispose](): void {
    this.#callOffPoll?.();
    this.#over.abort(new AppError("cancelled", "The watch is over"));
  }

  /** Listens until it is ended, or the server says no. */
  async #listen(client: Client, name: string, onBegun: () => void): Promise<void> {
    let hasBegun = false;
    await using _ = client;
    try {
      await client.attempt(async ({ session, progressed }) => {
        session.send({ type: "watch", name });
        for (;;) {
          await receiveChanged(session);
          progressed();
          client.persist();
          // The first one says that it begins. After a lost connection that may be any change.
          if (hasBegun) this.#debounce.hurry();
          hasBegun = true;
          onBegun();
        }
      });
    } catch (error) {
      if (!(error instanceof AppError && CANNOT.has(error.code))) throw error;
      this.#isPolling = true;
      this.#onPolling?.(error);
      if (hasBegun) this.#debounce.hurry();
      onBegun();
    }
  }
}

async function receiveChanged(session: Session): Promise<void> {
  const message = await session.receive();
  if (message.type === "error") throw peerError(message);
  if (message.type !== "changed") throw new AppError("order", `The server answered "${message.type}" to a watch`);
}
