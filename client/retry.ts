/** How a client tries again: longer waits each time, which end at once when the person interrupts them. */
import { AppError } from "../protocol/errors.ts";
import { endsSession } from "../protocol/exchange/transfer.ts";
import type { ClientLimits } from "../protocol/limits.ts";

export interface RetryOptions {
  /** Ends everything that is under way when it aborts. */
  signal?: AbortSignal;
  /** Told before each new attempt. */
  onRetry?: (error: AppError, attempt: number, waitMs: number, attemptsMax: number) => void;
}

/** Makes `attempt` again after a connection was lost, with nothing of an earlier one: for what does no harm twice. */
export async function retryLost<T>(limits: ClientLimits, options: RetryOptions, attempt: () => Promise<T>): Promise<T> {
  for (let failures = 0;;) {
    try {
      return await attempt();
    } catch (cause) {
      if (!(cause instanceof AppError)) throw cause;
      const error = failures > 0 && cause.code === "not_connected" ? lostSince(cause) : cause;
      const isLost = error.retriable && endsSession(error);
      if (!isLost || failures >= limits.retries || options.signal?.aborted) throw error;
      await waitToRetry(error, ++failures, limits, options);
    }
  }
}

/** A server that was there and is not now is a lost connection, not one that never was. */
export function lostSince(error: AppError): AppError {
  return new AppError("lost", `The server does not answer any more: ${error.message}`, { cause: error });
}

/** Tells of `error`, the `failures`-th in a row, and waits before the next attempt; throws the reason of the signal. */
export async function waitToRetry(
  error: AppError,
  failures: number,
  { retryWaitMs, retryWaitMaxMs, retries }: ClientLimits,
  { onRetry, signal }: RetryOptions,
): Promise<void> {
  const waitMs = Math.min(retryWaitMaxMs, retryWaitMs * 2 ** (failures - 1));
  onRetry?.(error, failures, waitMs, retries);
  await sleep(waitMs, signal);
}

/** Waits; throws the reason of `signal` when that aborts. */
function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener("abort", onAbort, { once: true });
  });
}
