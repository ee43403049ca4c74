/** How long a client waits, and what ends its waiting: a deadline, and a signal. */

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
  const timer = setTimeout(() => given.reject(tooLate()), timeoutMs);
  const onAbort = () => given.reject(signal!.reason);
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort);
  try {
    return await Promise.race([pending, given.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}
