/**
 * A server that speaks an old format: one connection for each request, and attempts in a row where they do no harm.
 *
 * These formats can resume nothing, and tell nothing of a request that was broken off; so a second attempt begins anew.
 */
import { AppError } from "../../protocol/errors.ts";
import type { ByteStream } from "../../protocol/exchange/byte_stream.ts";
import { QuietReader } from "../../protocol/exchange/quiet_reader.ts";
import type { ClientLimits } from "../../protocol/limits.ts";
import { type ClientOptions, limitsOf } from "../client.ts";
import { dialStream } from "../dial.ts";
import { retryLost } from "../retry.ts";
import { formatTarget, type Target } from "../target.ts";

export class OldServer {
  readonly #target: Target;
  readonly #limits: ClientLimits;
  readonly #options: ClientOptions;

  constructor(target: Target, options: ClientOptions = {}) {
    this.#target = target;
    this.#options = options;
    this.#limits = limitsOf(options);
  }

  /** Sends `request` on a new connection, and runs `work` with what comes back; once more after a connection is lost. */
  ask<T>(request: Uint8Array, work: (reader: QuietReader) => Promise<T>): Promise<T> {
    return retryLost(this.#limits, this.#options, () => this.askOnce(request, work));
  }

  /** The same without a second attempt. */
  async askOnce<T>(request: Uint8Array, work: (reader: QuietReader) => Promise<T>): Promise<T> {
    const { signal, knownHosts, isStrict } = this.#options;
    const use = { timeoutMs: this.#limits.timeoutMs, signal, knownHosts, isStrict };
    try {
      using dialed = await dialStream({ target: this.#target, ...use }, () => reader.isWaiting);
      const reader = new QuietReader(dialed.stream);
      await dialed.stream.write(request);
      return await work(reader);
    } catch (error) {
      throw withOldAdvice(error, this.#target);
    }
  }
}

/** `error` of a server that speaks an old format: nothing goes on where it stopped there. */
export function withOldAdvice(error: unknown, target: Target): unknown {
  if (!(error instanceof AppError)) return error;
  error.advice = error.advice.replace("HOST PORT", formatTarget(target))
    .replace(": it goes on where it stopped", ": it starts anew, as the old formats cannot resume");
  return error;
}

/** What answers, but not in words of the format. */
export function notOfFormat({ peer }: ByteStream, format: string): AppError {
  return new AppError("not_app", `What answers at ${peer} does not speak the format ${format}`, {
    advice: "Check the port, and the format behind --wire",
  });
}
