/**
 * A tree that changes while it is sent, or while it is received into: right before calls to the system that are drawn by
 * lot, something in it is written, removed, made or exchanged. Every file that is stored is one that was there at some
 * moment, with its time; what failed is named; and the next run, in peace, makes the trees equal.
 */
import { FILE_SYSTEM, type FileSystem } from "../../protocol/files/file_system.ts";
import { LocalTree } from "../../protocol/files/local_tree.ts";
import { AppError } from "../../protocol/errors.ts";
import { EXACT, runTree } from "../exchange/trees.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { temporaryDirectory } from "../support/program.ts";
import type { Random } from "../support/random.ts";
import { describeTop, describeTree, editRandomly, makeRandomTree } from "../support/random_tree.ts";
import { playRounds, type Round, type RoundResult } from "./rounds.ts";

const RECEIVING = { ...EXACT, removeMax: 10_000 };
/** One of so many calls comes behind a change. */
const RARITY = 8;
const BEHIND_A_LOOK: ReadonlySet<string> = new Set(["openToAdjust", "setMode", "setOwnTime"]);

for (const side of ["sender", "receiver"] as const) {
  const name =
    `a tree that changes at the ${side} meanwhile has nothing that never was, and the next run makes it equal`;
  Deno.test(name, () =>
    playRounds({
      name,
      rounds: 200,
      open: () => Promise.resolve({ [Symbol.asyncDispose]: () => Promise.resolve() }),
      play: (_, round) => play(round, side),
    }));
}

async function play({ random }: Round, side: "sender" | "receiver"): Promise<RoundResult> {
  using directory = temporaryDirectory();
  const [from, to] = [`${directory.path}/from`, `${directory.path}/to`];
  makeRandomTree(random, from, 20 + random.below(40));
  makeRandomTree(random, to, random.below(40));
  const seen = new Seen(from, to);
  const restless = (path: string) => new LocalTree(path, changing(random, path, () => seen.look(path)));
  const ends = side === "sender"
    ? { from: { tree: restless(from) }, to: { tree: new LocalTree(to) } }
    : { from: { tree: new LocalTree(from) }, to: { tree: restless(to) } };
  const { sent, received, sendFailures, receiveFailures } = await runTree({ ...ends, receiving: RECEIVING });
  seen.look(to, (name, facts) => assert(seen.has(name, facts), `${name} is ${facts}, which never was`));
  for (const failure of [...sendFailures, ...receiveFailures]) assert(!/^:|internal|: failed/.test(failure), failure);
  for (const end of [sent, received]) assert(!(end instanceof AppError), `${end}`);
  const { failed } = received as Exclude<typeof received, AppError>;
  assertEquals(receiveFailures.length, failed, JSON.stringify(receiveFailures));
  const next = await runTree({
    from: { tree: new LocalTree(from) },
    to: { tree: new LocalTree(to) },
    receiving: RECEIVING,
  });
  assertEquals(next.receiveFailures, []);
  assertEquals([describeTree(to), describeTop(to)], [describeTree(from), describeTop(from)]);
  return { kind: side, counted: [failed === 0 ? "all done" : "some failed"] };
}

/** The system, and changes below `path` before some of its calls. */
function changing(random: Random, path: string, onChanged: () => void): FileSystem {
  const watched = (owner: object, name: string) => (...args: unknown[]) => {
    // Times are set by name, at once behind a look.
    if (!BEHIND_A_LOOK.has(name) && random.below(RARITY) === 0) {
      editRandomly(random, path, 1 + random.below(3));
      onChanged();
    }
    const result = (Reflect.get(owner, name) as (...args: unknown[]) => unknown).apply(owner, args);
    return name === "openToRead" ? withChanges(result as object) : result;
  };
  const withChanges = (file: object) => new Proxy(file, { get: (_, name) => watched(file, String(name)) });
  return new Proxy({} as FileSystem, { get: (_, name) => watched(FILE_SYSTEM, String(name)) });
}

/** What has stood under each name, in either tree: content and time, without bits, which are told by name alone. */
class Seen {
  readonly #facts = new Map<string, Set<string>>();

  constructor(...paths: string[]) {
    for (const path of paths) this.look(path);
  }

  has(name: string, facts: string): boolean {
    return this.#facts.get(name)?.has(facts) ?? false;
  }

  /** Remembers what stands below `path` now, or hands it to `use`. */
  look(path: string, use = (name: string, facts: string) => this.#add(name, facts)): void {
    for (const [name, facts] of Object.entries(describeTree(path))) {
      if (!name.endsWith("/")) use(name, facts.replace(/^\d+ /, ""));
    }
  }

  #add(name: string, facts: string): void {
    const known = this.#facts.get(name) ?? new Set();
    this.#facts.set(name, known.add(facts));
  }
}
