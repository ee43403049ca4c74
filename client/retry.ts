/** How a client tries again: longer waits each time, which end at once when the person interrupts them. */
import type { AppError } from "../protocol/errors.ts";
import type { ClientLimits } from "../protocol/limits.ts";

export interface RetryOptions {
  /** Ends everything that is under way when it aborts. */
  signal?: AbortSignal;
  /** Told before each new attempt. */
  onRetry?: (error: AppError, attempt: number, waitMs: number) => void;
}

/** Tells of `error`, the `failures`-th in a row, and waits before the next attempt; throws the reason of the signal. */
export async function waitToRetry(
  error: AppError,
  failures: number,
  { retryWaitMs, retryWaitMaxMs }: ClientLimits,
  { onRetry, signal }: RetryOptions,
): Promise<void> {
  const waitMs = Math.min(retryWaitMaxMs, retryWaitMs * 2 ** (failures - 1));
  onRetry?.(error, failures, waitMs);
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
