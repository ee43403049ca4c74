/**
 * Rounds of fuzz: each has randomness of its own, from `SEED`, its test and its number, so that `SEED=… ROUND=…` plays
 * a single one again. How many there are is fixed, so that a run takes about as long everywhere; `FUZZ_TIMES` (which
 * `deno task fuzz` sets) multiplies it.
 */
import { fail } from "../support/assert.ts";
import { type Random, randomOf, SEED } from "../support/random.ts";

const TIMES = Number(Deno.env.get("FUZZ_TIMES") ?? 1);
const ONLY_ROUND = Deno.env.get("ROUND");
/** More failures than this say nothing new. */
const FAILURES_MAX = 3;

export interface Round {
  readonly number: number;
  readonly random: Random;
  /** Remembers what is done in this round, to be told when it fails. */
  describe(what: string): void;
}

export interface RoundsOptions {
  /** The name of the test. */
  readonly name: string;
  readonly rounds: number;
  /** Rounds at once. @default 1 */
  readonly lanes?: number;
  /** What the round came to, such as the code of an error. */
  readonly play: (round: Round) => string | Promise<string>;
}

/** Plays all rounds; how many came to what. */
export async function playRounds({ name, rounds, lanes = 1, play }: RoundsOptions): Promise<Map<string, number>> {
  const outcomes = new Map<string, number>();
  const failures: string[] = [];
  const end = ONLY_ROUND ? Number(ONLY_ROUND) + 1 : rounds * TIMES;
  let next = ONLY_ROUND ? Number(ONLY_ROUND) : 0;
  const lane = async () => {
    while (next < end && failures.length < FAILURES_MAX) {
      const number = next++;
      let description = "";
      try {
        const outcome = await play({ number, random: randomOf(name, number), describe: (what) => description = what });
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      } catch (error) {
        const told = error instanceof Error ? error.stack ?? error.message : String(error);
        failures.push(`SEED=${SEED} ROUND=${number} (${description}): ${told}`);
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  if (failures.length > 0) fail(`"${name}":\n${failures.join("\n")}`);
  return outcomes;
}

/** That the mutations reach all of it: each of `wanted` came at least once. Not asked of a single round. */
export function assertReached(outcomes: ReadonlyMap<string, number>, wanted: readonly string[]): void {
  if (ONLY_ROUND) return;
  const missing = wanted.filter((outcome) => !outcomes.has(outcome));
  const told = [...outcomes].map(([outcome, count]) => `${outcome}: ${count}`).join(", ");
  if (missing.length > 0) fail(`never ${missing.join(", ")} (SEED=${SEED}); but ${told}`);
}
