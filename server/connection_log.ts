/** What the log is told of one connection, and how many requests it had. */
import { type AppError, toAppError } from "../protocol/errors.ts";
import { endsSession } from "../protocol/exchange/transfer.ts";
import type { Outcome } from "./handlers/handler.ts";
import { type Log, type LogRecord, NO_LOG } from "./log.ts";

export interface ConnectionLogOptions {
  readonly log: Log;
  readonly peer: string;
  /** The label of who the peer is by now. */
  readonly who: () => string;
  /** File bytes that moved in its session so far. */
  readonly bytesMoved: () => number;
}

/** One request, as the log and the status name it. */
interface Named {
  readonly request: string;
  readonly name: string;
}

export class ConnectionLog {
  readonly #options: ConnectionLogOptions;
  #requests = 0;
  #current: Named | undefined;
  #loggedFault: AppError | undefined;

  constructor(options: ConnectionLogOptions) {
    this.#options = options;
  }

  /** So far. */
  get requests(): number {
    return this.#requests;
  }

  /** The request under way. */
  get current(): Named | undefined {
    return this.#current;
  }

  /** Runs a request and logs what came of it. Only an error after which nothing can be said any more is thrown. */
  async run(request: string, name: string, run: () => Promise<Outcome>): Promise<void> {
    const start = performance.now();
    const movedBefore = this.#options.bytesMoved();
    const record = this.#record(request, name);
    this.#requests++;
    this.#current = { request, name };
    const log = (more: Pick<LogRecord, "result"> & Partial<LogRecord>) => {
      const bytes = this.#options.bytesMoved() - movedBefore;
      this.#options.log({ ...record, bytes, durationMs: performance.now() - start, ...more });
    };
    try {
      log({ result: "done", ...await run() });
    } catch (cause) {
      const error = toAppError(cause, `Cannot answer "${request}"`);
      log(outcomeOf(error));
      this.#loggedFault = error;
      if (endsSession(error)) throw error;
    } finally {
      this.#current = undefined;
    }
  }

  /** A request was answered in no time. */
  answered(request: string, name: string): void {
    this.#requests++;
    if (this.#options.log !== NO_LOG) this.#options.log({ ...this.#record(request, name), result: "done" });
  }

  /** A fault outside of requests, unless it has a line in the log already. */
  fault(during: string, error: AppError): void {
    if (error === this.#loggedFault || error.code === "shutting_down") return;
    this.#options.log({ ...this.#record(during, ""), ...outcomeOf(error) });
  }

  #record(request: string, name: string): Omit<LogRecord, "result"> {
    const { peer, who } = this.#options;
    return { time: new Date(), peer, who: who(), request, name, bytes: 0, durationMs: 0 };
  }
}

function outcomeOf({ code, message, by }: AppError): Pick<LogRecord, "result" | "by" | "detail"> {
  return { result: code, ...(by === "peer" ? { by } : {}), detail: message };
}
