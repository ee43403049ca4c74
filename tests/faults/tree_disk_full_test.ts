/**
 * A tree that goes to a disk with too little room, between real processes: the run is refused before anything is done, or
 * does what fits and names the rest; every file is as it was or as it is to be, and the next run with room completes it.
 */
import { assert, assertEquals } from "../support/assert.ts";
import { type Outcome, runApp, ServerProcess, temporaryDirectory } from "../support/program.ts";
import type { Random } from "../support/random.ts";
import { describeTop, describeTree, editRandomly, makeRandomTree } from "../support/random_tree.ts";
import { SmallDisk, smallDiskFault } from "../support/small_disk.ts";
import { assertNothingHalf } from "./mixed_trees.ts";
import { playRounds, type Round, type RoundResult } from "./rounds.ts";

const DISK_BYTES = 24 * 1_048_576;
/** With which there is room for every tree here, and what is kept of an older one. */
const INODES = 1_500;
const KINDS = ["bytes, stop", "bytes, skip", "names, stop", "names, skip"] as const;
/** What a run says for want of room, before it or in it. */
const NO_ROOM = /No space left on the device|there is room for/;

const fault = smallDiskFault();
if (fault) console.log(`skipped: ${fault}`);

for (const way of ["push", "pull"] as const) {
  const name = `a ${way} into a disk that is too small does what fits, or nothing, and the next one completes it`;
  Deno.test({
    name,
    ignore: fault !== undefined,
    fn: () => playRounds({ name, rounds: 60, open: openNothing, play: (_: unknown, round: Round) => play(round, way) }),
  });
}

// deno-lint-ignore require-await -- rounds open what they are played on so; these have a disk each
async function openNothing(): Promise<AsyncDisposable> {
  return { async [Symbol.asyncDispose]() {} };
}

async function play(round: Round, way: "push" | "pull"): Promise<RoundResult> {
  const { random } = round;
  const kind = KINDS[round.number % KINDS.length]!;
  const trash = random.pick(["on", "off"]);
  using disk = new SmallDisk({ sizeBytes: DISK_BYTES, inodes: INODES });
  using roomy = temporaryDirectory();
  const [from, to] = [`${roomy.path}/tree`, `${disk.path}/tree`];
  await makeTrees(random, from, to);
  const before = describeTree(to);
  const wanted = describeTree(from);
  const left = fill(disk, random, kind);
  round.describe({ kind, trash, left });
  const [served, local] = way === "push" ? [disk.path, from] : [roomy.path, to];
  await using server = await ServerProcess.start(served, ["--log", "off", "--allow-overwrite", "--allow-remove"]);
  const run = (ifImpossible: string) => {
    const words = way === "push" ? [local, "tree", "--trash", trash] : ["tree", local, "--trash", trash];
    const options = ["--delete", "--max-delete", "1000", "--if-impossible", ifImpossible, "-q"];
    return runApp([way, "127.0.0.1", server.port, ...words, ...options], { patienceMs: 60_000 });
  };

  const outcome = await run(kind.endsWith("stop") ? "stop" : "skip");
  const there = describeTree(to);
  assertOutcome(outcome);
  if (outcome.code === 0) assertEquals(there, wanted, "it said that it was done");
  if (outcome.stderr.includes("Nothing is done")) assertEquals(there, before, "it said that nothing was");
  assertNothingHalf(there, before, wanted);

  Deno.removeSync(`${disk.path}/filler`, { recursive: true });
  const completed = await run("stop");
  assertEquals(completed.code, 0, completed.stderr);
  assertEquals([describeTree(to), describeTop(to)], [wanted, describeTop(from)], "the next run");
  const isUntouched = JSON.stringify(there) === JSON.stringify(before);
  return { kind, counted: [outcome.code === 0 ? "had room" : isUntouched ? "nothing was done" : "did what fitted"] };
}

/** An older state of `from` in `to`. */
async function makeTrees(random: Random, from: string, to: string): Promise<void> {
  makeRandomTree(random, from, 60 + random.below(60));
  const { success } = await new Deno.Command("cp", { args: ["-a", from, to] }).output();
  assert(success);
  editRandomly(random, from, 80);
}

/** Leaves little room: bytes, or names. How much. */
function fill(disk: SmallDisk, random: Random, kind: typeof KINDS[number]): number {
  const left = random.below(kind.startsWith("bytes") ? 2_000_000 : 40);
  if (kind.startsWith("bytes")) disk.fill("filler", left);
  else disk.useUpInodes("filler", left);
  return left;
}

/** All was done, or it says that there is no room, and nothing worse. */
function assertOutcome({ code, stderr }: Outcome): void {
  assert(code === 0 || code === 1, `exit ${code}: ${stderr}`);
  if (code === 0) return;
  assert(NO_ROOM.test(stderr), stderr);
  assert(!stderr.includes("defect"), stderr);
}
