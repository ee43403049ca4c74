/**
 * Times and bits of directories. Everything that is stored in a directory changes its time, so that is set when all that
 * is wanted in it is stored, or at the end where more may come; what would lock us out is set at the end, too.
 */
import { breathe } from "../breathe.ts";
import { AppError } from "../errors.ts";
import type { FileTree, Folder, StoredFacts } from "../files/tree.ts";
import { Queue } from "./queue.ts";
import { Adjustments } from "./tree_adjustments.ts";
import { type Directory, isNew } from "./tree_told.ts";
import { joinNames } from "./tree_walk.ts";

export interface TouchedOptions {
  readonly tree: FileTree;
  readonly top: string;
  readonly isExact: boolean;
  readonly isFlushed: boolean;
  /** Whether time and bits of that directory may be set. */
  readonly may: (directory: Directory) => boolean;
  readonly onFailed: (name: string, error: AppError) => void;
}

/** Who owns a directory without these cannot go on in it. */
const OWN_WAY = 0o700;

/** What the sender says of a directory. */
export type DirectoryFacts = Readonly<{ mtimeMs: number; mode: number }>;

export class TouchedDirectories {
  readonly #options: TouchedOptions;
  readonly #touched: Directory[] = [];
  /** Those that were told to their end, and the number of the last file that was wanted by then. */
  readonly #told = new Queue<{ readonly directory: Directory; readonly lastWanted: number }>();
  readonly #adjustments: Adjustments;

  constructor(options: TouchedOptions) {
    this.#options = options;
    this.#adjustments = new Adjustments(options);
  }

  /** Something in it changes, or it is to be changed itself. Without `isExact` only those that were made are set. */
  add(directory: Directory): void {
    if (directory.isTouched || !directory.parent || !this.#options.isExact && !isNew(directory)) return;
    directory.isTouched = true;
    this.#touched.push(directory);
  }

  /**
   * It was told to its end, and what is wanted in it has no higher number than `lastWanted`. Only those are remembered to
   * which something is known to happen: before the go-ahead there is no end of the others.
   */
  told(directory: Directory, lastWanted: number): void {
    if (directory.isTouched || isNew(directory)) this.#told.push({ directory, lastWanted });
  }

  /** Everything that was wanted is stored up to the number `stored`: sets those to which nothing comes any more. */
  async settle(stored: number): Promise<void> {
    for (let next = this.#told.at(0); next && next.lastWanted <= stored; next = this.#told.at(0)) {
      const { directory } = this.#told.shift()!;
      const locks = this.#options.isExact && directory.told && (directory.told.mode & OWN_WAY) !== OWN_WAY;
      if (directory.isTouched && !directory.isToChange && !locks) await this.#setOwn(directory);
    }
  }

  /** Sets the others; what is below goes first, and the top, if it is to be as `topFacts`, last. */
  async setAll(topFacts: DirectoryFacts | undefined): Promise<void> {
    this.#touched.sort((a, b) => b.name.length - a.name.length);
    for (const directory of this.#touched) if (directory.isTouched) await this.#setOwn(directory);
    if (topFacts && !await this.#isTop(topFacts)) await this.#set(".", "", topFacts, () => this.#folder(""));
    await this.#adjustments.commit();
  }

  async #setOwn(directory: Directory): Promise<void> {
    const { parent, told, name, state } = directory;
    directory.isTouched = false;
    if (!this.#options.isExact && !isNew(directory)) return; // somebody else made it meanwhile
    if (state === "awaited" || state === "blocked" || !this.#options.may(directory)) return;
    await this.#set(name, told!.name, told!, () => parent!.folder ?? this.#folder(parent!.name));
    await breathe();
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
