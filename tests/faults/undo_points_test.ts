/**
 * A run that changes a tree, and its undo, stopped at every call to the system: an undo afterwards, in a process that
 * knows of nothing but what is on the disk, makes everything as it was before the run.
 */
import { lutimesSync } from "node:fs";
import { AppError } from "../../protocol/errors.ts";
import { keepIn } from "../../protocol/files/keep_in.ts";
import { LocalTree } from "../../protocol/files/local_tree.ts";
import type { FileTree } from "../../protocol/files/tree.ts";
import { undoLast } from "../../protocol/files/undo_last.ts";
import { put, removeIn } from "../files/trashed.ts";
import { TemporaryTree } from "../files/temporary_tree.ts";
import { assert, assertEquals, fail } from "../support/assert.ts";
import { describeTree } from "../support/random_tree.ts";
import { StoppingFileSystem } from "./stopping_file_system.ts";

/** The gate plays each fourth point. */
const STEP = Deno.env.get("FAULTS") === "full" ? 1 : 4;
const CALLS_MIN = 50;
const CALLS_MAX = 1_000;
const TAG = "0123456789abcdef";

function stage(): TemporaryTree {
  const temporary = new TemporaryTree();
  for (const name of ["old", "d/gone", "left", "kind"]) temporary.file(name, `${name} as it was`);
  Deno.chmodSync(temporary.at("old"), 0o640);
  Deno.symlinkSync("left", temporary.at("link"));
  for (const name of ["old", "d/gone", "left", "kind", "d", "link"]) {
    lutimesSync(temporary.at(name), 1_234_567, 1_234_567);
  }
  return temporary;
}

async function change(tree: FileTree): Promise<void> {
  const top = await tree.folder("");
  const [staged] = await top.stage([{ base: "old", bytes: new Uint8Array(9), facts: { mtimeMs: 5_000 } }]);
  if (staged instanceof AppError) throw staged;
  await top.publish([{
    base: "old",
    staged: staged!,
    ifTaken: "replace",
    replacedBytes: 13,
    sizeBytes: 9,
    mtimeMs: 5_000,
  }]);
  await put(tree, "left", "now", 6_000);
  await top.remove("kind");
  await top.makeDirectory("kind");
  await put(tree, "kind/new", "new", 7_000);
  await top.makeLink({ base: "link", target: "old", mtimeMs: 4_000 }, "replace");
  await removeIn(tree, "d", "gone");
  await top.remove("d");
}

async function run(tree: LocalTree): Promise<void> {
  await using keeping = keepIn(tree, "on", { directory: "", who: "me" });
  await change(keeping.tree);
}

async function undo(tree: LocalTree, tag?: string): Promise<void> {
  const failures: string[] = [];
  await undoLast(tree, { directory: "", who: "me", mayUndo: () => true }, {
    tag,
    onUndone: () => {},
    onFailed: (name, error) => failures.push(`${name}: ${error.message}`),
  });
  if (failures.length > 0) throw new AppError("failed", failures.join());
}

/** Does `work` stopped at each call in turn, and each time `look`. All points that fail are told together. */
async function stopEverywhere(
  kind: "fault" | "kill",
  prepare: (tree: LocalTree) => Promise<void>,
  work: (tree: LocalTree) => Promise<void>,
  look: (temporary: TemporaryTree) => Promise<void>,
): Promise<void> {
  const faults: string[] = [];
  let isOver = false;
  let stopAt = 0;
  while (!isOver) {
    stopAt += STEP;
    assert(stopAt < CALLS_MAX, "It never comes to its end");
    using temporary = stage();
    await prepare(temporary.tree);
    {
      using stopping = new StoppingFileSystem(stopAt, kind);
      const tree = new LocalTree(temporary.path, stopping.fs);
      stopping.begin();
      await work(tree).catch((error) => assert(error instanceof AppError, String(error)));
      isOver = !stopping.hasStopped;
    }
    try {
      await look(temporary);
    } catch (error) {
      faults.push(`at call ${stopAt}: ${String(error).replaceAll(/\n\s*/g, " ")}`);
    }
  }
  assert(stopAt > CALLS_MIN, `It makes only ${stopAt} calls`);
  if (faults.length > 0) fail(`It failed at ${faults.length} of ${stopAt} points:\n${faults.join("\n")}`);
}

const before = await (async () => {
  using temporary = stage();
  return await Promise.resolve(describeTree(temporary.path));
})();

for (const kind of ["fault", "kill"] as const) {
  Deno.test(`a run that stopped anywhere (${kind}) can be undone`, () =>
    stopEverywhere(kind, () => Promise.resolve(), run, async (temporary) => {
      await undo(new LocalTree(temporary.path)).catch((error) => {
        if (error.code !== "not_found") throw error; // it had not begun to change anything
      });
      assertEquals(describeTree(temporary.path), before);
    }));

  Deno.test(`an undo that stopped anywhere (${kind}) goes on when it is begun anew`, () =>
    stopEverywhere(kind, run, (tree) => undo(tree, TAG), async (temporary) => {
      await undo(new LocalTree(temporary.path), TAG);
      assertEquals(describeTree(temporary.path), before);
    }));
}
