/**
 * Timers that cost a fresh process nothing. The first `setTimeout` of one loads Node's timers, a tenth of the time that a
 * small request takes; the timeout of a signal does without. Such a timeout cannot be called off, only not be listened to,
 * and is forgotten when its time has come: so for what runs often and is mostly called off, `setTimeout` is better.
 */

/** Calls `work` once, in `ms`, unless that is disposed of before. Keeps the process alive until then. */
export function after(ms: number, work: () => void): Disposable {
  const timeout = AbortSignal.timeout(ms);
  timeout.addEventListener("abort", work);
  return { [Symbol.dispose]: () => timeout.removeEventListener("abort", work) };
}

/** Calls `work` every `ms`, until that is disposed of. */
export function every(ms: number, work: () => void): Disposable {
  let next: Disposable | undefined;
  const arm = () => {
    next = after(ms, () => {
      arm(); // before the work, which may throw, or dispose of this
      work();
    });
  };
  arm();
  return {
    [Symbol.dispose]() {
      next?.[Symbol.dispose]();
    },
  };
}
