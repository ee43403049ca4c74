/** A clock that runs faster than the real one, so that deadlines of half a minute can be waited for. */

/** Runs `body` while timers and `performance.now` of this process run `factor` times as fast. */
export async function withFastClock(factor: number, body: () => Promise<void>): Promise<void> {
  const { setInterval, setTimeout } = globalThis;
  const { timeout } = AbortSignal;
  const now = performance.now;
  const start = now.call(performance);
  const faster = (set: (call: () => void, ms: number) => unknown) => (call: () => void, ms: number) =>
    set(call, ms / factor);
  performance.now = () => start + (now.call(performance) - start) * factor;
  Object.assign(globalThis, { setInterval: faster(setInterval), setTimeout: faster(setTimeout) });
  Object.assign(AbortSignal, { timeout: (ms: number) => timeout(ms / factor) });
  try {
    await body();
  } finally {
    performance.now = now;
    Object.assign(globalThis, { setInterval, setTimeout });
    Object.assign(AbortSignal, { timeout });
  }
}
