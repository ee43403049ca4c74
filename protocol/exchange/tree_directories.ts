/** Times and bits of directories: set last, since everything that is stored in a directory changes its time. */
import { breathe } from "../breathe.ts";
import { AppError } from "../errors.ts";
import type { FileTree, Folder, StoredFacts } from "../files/tree.ts";
import { Adjustments } from "./tree_adjustments.ts";
import type { Directory } from "./tree_told.ts";
import { joinNames } from "./tree_walk.ts";

export interface TouchedOptions {
  readonly tree: FileTree;
  readonly top: string;
  readonly isExact: boolean;
  readonly isFlushed: boolean;
  readonly onFailed: (name: string, error: AppError) => void;
}

/** What the sender says of a directory. */
export type DirectoryFacts = Readonly<{ mtimeMs: number; mode: number }>;

export class TouchedDirectories {
  readonly #options: TouchedOptions;
  readonly #touched: Directory[] = [];
  readonly #adjustments: Adjustments;

  constructor(options: TouchedOptions) {
    this.#options = options;
    this.#adjustments = new Adjustments(options);
  }

  /** Something in it changes, or it is to be changed itself. Without `isExact` only those that were made are set. */
  add(directory: Directory): void {
    if (directory.isTouched || !directory.parent || !this.#options.isExact && !directory.isMade) return;
    directory.isTouched = true;
    this.#touched.push(directory);
  }

  /** Sets all of them that `may` be; what is below goes first, and the top, if it is to be as `topFacts`, last. */
  async set(may: (directory: Directory) => boolean, topFacts: DirectoryFacts | undefined): Promise<void> {
    this.#touched.sort((a, b) => b.name.length - a.name.length);
    for (const directory of this.#touched) {
      if (!directory.isThere || !may(directory)) continue;
      const { parent, told, name } = directory;
      await this.#set(name, told!.name, told!, () => parent!.folder ?? this.#folder(parent!.name));
      await breathe();
    }
    if (topFacts && !await this.#isTop(topFacts)) await this.#set(".", "", topFacts, () => this.#folder(""));
    await this.#adjustments.commit();
  }

  async #set(
    name: string,
    base: string,
    { mtimeMs, mode }: DirectoryFacts,
    folderOf: () => Folder | Promise<Folder>,
  ): Promise<void> {
    const facts: Partial<StoredFacts> = { mtimeMs, permissions: this.#options.isExact ? mode : undefined };
    try {
      await this.#adjustments.add({ folder: await folderOf(), base, facts, expected: "directory", name });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      this.#options.onFailed(name, error);
    }
  }

  async #isTop({ mtimeMs, mode }: DirectoryFacts): Promise<boolean> {
    const own = await this.#options.tree.stat(this.#options.top);
    return own.mtimeMs === mtimeMs && own.mode === mode;
  }

  async #folder(name: string): Promise<Folder> {
    const { tree, top } = this.#options;
    return await tree.folder(joinNames(top, name));
  }
}
