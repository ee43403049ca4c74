/**
 * Rounds of faults: how many there are, and from which seed each is drawn.
 *
 * `FAULTS=full` (which `deno task faults` sets) plays all rounds, everything else their first tenth. Every round has
 * randomness of its own, from `SEED`, its test and its number, so that `SEED=… ROUND=…` repeats a single one.
 */
import { fail } from "../support/assert.ts";
import { type Random, randomOf, SEED } from "../support/random.ts";

const IS_FULL = Deno.env.get("FAULTS") === "full";
const ONLY_ROUND = Deno.env.get("ROUND");
const GATE_SHARE = 10;
/** Rounds that are played at once; each lane has a server and directories of its own. Most of a stall is waiting. */
const LANES = 2;

/** What a round came to, for the summary. */
export interface RoundResult {
  /** Rounds of the same kind have a line together. */
  readonly kind: string;
  /** Words that are counted, such as "exit 4" and "resumed". */
  readonly counted: readonly string[];
}

export interface Round {
  readonly number: number;
  readonly random: Random;
  /** Remembers what is done in this round, to be told when it fails. */
  describe(what: unknown): void;
}

export interface RoundsOptions<Stage> {
  /** The name of the test. */
  readonly name: string;
  /** Of a full run. */
  readonly rounds: number;
  /** What one lane plays on. */
  readonly open: () => Promise<Stage & AsyncDisposable>;
  readonly play: (stage: Stage, round: Round) => Promise<RoundResult>;
}

/** Plays the rounds of one test. All that fail are told together. */
export async function playRounds<Stage>({ name, rounds, open, play }: RoundsOptions<Stage>): Promise<void> {
  const summary = new Summary();
  const failures: string[] = [];
  const waiting = roundNumbers(rounds);
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: Math.min(LANES, waiting.length) }, async () => {
    await using stage = await open();
    for (let number = waiting.shift(); number !== undefined; number = waiting.shift()) {
      let description = "nothing yet";
      const describe = (what: unknown) => description = JSON.stringify(what);
      try {
        summary.add(await play(stage, { number, random: randomOf(name, number), describe }));
      } catch (error) {
        failures.push(`SEED=${SEED} ROUND=${number} (${description}): ${error instanceof Error ? error.stack : error}`);
      }
    }
  }));
  if (IS_FULL || ONLY_ROUND) summary.print(name, performance.now() - startedAt);
  if (failures.length > 0) fail(`${failures.length} rounds failed; "${name}":\n${failures.join("\n")}`);
}

function roundNumbers(rounds: number): number[] {
  if (ONLY_ROUND) return [Number(ONLY_ROUND)];
  return Array.from({ length: IS_FULL ? rounds : Math.ceil(rounds / GATE_SHARE) }, (_, number) => number);
}

/** How many rounds of each kind there were, and what they came to. */
class Summary {
  readonly #kinds = new Map<string, Map<string, number>>();

  add({ kind, counted }: RoundResult): void {
    const counts = this.#kinds.get(kind) ?? new Map<string, number>();
    this.#kinds.set(kind, counts);
    for (const word of ["rounds", ...counted]) counts.set(word, (counts.get(word) ?? 0) + 1);
  }

  print(name: string, ms: number): void {
    console.log(`${name}: SEED=${SEED}, ${Math.round(ms / 1000)} s`);
    for (const [kind, counts] of [...this.#kinds].sort()) {
      const { rounds, ...others } = Object.fromEntries([...counts].sort());
      const words = Object.entries(others).map(([word, count]) => `${word}: ${count}`);
      console.log(`  ${kind}: ${rounds} rounds; ${words.join(", ")}`);
    }
  }
}
