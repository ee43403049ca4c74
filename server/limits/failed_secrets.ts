/**
 * Who guesses secrets is answered more and more slowly, a good secret from the same address included, so that the time
 * of an answer tells nothing. Nobody waits for longer than `waitMaxMs`, nobody is locked out, and a minute without a
 * wrong secret makes all of it forgotten. (A secret has 128 bits: this is not what keeps it from being guessed, but
 * what keeps guessing from costing us anything.)
 */
const FREE = 3;
const WAIT_FIRST_MS = 125;
const FORGOTTEN_AFTER_MS = 60_000;
/** Addresses that are remembered; for one more, the one that failed least recently is forgotten. */
const ADDRESSES_MAX = 4_096;

interface Failures {
  count: number;
  lastAt: number;
}

export class FailedSecrets {
  readonly #waitMaxMs: number;
  readonly #now: () => number;
  /** Those that failed most recently stand last. */
  readonly #byAddress = new Map<string, Failures>();

  constructor(waitMaxMs: number, now: () => number = () => performance.now()) {
    this.#waitMaxMs = waitMaxMs;
    this.#now = now;
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#byAddress.size;
  }

  /** How long somebody from there has to wait until a secret is looked at. */
  waitMs(address: string): number {
    const failures = this.#byAddress.get(address);
    if (!failures || this.#isForgotten(failures) || failures.count < FREE) return 0;
    return Math.min(this.#waitMaxMs, WAIT_FIRST_MS * 2 ** Math.min(10, failures.count - FREE));
  }

  failed(address: string): void {
    const before = this.#byAddress.get(address);
    const count = before && !this.#isForgotten(before) ? before.count : 0;
    this.#byAddress.delete(address);
    this.#byAddress.set(address, { count: count + 1, lastAt: this.#now() });
    const [oldest] = this.#byAddress.keys();
    if (this.#byAddress.size > ADDRESSES_MAX) this.#byAddress.delete(oldest!);
  }

  #isForgotten({ lastAt }: Failures): boolean {
    return this.#now() - lastAt >= FORGOTTEN_AFTER_MS;
  }
}
