/** Time for tests that must not wait for it: a clock that the test sets, and a timer that it rings. */

/** Puts the one timer and the clock into the test's hands, until what it returns is disposed of. */
export function takeTime() {
  const { setInterval: realInterval, clearInterval: realClear } = globalThis;
  const realNow = performance.now;
  const time = {
    nowMs: 1_000_000,
    tick: (): void => {},
    everyMs: 0,
    isCleared: false,
    [Symbol.dispose]() {
      Object.assign(globalThis, { setInterval: realInterval, clearInterval: realClear });
      performance.now = realNow;
    },
  };
  performance.now = () => time.nowMs;
  Object.assign(globalThis, {
    setInterval(tick: () => void, everyMs: number) {
      Object.assign(time, { tick, everyMs });
      return 77;
    },
    clearInterval: (id: number) => time.isCleared = id === 77,
  });
  return time;
}
