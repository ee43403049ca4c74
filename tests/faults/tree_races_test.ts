/**
 * Two pushes into one directory of a server, or two pulls into one directory, at the same time: each ends and tells what
 * it could not do, every file is whole and of one of them, and one more run alone makes the directory like its source.
 */
import type { TreeResult } from "../../client/mod.ts";
import { type AppError, LocalTree, pullTree, pushTree } from "../../client/mod.ts";
import { names } from "../support/names_in.ts";
import { startServed } from "../server/served.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { temporaryDirectory } from "../support/program.ts";
import { describeTop, describeTree, editRandomly, makeRandomTree } from "../support/random_tree.ts";
import { assertNothingHalf } from "./mixed_trees.ts";
import { playRounds, type Round, type RoundResult } from "./rounds.ts";

const FIRST = "the same, both the first";
const KINDS = [
  "the same",
  "others",
  "others, and remove",
  "the same, into nothing",
  "others, into nothing",
  FIRST,
] as const;

type Stage = Awaited<ReturnType<typeof openStage>>;

for (const way of ["push", "pull"] as const) {
  const name = `two that ${way} into one directory at once leave nothing half`;
  const play = (stage: Stage, round: Round) => playRound(stage, round, way);
  Deno.test(name, () => playRounds({ name, rounds: 60, open: openStage, play }));
}

// deno-lint-ignore require-await -- rounds open their stages so
async function openStage() {
  const served = startServed({}, { allowOverwrite: true, allowRemove: true });
  const beside = temporaryDirectory();
  return {
    served,
    local: beside.path,
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]();
      beside[Symbol.dispose]();
    },
  };
}

async function playRound(
  stage: Stage,
  { random, number, describe }: Round,
  way: "push" | "pull",
): Promise<RoundResult> {
  const kind = KINDS[number % KINDS.length]!;
  describe({ kind });
  const [source, target] = way === "push" ? [stage.local, stage.served.root] : [stage.served.root, stage.local];
  const [one, two, to] = [`${source}/one`, `${source}/two`, `${target}/to`];
  for (const path of [one, two, to]) if (isThere(path)) Deno.removeSync(path, { recursive: true });
  makeRandomTree(random, one, 60 + random.below(60));
  await copy(one, two);
  Deno.mkdirSync(to);
  if (kind !== FIRST && !kind.endsWith("nothing")) await copy(`${one}/.`, to);
  editRandomly(random, one, 60);
  if (!kind.startsWith("others")) {
    Deno.removeSync(two, { recursive: true });
    await copy(one, two);
  } else editRandomly(random, two, 60);
  const states = [describeTree(to), describeTree(one), describeTree(two)];
  if (kind === FIRST && way === "push") Deno.removeSync(to); // who pulls has made it before
  const removeMax = kind.endsWith("remove") ? 1_000 : undefined;
  const onFailed = ({ code, message }: AppError) => assert(kind !== FIRST || code === "busy", message); // of a large file
  const ends = await Promise.all([one, two].map((from) => run(stage, way, from, { removeMax, onFailed })));
  const there = describeTree(to);
  assertNothingHalf(there, ...states);
  assertEquals(leftovers(to), []);
  const alone = await run(stage, way, one, { removeMax: 1_000 });
  assertEquals(alone, "done");
  assertEquals([describeTree(to), describeTop(to)], [describeTree(one), describeTop(one)]);
  return { kind, counted: ends };
}

/** Whether all was done, or some of it failed; that is told by name. */
async function run(
  { served, local }: Stage,
  way: "push" | "pull",
  from: string,
  { removeMax, onFailed }: { removeMax: number | undefined; onFailed?: (error: AppError) => void },
): Promise<string> {
  await using client = served.client();
  const failed: [name: string, error: AppError][] = [];
  const options = {
    ifDifferent: "replace",
    isExact: true,
    removeMax,
    onFailed: (name: string, error: AppError) => void failed.push([name, error]),
  } as const;
  const result: TreeResult = way === "push"
    ? await pushTree(client, new LocalTree(from), "to", options)
    : await pullTree(client, from.slice(from.lastIndexOf("/") + 1), new LocalTree(`${local}/to`), options);
  for (const [name, error] of failed) {
    assert(error.code !== "internal" && name !== "", `${name}: ${error.message}`);
    onFailed?.(error);
  }
  assertEquals(failed.length, result.failed, JSON.stringify(failed));
  return result.failed === 0 ? "done" : "some failed";
}

function leftovers(path: string): string[] {
  return names(path).filter((name) => name.startsWith(".app-")).concat(
    ...[...Deno.readDirSync(path)].map(({ name, isDirectory }) => isDirectory ? leftovers(`${path}/${name}`) : []),
  );
}

async function copy(from: string, to: string): Promise<void> {
  assert((await new Deno.Command("cp", { args: ["-a", from, to] }).output()).success);
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
