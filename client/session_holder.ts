/** The connection to a server: dialled when it is wanted, kept until it is dropped, for one user after the other. */
import type { Session } from "../protocol/exchange/session.ts";
import { dial, type DialedSession, type DialOptions } from "./dial.ts";
import type { Use } from "./patience.ts";

export class SessionHolder implements AsyncDisposable {
  readonly #dial: typeof dial;
  #dialed: DialedSession | undefined;
  /** A shell says it once for all of its commands. */
  #compress: DialOptions["compress"];

  /** `connect` is what dials. */
  constructor(connect = dial) {
    this.#dial = connect;
  }

  /** The session, if there is one. */
  get current(): Session | undefined {
    return this.#dialed?.session;
  }

  /** The session that is there, from now on with the limits and the signal of `options`, or a new one. */
  async session(options: DialOptions): Promise<Session> {
    if (this.#dialed) this.handTo(options);
    else this.#dialed = await this.#dial({ ...options, compress: this.#compress ??= options.compress });
    return this.#dialed!.session;
  }

  /** See `DialedSession`. */
  handTo(use: Use): void {
    this.#dialed?.handTo(use);
  }

  /** Ends it without a word; the next one who wants a session gets a new one. */
  drop(): void {
    this.#dialed?.[Symbol.dispose]();
    this.#dialed = undefined;
  }

  /** Says goodbye. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dialed?.session.end();
    this.drop();
  }
}
