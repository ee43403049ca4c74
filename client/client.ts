/**
 * A client of one server: typed calls over one session, which is dialled when it is needed and again when it is lost.
 *
 * Owns the session and the retries. Calls one after the other; a call that fails for a reason that may pass is made
 * again, up to `retries` times in a row without any progress.
 */
import { AppError } from "../protocol/errors.ts";
import type { CompressChoice } from "../protocol/compressions.ts";
import type { Session } from "../protocol/exchange/session.ts";
import { endsSession } from "../protocol/exchange/transfer.ts";
import type { Entry } from "../protocol/files/tree.ts";
import { CLIENT_LIMITS, type ClientLimits } from "../protocol/limits.ts";
import { validateName } from "../protocol/names.ts";
import type { MessageOf } from "../protocol/wire/messages/mod.ts";
import { IF_EXISTS, type IfExists } from "../protocol/wire/messages/transfer.ts";
import type { dial, Trust } from "./dial.ts";
import { SessionHolder } from "./session_holder.ts";
import {
  type Checksum,
  entryOf,
  expect,
  type Listing,
  receiveBatch,
  requestDigest,
  requestEntry,
  requestStatus,
  type Status,
} from "./replies.ts";
import { type CountryRecord, requestRecord, requireSendable, withAdvice } from "./records.ts";
import { lostSince, type RetryOptions, waitToRetry } from "./retry.ts";
import { formatTarget, type Target } from "./target.ts";

export interface ClientOptions extends Partial<ClientLimits>, RetryOptions, Trust {
  /** Program and version, for the opening line. @default "app" */
  agent?: string;
  /** See `DialOptions`; a `holder` dials always as it did first. @default "auto" */
  compress?: CompressChoice;
  /** A connection to `target` that outlives this client; who hands it in ends it. @default one of its own */
  holder?: SessionHolder;
  /** What dials, where there is no `holder`. @default `target`, inside TLS where its key is known */
  connect?: typeof dial;
}

/** Who never gives up asks at least so often. */
const PERSISTENT_WAIT_MAX_MS = 60_000;

/** What `options` leave open is as it always is. */
export function limitsOf(options: Partial<ClientLimits>): ClientLimits {
  return {
    timeoutMs: options.timeoutMs ?? CLIENT_LIMITS.timeoutMs,
    retries: options.retries ?? CLIENT_LIMITS.retries,
    retryWaitMs: options.retryWaitMs ?? CLIENT_LIMITS.retryWaitMs,
    retryWaitMaxMs: options.retryWaitMaxMs ?? CLIENT_LIMITS.retryWaitMaxMs,
  };
}

/** What an attempt can do besides its work. */
export interface Attempt {
  readonly session: Session;
  /** Something was achieved that a lost connection does not take away: the count of failures in a row begins anew. */
  progressed(): void;
}

export class Client implements AsyncDisposable {
  readonly #target: Target;
  #limits: ClientLimits;
  readonly #options: ClientOptions;
  readonly #holder: SessionHolder;
  #wasConnected = false;

  constructor(target: Target, options: ClientOptions = {}) {
    this.#target = target;
    this.#options = options;
    this.#limits = limitsOf(options);
    this.#holder = options.holder ?? new SessionHolder(options.connect);
  }

  /**
   * The entries of a directory, "" for the shared one, sorted by name, in batches as they come. A connection that is
   * lost behind the first batch is an error.
   */
  async *list(directory: string, { all = false }: { all?: boolean } = {}): AsyncGenerator<Listing> {
    const { session, first } = await this.attempt(async ({ session }) => {
      session.send({ type: "list", name: directory, all });
      return { session, first: await receiveBatch(session) };
    });
    let batch = first;
    try {
      for (;; batch = await receiveBatch(session)) {
        yield batch.listing;
        if (batch.isLast) return;
      }
    } finally {
      if (!batch.isLast) this.#holder.drop(); // the rest of the reply is still on its way
    }
  }

  async stat(name: string): Promise<Entry> {
    const entry = await this.attempt(({ session }) => requestEntry(session, name));
    return { ...entryOf(entry), name };
  }

  /** Makes a directory and its parents. */
  async makeDirectory(name: string): Promise<void> {
    await this.#change({ type: "mkdir", name });
  }

  /** Renames a file or directory; the name that it got. */
  async move(from: string, to: string, ifExists: IfExists = "error"): Promise<string> {
    const done = await this.#change({ type: "move", from, to, ifExists: IF_EXISTS.indexOf(ifExists) });
    if (done.name !== undefined) validateName(done.name);
    return done.name ?? to;
  }

  /** Removes a file or an empty directory. */
  async remove(name: string): Promise<void> {
    await this.#change({ type: "remove", name });
  }

  /** Has the server read a file and tell its checksums. */
  digest(name: string): Promise<Checksum> {
    return this.attempt(({ session }) => requestDigest(session, name));
  }

  /** What is known of a country, under any of its spellings. */
  async record(country: string): Promise<CountryRecord> {
    const { type: _, ...record } = await this.attempt(({ session }) => requestRecord(session, country));
    return record;
  }

  /** The capital of a country. */
  async capital(country: string): Promise<string> {
    return (await this.record(country)).capital;
  }

  /** The population of a country; `undefined` when the server knows the country, and not how many live there. */
  async population(country: string): Promise<number | undefined> {
    return (await this.record(country)).population;
  }

  /** Adds a country; it is durable when this resolves. Throws `exists` if the server knows it under any spelling. */
  async add(record: CountryRecord): Promise<void> {
    requireSendable(record.country, record.capital);
    try {
      await this.#change({ type: "add", ...record });
    } catch (error) {
      throw withAdvice(error, "exists", `Ask for it with: app capital ${formatTarget(this.#target)} COUNTRY`);
    }
  }

  /** How the server is; for its owner, and for strangers where they may do everything. */
  status(): Promise<Status> {
    return this.attempt(({ session }) => requestStatus(session));
  }

  /** How long a ping takes there and back, in ms. */
  ping(): Promise<number> {
    return this.attempt(async ({ session }) => {
      const start = performance.now();
      await session.ping();
      return performance.now() - start;
    });
  }

  /**
   * Runs `work` with a session, again after a failure that may pass. For requests that this class has no call for:
   * `getFile` and `putFile` use it.
   */
  async attempt<T>(work: (attempt: Attempt) => Promise<T>): Promise<T> {
    let failures = 0;
    for (;;) {
      let hasProgressed = false;
      try {
        const session = await this.#session();
        using _alive = session.keepAlive();
        return await work({ session, progressed: () => hasProgressed = true });
      } catch (cause) {
        if (!(cause instanceof AppError)) throw cause;
        const error = this.#afterConnection(cause);
        error.advice = error.advice.replace("HOST PORT", this.#target.secret ? "LINK" : formatTarget(this.#target));
        if (endsSession(error)) {
          this.#holder.drop();
          if (hasProgressed) failures = 0; // what was achieved is kept; after any other failure it may be thrown away
        }
        if (!error.retriable || failures >= this.#limits.retries || this.#options.signal?.aborted) throw error;
        await waitToRetry(error, ++failures, this.#limits, this.#options);
      }
    }
  }

  /** From now on a lost connection is made anew for as long as it takes, with waits that grow up to a minute. */
  persist(): void {
    this.#limits = { ...this.#limits, retries: Infinity, retryWaitMaxMs: PERSISTENT_WAIT_MAX_MS };
  }

  /** Says goodbye; the next call connects anew. */
  async rest(): Promise<void> {
    await this.#holder[Symbol.asyncDispose]();
  }

  /** Says goodbye. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#options.holder) await this.#holder[Symbol.asyncDispose]();
  }

  async #session(): Promise<Session> {
    const { signal, agent = "app", knownHosts, isStrict, compress } = this.#options;
    const session = await this.#holder.session({
      target: this.#target,
      timeoutMs: this.#limits.timeoutMs,
      agent,
      signal,
      knownHosts,
      isStrict,
      compress,
    });
    this.#wasConnected = true;
    return session;
  }

  #afterConnection(error: AppError): AppError {
    this.#wasConnected ||= error.code !== "not_connected"; // any other failure had a connection, if only for its opening
    return error.code === "not_connected" && this.#wasConnected ? lostSince(error) : error;
  }

  async #change(request: Change): Promise<MessageOf<"done">> {
    let isAnswerLost = false;
    return await this.attempt(async ({ session }) => {
      const mayBeDone = isAnswerLost;
      session.send(request);
      try {
        return await expect(session, "done");
      } catch (error) {
        if (mayBeDone && await isDoneAlready(session, request, error)) return { type: "done" };
        isAnswerLost ||= error instanceof AppError && endsSession(error);
        throw error;
      }
    });
  }
}

/** Requests that change something, and answer with `done`. */
type Change = MessageOf<"mkdir" | "move" | "remove" | "add">;

/** Whether an earlier attempt, whose answer was lost, has done what cannot be done again. */
async function isDoneAlready(session: Session, request: Change, error: unknown): Promise<boolean> {
  if (!(error instanceof AppError)) return false;
  if (request.type === "add") return error.code === "exists" && await isThere(session, request);
  if (error.code !== "not_found" || request.type === "mkdir") return false;
  if (request.type === "move") await requestEntry(session, request.to);
  return true;
}

/** Whether the server has that very record. */
async function isThere(session: Session, record: CountryRecord): Promise<boolean> {
  const { country, capital, population } = await requestRecord(session, record.country);
  return country === record.country && capital === record.capital && population === record.population;
}
