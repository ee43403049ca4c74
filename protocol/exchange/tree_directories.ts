/** Times and bits of directories: set last, since everything that is stored in a directory changes its time. */
import { breathe } from "../breathe.ts";
import { AppError } from "../errors.ts";
import type { FileTree } from "../files/tree.ts";
import type { Directory } from "./tree_told.ts";
import { joinNames } from "./tree_walk.ts";

export interface TouchedOptions {
  readonly tree: FileTree;
  readonly top: string;
  readonly isExact: boolean;
  readonly onFailed: (name: string, error: AppError) => void;
}

export class TouchedDirectories {
  readonly #options: TouchedOptions;
  readonly #touched: Directory[] = [];

  constructor(options: TouchedOptions) {
    this.#options = options;
  }

  /** Something in it changes, or it is to be changed itself. Without `isExact` only those that were made are set. */
  add(directory: Directory): void {
    if (directory.isTouched || !directory.parent || !this.#options.isExact && !directory.isMade) return;
    directory.isTouched = true;
    this.#touched.push(directory);
  }

  /** Sets all of them that `may` be; what is below goes first. */
  async set(may: (directory: Directory) => boolean): Promise<void> {
    const { tree, top, isExact, onFailed } = this.#options;
    this.#touched.sort((a, b) => b.name.length - a.name.length);
    for (const directory of this.#touched) {
      if (!may(directory)) continue;
      const { name, mtimeMs, mode } = directory.told!;
      try {
        const folder = directory.parent!.folder ?? await tree.folder(joinNames(top, directory.parent!.name));
        await folder.adjust(name, { mtimeMs, permissions: isExact ? mode : undefined });
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        onFailed(directory.name, error);
      }
      await breathe();
    }
  }
}
