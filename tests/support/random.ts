/** Seeded randomness: the same seed gives the same run, and a failing test prints its seed. */

/** The seed of this run: the environment's `SEED`, or one that was drawn and is printed with the failure. */
export const SEED = Number(Deno.env.get("SEED") ?? crypto.getRandomValues(new Uint32Array(1))[0]);

/** Numbers from a seed (mulberry32): fast, and good enough for tests. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 to `below` - 1. */
  below(below: number): number {
    return Math.floor(this.fraction() * below);
  }

  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** `count` bytes that do not compress. */
  bytes(count: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(count);
    const words = new Uint32Array(bytes.buffer, 0, count >> 2);
    for (let index = 0; index < words.length; index++) words[index] = this.below(2 ** 32);
    for (let index = words.length * 4; index < count; index++) bytes[index] = this.below(256);
    return bytes;
  }
}

/** The randomness of one round of a test, from the run's seed. */
export function randomOf(test: string, round: number): Random {
  let seed = SEED;
  for (const value of [...new TextEncoder().encode(test), round]) seed = Math.imul(seed ^ value, 0x01000193);
  return new Random(seed);
}

/** Runs `body` with the run's seed, and names the seed if it fails. */
export async function withSeed(body: (random: Random) => void | Promise<void>, seed = SEED): Promise<void> {
  try {
    await body(new Random(seed));
  } catch (error) {
    throw new Error(`It failed with SEED=${seed}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}
