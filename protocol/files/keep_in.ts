/** Receiving a tree so that it can be undone: the run in the trash, from its begin to its end. */
import { AppError } from "../errors.ts";
import { KeepingTree } from "./keeping_tree.ts";
import type { RunFacts, RunOptions, Trash } from "./trash.ts";
import type { FileTree } from "./tree.ts";

/** The tree to change, and what to do when that is done; without a run nothing. Dispose of it at the end of the run. */
export interface KeepingRun extends AsyncDisposable {
  readonly tree: FileTree;
  /** How much of what is replaced or removed may be kept. */
  readonly keepableBytes: (() => Promise<number>) | undefined;
  /** Ends the run; how many were replaced or removed that could not be kept. */
  readonly settle: (() => Promise<number>) | undefined;
}

/** `choice`: `on` does not replace what cannot be kept, `auto` does. Throws `no_trash` for a tree without one. */
export function keepIn(
  tree: FileTree,
  choice: "off" | "auto" | "on",
  { directory, who, ...options }: RunFacts & Omit<RunOptions, "isStrict" | "onChanged">,
): KeepingRun {
  const { trash } = tree;
  if (choice === "on" && !trash) {
    throw new AppError("no_trash", "Nothing is done: what it replaces cannot be kept there");
  }
  if (choice === "off" || !trash) {
    return { tree, keepableBytes: undefined, settle: undefined, [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  const run = trash.begin({ directory, who }, { ...options, isStrict: choice === "on" });
  const end = async () => {
    if (await run.close()) await sweepQuietly(trash);
  };
  return {
    tree: new KeepingTree(tree, run),
    keepableBytes: () => run.keepableBytes(),
    async settle() {
      await end(); // before anybody is told that it is over, so that it can be undone then
      return run.unkept;
    },
    [Symbol.asyncDispose]: end,
  };
}

/** What cannot be removed now can be later. */
export async function sweepQuietly(trash: Trash): Promise<void> {
  try {
    await trash.sweep();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
  }
}
