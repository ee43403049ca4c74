/** Undoing as a whole: which run it is, taking it back, and what becomes of the trash. */
import { AppError } from "../errors.ts";
import { sweepQuietly } from "./keep_in.ts";
import type { RunOptions, UndoFacts } from "./trash.ts";
import type { FileTree } from "./tree.ts";
import { type UndoOptions, undoRun } from "./undoing.ts";

/**
 * Takes the last run in a directory back; how many names failed. One that is not taken back whole goes on the next time.
 * Throws `not_found` when there is nothing to undo, and `busy` while that run is under way.
 */
export async function undoLast(
  tree: FileTree,
  facts: UndoFacts,
  options: UndoOptions & Pick<RunOptions, "tag">,
): Promise<number> {
  const { trash } = tree;
  if (!trash) throw new AppError("not_found", "There is nothing to undo: nothing is kept there");
  const { isUnflushed, tag } = options;
  let failed = 0;
  {
    await using undoing = await trash.undo(facts, { isStrict: true, isUnflushed, tag });
    const { past, run, isUndone } = undoing;
    options.onBegun?.(past);
    if (!run && !facts.isDryRun) return 0; // an attempt before this one has done it, and its answer was lost
    let isWhole = false;
    try {
      failed = await undoRun(tree, past, run, { ...options, isUndone });
      isWhole = failed === 0;
    } finally {
      await run?.close(isWhole);
    }
    if (run && isWhole) past.finish();
  }
  if (!facts.isDryRun) await sweepQuietly(trash);
  return failed;
}
