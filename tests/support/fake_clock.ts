/** A clock that stands still until it is told how late it is. */
import type { Clock } from "../../protocol/exchange/debounce.ts";

export class FakeClock implements Clock {
  /** How many timers were ever set. */
  timersSet = 0;
  #nowMs = 0;
  readonly #timers = new Set<{ readonly atMs: number; readonly work: () => void }>();

  now(): number {
    return this.#nowMs;
  }

  after(ms: number, work: () => void): () => void {
    const timer = { atMs: this.#nowMs + ms, work };
    this.timersSet++;
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** How many timers are set now. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Lets so much time pass, with all that is due in it in its order. */
  pass(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const next = [...this.#timers].sort((a, b) => a.atMs - b.atMs)[0];
      if (!next || next.atMs > endMs) break;
      this.#timers.delete(next);
      this.#nowMs = next.atMs;
      next.work();
    }
    this.#nowMs = endMs;
  }
}
