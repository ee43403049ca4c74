/**
 * What a receiver is told, beside what it has: which directory's turn it is, and for each entry ours of the same name.
 * Both sides walk in the same order, so no directory is named; this is where a sender that does not is found out.
 */
import type { Awaitable } from "../awaitable.ts";
import { AppError } from "../errors.ts";
import { quoteName } from "../escape.ts";
import type { FileTree, Folder, FolderEntry } from "../files/tree.ts";
import { compareNames, nameFault, targetFault } from "../names.ts";
import type { ToldEntry } from "../wire/entry_batch.ts";
import { OwnEntries } from "./tree_own.ts";
import { joinNames, NAME_LENGTH_SAFE } from "./tree_walk.ts";

/**
 * What a directory is to us:
 *
 * - `there`: from before, or made by somebody else before it is told of: what is in it counts;
 * - `awaited`: to be made, or only said to be in a dry run, and `made`: nothing is in it;
 * - `found`: made by somebody else after entries of it were considered as if nothing were there;
 * - `blocked`: nothing in it is looked at.
 */
export type DirectoryState = "there" | "awaited" | "made" | "found" | "blocked";

/** A directory that is told of, and ours of that name. */
export interface Directory {
  /** From the top of what is told. */
  readonly name: string;
  readonly parent: Directory | undefined;
  readonly told: ToldEntry | undefined;
  state: DirectoryState;
  /** Ours, as it was seen. */
  readonly seen?: FolderEntry | undefined;
  /** Open from the time that it is told of, or made. */
  folder: Folder | undefined;
  /** Its time and bits are to be set. */
  isTouched: boolean;
  /** Something in it goes at the end, which changes its time once more. */
  isToChange?: boolean;
}

/** An entry of a directory. */
export interface Place {
  readonly number: number;
  readonly directory: Directory;
  readonly told: ToldEntry;
  /** From the top of what is told. */
  readonly name: string;
}

export interface ToldWalkOptions {
  readonly tree: FileTree;
  /** Below which directory of it the tree is stored. */
  readonly top: string;
  /** Told of what we have and the sender does not. */
  readonly onExtra: (directory: Directory, extra: FolderEntry) => void;
  readonly onFailed: (name: string, error: AppError) => void;
}

export class ToldWalk {
  readonly #options: ToldWalkOptions;
  /** Directories that are still to be told, the next one at the end. */
  readonly #stack: Directory[] = [];
  #current: Directory | undefined;
  #own: OwnEntries | undefined;
  #children: Directory[] = [];
  #lastName: string | undefined;
  #count = 0;
  /** How many directories on the stack are ours, too. */
  #ownAhead = 0;

  constructor(options: ToldWalkOptions) {
    this.#options = options;
  }

  /** Call it before anything is told. `isThere`: whether the top is, which is returned; else it is to be made. */
  start(isThere: boolean): Directory {
    const state = isThere ? "there" : "awaited";
    const rest = { parent: undefined, told: undefined, folder: undefined, isTouched: false };
    const top: Directory = { name: "", state, ...rest };
    this.#stack.push(top);
    if (isThere) this.#ownAhead++;
    return top;
  }

  /** `directory`, which was awaited, is made: by us, or by somebody else, as we found out only then. */
  async openMade(directory: Directory, by: "us" | "somebody else"): Promise<void> {
    await this.#open(directory);
    const isToCome = this.#stack.includes(directory) || this.#children.includes(directory);
    directory.state = by === "us" ? "made" : isToCome ? "there" : "found";
    if (directory.state === "there") this.#ownAhead++;
  }

  /** How many entries were told. */
  get count(): number {
    return this.#count;
  }

  /** Whether all that is ours was walked, so that nothing is left of which the sender may not tell. */
  get isOwnOver(): boolean {
    return this.#ownAhead === 0 && (!this.#own || this.#own.isOver);
  }

  /** Whether every directory was told to its end. */
  get isOver(): boolean {
    return this.#stack.length === 0 && !this.#current;
  }

  /** The directory whose turn it is. Throws `order` when there is none any more. */
  async current(): Promise<Directory> {
    return this.#current ??= await this.#enterNext();
  }

  /**
   * Where the next entry of `directory` stands. Throws `malformed` for a sender that does not keep to the rules: what it
   * says next is worth nothing either.
   */
  next(directory: Directory, told: ToldEntry): Place {
    const { name, kind, target } = told;
    if (this.#lastName !== undefined && compareNames(this.#lastName, name) >= 0) {
      throw new AppError("malformed", `The sender told of ${quoteName(name)} out of order`);
    }
    const fault = name.includes("/") ? "it has a slash" : nameFault(name) ?? nameFaultOfWhole(directory.name, name);
    if (fault && kind !== "other") {
      throw new AppError("malformed", `The sender told of a name that it may not: ${fault}`);
    }
    const wrong = kind === "link" ? targetFault(directory.name, target ?? "") : undefined;
    if (wrong) throw new AppError("malformed", `The sender told of a link that it may not: ${wrong}`);
    this.#lastName = name;
    return { number: this.#count++, directory, told, name: joinNames(directory.name, name) };
  }

  /** Ours of that name, and notes those before it, which were not told. Waits only where ours have to be looked up. */
  own({ directory, told }: Place): Awaitable<FolderEntry | undefined> {
    return this.#ownUpTo(directory, told.name);
  }

  /** A directory that was told of, to be told from in its turn. */
  addChild({ directory, told, name }: Place, state: DirectoryState, seen?: FolderEntry): Directory {
    const child: Directory = { name, parent: directory, told, state, seen, folder: undefined, isTouched: false };
    this.#children.push(child);
    if (state === "there") this.#ownAhead++;
    return child;
  }

  /** `directory` was told to its end; what is left of ours was not told, and if it `isUnknown`, nothing follows from that. */
  async finish(directory: Directory, isUnknown: boolean): Promise<void> {
    if (!isUnknown) await this.#ownUpTo(directory, undefined);
    for (let child = this.#children.pop(); child; child = this.#children.pop()) this.#stack.push(child);
    this.#own = this.#current = undefined;
  }

  async #enterNext(): Promise<Directory> {
    const directory = this.#stack.pop();
    if (!directory) throw new AppError("order", "The sender told of a directory that nobody knows");
    this.#lastName = undefined;
    const isOurs = directory.state === "there";
    if (isOurs) this.#ownAhead--;
    if (!isOurs && directory.state !== "made") return directory;
    try {
      if (!directory.folder) await this.#open(directory);
      if (isOurs) this.#own = await OwnEntries.open(directory.folder!);
    } catch (error) {
      if (!(error instanceof AppError) || directory.name === "") throw error;
      directory.state = "blocked";
      this.#options.onFailed(directory.name, error);
    }
    return directory;
  }

  async #open(directory: Directory): Promise<void> {
    const { tree, top } = this.#options;
    const { name, parent, told, seen } = directory;
    directory.folder =
      await (parent?.folder ? parent.folder.folder(told!.name, seen) : tree.folder(joinNames(top, name)));
  }

  /** All that are left, without a name. */
  #ownUpTo(directory: Directory, name: string | undefined): Awaitable<FolderEntry | undefined> {
    const own = this.#own;
    if (!own) return;
    while (!own.isUnfilled) {
      const { first } = own;
      const order = first && name !== undefined ? compareNames(first.name, name) : -1;
      if (!first || order > 0) return;
      own.take();
      if (order === 0) return first;
      this.#options.onExtra(directory, first);
    }
    return own.fill().then(() => this.#ownUpTo(directory, name));
  }
}

/** Where an entry is to be stored. Throws if that directory was to be made and could not be. */
export function folderOf({ directory: { folder }, name }: Place): Folder {
  if (folder) return folder;
  throw notMade(name);
}

/** The error for an entry of a directory that could not be made. */
export function notMade(name: string): AppError {
  return new AppError("not_found", `Cannot store ${quoteName(name)}: its directory could not be made`);
}

/** Whether nothing is in it but what we store there. */
export function isNew({ state }: Directory): boolean {
  return state === "awaited" || state === "made";
}

/** A whole name that cannot be too long is not looked at. */
function nameFaultOfWhole(directory: string, base: string): string | undefined {
  return directory.length + base.length < NAME_LENGTH_SAFE ? undefined : nameFault(joinNames(directory, base));
}
