/**
 * Times and bits of what is there already: set in the order in which they were added, several on one visit to their
 * folder, and then written to the disk together, since one by one a disk takes ten times as long.
 */
import { breathe } from "../breathe.ts";
import { AppError } from "../errors.ts";
import type { Adjusted, Change, Folder } from "../files/tree.ts";
import { byFolder } from "./tree_group.ts";

/** So many are held open until they are flushed. */
const CHANGES_MAX = 64;

export interface FolderChange extends Change {
  readonly folder: Folder;
  /** What is told if it fails. */
  readonly name: string;
}

export interface AdjustmentsOptions {
  readonly isFlushed: boolean;
  readonly onFailed: (name: string, error: AppError) => void;
}

export class Adjustments {
  readonly #options: AdjustmentsOptions;
  #changes: FolderChange[] = [];

  constructor(options: AdjustmentsOptions) {
    this.#options = options;
  }

  /** Sets it now or later; all are set and durable behind `commit`. */
  add(change: FolderChange): void | Promise<void> {
    this.#changes.push({ ...change, isUnflushed: !this.#options.isFlushed });
    if (this.#changes.length >= CHANGES_MAX) return this.commit();
  }

  async commit(): Promise<void> {
    const adjusted: { readonly name: string; readonly adjusted: Adjusted }[] = [];
    try {
      for (const run of byFolder(this.#changes.splice(0), ({ folder }) => folder)) {
        const results = await run[0]!.folder.adjust(run);
        results.forEach((result, index) => {
          const { name } = run[index]!;
          if (result instanceof AppError) this.#options.onFailed(name, result);
          else adjusted.push({ name, adjusted: result });
        });
        await breathe();
      }
      if (this.#options.isFlushed) await Promise.all(adjusted.map((each) => this.#flush(each.name, each.adjusted)));
    } finally {
      for (const each of adjusted) await each.adjusted.release();
    }
  }

  async #flush(name: string, adjusted: Adjusted): Promise<void> {
    try {
      await adjusted.flush();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      this.#options.onFailed(name, error);
    }
  }
}
