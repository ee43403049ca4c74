/**
 * A limit on speed. Who takes bytes gets a place in a queue and is told when it is reached; so connections that share
 * a bucket take turns, piece by piece, and none of them gets more than its share while another waits.
 *
 * Pure but for the clock, which is handed in.
 */

/** After a pause, so much may go at once: what would have gone in this time. */
const BURST_MS = 100;

/** A piece takes this long at most, so that turns are short, and is not so small that turns cost more than the bytes. */
const PIECE_MS = 50;
const PIECE_BYTES_MIN = 512;
const PIECE_BYTES_MAX = 65_536;

export class TokenBucket {
  readonly #bytesPerMs: number;
  readonly #now: () => number;
  /** When all that was taken so far is through. */
  #throughAt: number;

  constructor(bytesPerSecond: number, now: () => number = () => performance.now()) {
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#now = now;
    this.#throughAt = now() - BURST_MS;
  }

  /** How many bytes to take at once. */
  get pieceBytes(): number {
    return Math.max(PIECE_BYTES_MIN, Math.min(PIECE_BYTES_MAX, Math.floor(this.#bytesPerMs * PIECE_MS)));
  }

  /** Takes so many bytes; how long to wait for them, in ms. */
  take(bytes: number): number {
    const now = this.#now();
    this.#throughAt = Math.max(this.#throughAt, now - BURST_MS) + bytes / this.#bytesPerMs;
    return Math.max(0, this.#throughAt - now);
  }
}
