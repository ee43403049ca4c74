/**
 * Push and pull beside `rsync -a --delete`: after the same random edits both must come to the same tree, file by file.
 * Skipped where there is no rsync.
 */
import { LocalTree, pullTree, pushTree } from "../../client/mod.ts";
import { startServed } from "../server/served.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { temporaryDirectory } from "../support/program.ts";
import { withSeed } from "../support/random.ts";
import { describeTree, editRandomly, makeRandomTree } from "../support/random_tree.ts";

const ROUNDS = 10;
const hasRsync = isThere("/usr/bin/rsync");
if (!hasRsync) console.log("skipped: no rsync on this machine");

for (const direction of ["push", "pull"] as const) {
  Deno.test({
    name: `${direction} --delete comes to the same tree as rsync -a --delete`,
    ignore: !hasRsync,
    fn: () =>
      withSeed(async (random) => {
        let moved = 0;
        for (let round = 0; round < ROUNDS; round++) {
          await using served = startServed({}, { allowOverwrite: true, allowRemove: true });
          using beside = temporaryDirectory();
          const there = `${served.root}/there`;
          const here = `${beside.path}/here`;
          const [from, to] = direction === "push" ? [here, there] : [there, here];
          makeRandomTree(random, from, 5 + random.below(60));
          await rsync(from, to);
          editRandomly(random, from, random.below(40));
          editRandomly(random, to, random.below(20));
          await rsync(to, `${beside.path}/rsynced`);
          await rsync(from, `${beside.path}/rsynced`);
          await using client = served.client();
          const options = { ifDifferent: "replace", isExact: true, removeMax: 1_000 } as const;
          const failures: string[] = [];
          const onFailed = (name: string, error: Error) => void failures.push(`${name}: ${error.message}`);
          const result = direction === "push"
            ? await pushTree(client, new LocalTree(here), "there", { ...options, onFailed })
            : await pullTree(client, "there", new LocalTree(here), { ...options, onFailed });
          assertEquals(failures, []);
          assertEquals(result.failed, 0);
          moved += result.moved;
          assertEquals(describeTree(to), describeTree(`${beside.path}/rsynced`), `round ${round}`);
        }
        assert(moved > 0, "of some hundred edits none was a move");
      }),
  });
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
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
