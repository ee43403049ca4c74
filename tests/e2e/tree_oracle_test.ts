/**
 * Push and pull beside `rsync -a --delete`: after the same random edits both must come to the same tree, file by file,
 * link by link, and the directory itself. `deno task faults` plays every round. Skipped where there is no rsync.
 */
import { LocalTree, pullTree, pushTree } from "../../client/mod.ts";
import { playRounds, type Round, type RoundResult } from "../faults/rounds.ts";
import { startServed } from "../server/served.ts";
import { assertEquals } from "../support/assert.ts";
import { temporaryDirectory } from "../support/program.ts";
import { describeTop, describeTree, editRandomly, makeExtremes, makeRandomTree } from "../support/random_tree.ts";

const hasRsync = isThere("/usr/bin/rsync");
if (!hasRsync) console.log("skipped: no rsync on this machine");

/** A served directory, and one beside it. */
type Stage = Awaited<ReturnType<typeof openStage>>;

for (const direction of ["push", "pull"] as const) {
  const name = `${direction} --delete comes to the same tree as rsync -a --delete`;
  const play = (stage: Stage, round: Round) => playRound(stage, round, direction);
  Deno.test({ name, ignore: !hasRsync, fn: () => playRounds({ name, rounds: 150, open: openStage, play }) });
}

// deno-lint-ignore require-await -- rounds open their stages so
async function openStage() {
  const served = startServed({}, { allowOverwrite: true, allowRemove: true });
  const beside = temporaryDirectory();
  return {
    there: `${served.root}/there`,
    here: `${beside.path}/here`,
    rsynced: `${beside.path}/rsynced`,
    client: () => served.client(),
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]();
      beside[Symbol.dispose]();
    },
  };
}

async function playRound(stage: Stage, { random }: Round, direction: "push" | "pull"): Promise<RoundResult> {
  const { here, there, rsynced } = stage;
  const [from, to] = direction === "push" ? [here, there] : [there, here];
  for (const path of [from, to, rsynced]) if (isThere(path)) Deno.removeSync(path, { recursive: true });
  makeRandomTree(random, from, 5 + random.below(60));
  if (random.below(10) === 0) makeExtremes(random, from);
  await rsync(from, to);
  editRandomly(random, from, random.below(40));
  editRandomly(random, to, random.below(20));
  await rsync(to, rsynced);
  await rsync(from, rsynced);
  await using client = stage.client();
  const failures: string[] = [];
  const options = {
    ifDifferent: "replace",
    isExact: true,
    removeMax: 1_000,
    onFailed: (name: string, error: Error) => void failures.push(`${name}: ${error.message}`),
  } as const;
  const result = direction === "push"
    ? await pushTree(client, new LocalTree(here), "there", options)
    : await pullTree(client, "there", new LocalTree(here), options);
  assertEquals(failures, []);
  assertEquals(result.failed, 0);
  assertEquals(describeTree(to), describeTree(rsynced));
  assertEquals(describeTop(to), describeTop(rsynced));
  return { kind: direction, counted: result.moved > 0 ? ["moved something"] : [] };
}

async function rsync(from: string, to: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("rsync", {
    args: ["-a", "--delete", `${from}/`, `${to}/`],
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
