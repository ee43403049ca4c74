/** How long a client waits, and what ends its waiting: a deadline, and a signal. */
import { after } from "../protocol/timers.ts";

/** Who uses a connection now: how long it may be silent, and what ends it. */
export interface Use {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * `pending`, for what takes no signal itself. Throws what `tooLate` makes when it takes longer than `timeoutMs`, and the
 * reason of `signal`; `pending` goes on then, and who calls this has to end it.
 */
export async function withPatience<T>(
  pending: Promise<T>,
  { timeoutMs, signal }: Use,
  tooLate: () => Error,
): Promise<T> {
  const given = Promise.withResolvers<never>();
  using _deadline = after(timeoutMs, () => given.reject(tooLate()));
  const onAbort = () => given.reject(signal!.reason);
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort);
  try {
    return await Promise.race([pending, given.promise]);
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
