/** Many events in a short time as one: it is due when they have been quiet for a while, or have gone on for too long. */
import { after } from "../timers.ts";

export interface Clock {
  /** In ms, from any beginning. */
  now(): number;
  /** Calls `work` once, in `ms`; what it returns calls that off. */
  after(ms: number, work: () => void): () => void;
}

export const CLOCK: Clock = {
  now: () => performance.now(),
  after(ms, work) {
    const timer = after(ms, work);
    return () => timer[Symbol.dispose]();
  },
};

export interface DebounceOptions {
  /** So long nothing happens before it is due. @default 200 */
  readonly quietMs?: number;
  /** It is due so long after the first event in any case. @default 2,000 */
  readonly mostMs?: number;
  readonly clock?: Clock;
}

export class Debounce implements Disposable {
  readonly #quietMs: number;
  readonly #mostMs: number;
  readonly #clock: Clock;
  /** When it is to be due; absent while nothing has happened. */
  #times: { readonly latestMs: number; dueMs: number } | undefined;
  #callOff: (() => void) | undefined;
  #isDue = false;
  #waiting: PromiseWithResolvers<void> | undefined;

  constructor({ quietMs = 200, mostMs = 2_000, clock = CLOCK }: DebounceOptions = {}) {
    this.#quietMs = quietMs;
    this.#mostMs = mostMs;
    this.#clock = clock;
  }

  /** Something happened. */
  touch(): void {
    if (this.#isDue) return;
    const now = this.#clock.now();
    this.#times ??= { latestMs: now + this.#mostMs, dueMs: 0 };
    this.#times.dueMs = Math.min(now + this.#quietMs, this.#times.latestMs);
    // One timer for a crowd of events: when it comes too early, it is set again.
    if (!this.#callOff) this.#arm(this.#times.dueMs - now);
  }

  /** It is due now, if anybody waits or not. */
  hurry(): void {
    this.#callOff?.();
    this.#callOff = this.#times = undefined;
    this.#isDue = true;
    this.#wake();
  }

  /** Waits until it is due, and begins anew: what happens from then on is for the next. One at a time. */
  async wait(): Promise<void> {
    if (!this.#isDue) await (this.#waiting ??= Promise.withResolvers<void>()).promise;
    this.#isDue = false;
  }

  [Symbol.dispose](): void {
    this.#callOff?.();
    this.#callOff = undefined;
  }

  #arm(ms: number): void {
    this.#callOff = this.#clock.after(ms, () => {
      this.#callOff = undefined;
      const leftMs = this.#times!.dueMs - this.#clock.now();
      if (leftMs > 0) this.#arm(leftMs);
      else this.hurry();
    });
  }

  #wake(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }
}
