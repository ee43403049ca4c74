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
  let isOver = false;
  const run = () => {
    // Deno 2.5 still runs a timer that was cleared in the turn in which it fell due, behind a read that ended, say.
    if (!isOver) work();
  };
  const end = later(ms, run);
  return {
    [Symbol.dispose]() {
      isOver = true;
      end();
    },
  };
}

/** What it returns ends it. */
function later(ms: number, work: () => void): () => void {
  if (lightCount === LIGHT_MAX) {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  }
  lightCount++;
  const timeout = AbortSignal.timeout(ms);
  timeout.addEventListener("abort", work);
  return () => timeout.removeEventListener("abort", work);
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
