/** Timers of `protocol/timers.ts` that ring when the test says so; with `clears: false` also those that were cleared. */

export class HandTimers implements Disposable {
  readonly #real = { setTimeout, clearTimeout };
  readonly #timeout = AbortSignal.timeout;
  readonly #set = new Map<() => void, number>();

  constructor({ clears = true } = {}) {
    const clear = (work: () => void) => clears && this.#set.delete(work);
    const signalIn = (ms: number) => ({
      addEventListener: (_type: string, work: () => void) => this.#set.set(work, ms),
      removeEventListener: (_type: string, work: () => void) => clear(work),
    });
    Object.assign(AbortSignal, { timeout: signalIn });
    const setTimeout = (work: () => void, ms: number) => (this.#set.set(work, ms), work);
    Object.assign(globalThis, { setTimeout, clearTimeout: clear });
  }

  /** In how many ms each of those that are set would ring. */
  get set(): number[] {
    return [...this.#set.values()];
  }

  /** Rings all that are set now. */
  ring(): void {
    const works = [...this.#set.keys()];
    this.#set.clear();
    for (const work of works) work();
  }

  [Symbol.dispose](): void {
    Object.assign(AbortSignal, { timeout: this.#timeout });
    Object.assign(globalThis, this.#real);
  }
}
