/**
 * A tree that is made like another one, stopped at every call to the system, of the receiver and of the sender: every
 * file is whole, as it was or as it is to be; what failed is told; and running it again makes the trees equal.
 */
import { AppError } from "../../protocol/errors.ts";
import { LocalTree } from "../../protocol/files/local_tree.ts";
import { PARTIAL_AGE_MAX_MS, PARTIAL_SILENCE_MAX_MS } from "../../protocol/limits.ts";
import { runTree } from "../exchange/trees.ts";
import { assert, assertEquals, fail } from "../support/assert.ts";
import { describeTop, describeTree } from "../support/random_tree.ts";
import { assertNothingHalf, mixedTrees } from "./mixed_trees.ts";
import { type StopKind, StoppingFileSystem } from "./stopping_file_system.ts";

/** The gate takes a sixth of the points, a kill others than a fault. */
const STRIDE = Deno.env.get("FAULTS") === "full" ? 1 : 6;
const CALLS_MIN = 50;
const CALLS_MAX = 1_000;
/** What is kept of a large file, to go on with. */
const PARTIAL = /\.app-partial-[0-9a-f]{16}(\.note)?$/;
const RECEIVING = { removeMax: 100 };

for (const side of ["receiver", "sender"] as const) {
  for (const [first, kind] of (["fault", "kill"] as const).entries()) {
    Deno.test(`a tree whose ${side} is stopped by a ${kind} has nothing half, and running it again completes it`, async () => {
      const faults: string[] = [];
      let isOver = false;
      let stopAt = first + 1;
      for (; !isOver; stopAt += STRIDE) {
        using stopping = new StoppingFileSystem(stopAt, kind);
        try {
          await play(side, kind, stopping);
        } catch (error) {
          const calls = stopping.calls.slice(Math.max(0, stopAt - 5), stopAt).join();
          faults.push(`at call ${stopAt}, behind ${calls}: ${String(error).replaceAll(/\n\s*/g, " ")}`);
        }
        isOver = !stopping.hasStopped;
        assert(stopAt <= CALLS_MAX, "It never comes to its end");
      }
      assert(stopAt > CALLS_MIN, `${stopAt} calls are fewer than it can do with`);
      if (faults.length > 0) fail(`It failed at ${faults.length} of ${stopAt} points:\n${faults.join("\n")}`);
    });
  }
}

async function play(side: "receiver" | "sender", kind: StopKind, stopping: StoppingFileSystem): Promise<void> {
  using trees = mixedTrees();
  const { from, to } = trees;
  const wanted = describeTree(from.path);
  const before = describeTree(to.path);
  const stopped = { tree: new LocalTree((side === "receiver" ? to : from).path, stopping.fs) };
  const ends = side === "receiver" ? { from, to: stopped } : { from: stopped, to };
  stopping.begin();
  const { received, sent } = await runTree({ ...ends, receiving: RECEIVING });
  const there = describeTree(to.path);
  assertNothingHalf(there, before, wanted);
  const isDone = [received, sent].every((end) => !(end instanceof AppError) && end.failed === 0);
  if (isDone) assertEquals(there, wanted, "it said that it was done");
  if (kind === "fault") {
    assertEquals([stopping.openCount, to.reserved().filter((name) => !PARTIAL.test(name))], [0, []]);
  }
  stopping[Symbol.dispose]();
  const again = await asNewProcess(kind, () => runTree({ from, to, receiving: RECEIVING }));
  assertEquals([again.sendFailures, again.receiveFailures], [[], []]);
  assertEquals(describeTree(to.path), wanted, "the next run");
  assertEquals(describeTop(to.path), describeTop(from.path), "the top");
  await sweepLater(to.tree);
  assertEquals(to.reserved(), []);
}

/** Runs `body`; after a kill as another process would, in which nobody writes anything. */
async function asNewProcess<T>(kind: StopKind, body: () => Promise<T>): Promise<T> {
  const now = performance.now;
  if (kind === "kill") performance.now = () => now.call(performance) + 2 * PARTIAL_SILENCE_MAX_MS;
  try {
    return await body();
  } finally {
    performance.now = now;
  }
}

/** Sweeps, when everything of ours is as old as a sweep wants it. */
async function sweepLater(tree: LocalTree): Promise<void> {
  const now = Date.now;
  Date.now = () => now() + 2 * PARTIAL_AGE_MAX_MS;
  try {
    await tree.sweep();
  } finally {
    Date.now = now;
  }
}
