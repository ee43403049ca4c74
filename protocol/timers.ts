/**
 * Timers that cost a fresh process nothing. The first `setTimeout` of one loads Node's timers, a tenth of the time that a
 * small request takes; the timeout of a signal does without. But that cannot be called off, only not be listened to, and
 * stays until its time has come: so a process that has had some goes on with `setTimeout`.
 */

/** How many there are without `setTimeout`. */
const LIGHT_MAX = 16;
let lightCount = 0;

/** Calls `work` once, in `ms`, unless that is disposed of before. Keeps the process alive until then. */
export function after(ms: number, work: () => void): Disposable {
  if (lightCount === LIGHT_MAX) {
    const timer = setTimeout(work, ms);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  }
  lightCount++;
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
