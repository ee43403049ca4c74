/** Time for tests that must not wait for it: a clock that the test sets, and timers that it rings. */
import { HandTimers } from "../support/hand_timers.ts";

/** Puts the one timer and the clock into the test's hands, until what it returns is disposed of. */
export function takeTime() {
  const timers = new HandTimers();
  const realNow = performance.now;
  const time = {
    nowMs: 1_000_000,
    tick: () => timers.ring(),
    get everyMs() {
      return timers.set[0] ?? 0;
    },
    get isCleared() {
      return timers.set.length === 0;
    },
    [Symbol.dispose]() {
      timers[Symbol.dispose]();
      performance.now = realNow;
    },
  };
  performance.now = () => time.nowMs;
  return time;
}
