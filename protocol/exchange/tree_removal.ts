/**
 * What a receiver has and was not told of: gathered while the tree is told, listed whole behind that, and removed when all
 * else is done, if it is not more than was allowed. A directory counts with everything in it, which goes first. Files
 * that were moved do not count, nor do directories out of which everything was.
 */
import { breathe } from "../breathe.ts";
import { AppError } from "../errors.ts";
import type { FileTree, Folder, FolderEntry } from "../files/tree.ts";
import { TREE_EXTRAS_MAX, TREE_MESSAGE_BYTES_MAX } from "../limits.ts";
import { splitName } from "../names.ts";
import { unpackIndices } from "../wire/plan_actions.ts";
import type { Session } from "./session.ts";
import { peerError } from "./transfer.ts";
import { flushIfThere } from "./tree_group.ts";
import type { TreeEvents } from "./tree_report.ts";
import { joinNames } from "./tree_walk.ts";

export interface RemovalOptions extends Pick<TreeEvents, "onRemoved"> {
  readonly removeMax?: number | undefined;
  /** The sender is asked which of them are to stay. */
  readonly asksSender?: boolean | undefined;
  /** Which of them are to stay, as far as this side knows. */
  readonly excludes?: ((name: string, isDirectory: boolean) => boolean) | undefined;
  readonly isDryRun?: boolean | undefined;
  readonly isUnflushed?: boolean | undefined;
  readonly onFailed: (name: string, error: AppError) => void;
}

/** What is only here. */
export interface Extra {
  /** From the top of what is told. */
  readonly name: string;
  readonly entry: FolderEntry;
}

export class Removal {
  readonly #tree: FileTree;
  readonly #top: string;
  readonly #options: RemovalOptions;
  readonly #removeMax: number;
  /** So many are listed, since some of them may stay, or be moved. */
  readonly #listMax: number;
  readonly #extras: Extra[] = [];
  readonly #sizes = new Set<number>();
  #hasDirectory = false;

  constructor(tree: FileTree, top: string, options: RemovalOptions) {
    const { removeMax = 0 } = options;
    this.#tree = tree;
    this.#top = top;
    this.#options = options;
    this.#removeMax = removeMax;
    this.#listMax = Math.max(removeMax, TREE_EXTRAS_MAX);
  }

  add(name: string, entry: FolderEntry): void {
    // One more than may be is enough to know.
    if (this.#extras.length > this.#listMax) return;
    this.#extras.push({ name, entry });
    this.#hasDirectory ||= entry.kind === "directory";
    if (entry.kind === "file") this.#sizes.add(entry.sizeBytes);
  }

  /** Whether a file of that size may be among what was gathered. */
  mayHave(sizeBytes: number): boolean {
    return this.#hasDirectory || this.#sizes.has(sizeBytes);
  }

  /**
   * All that would go, what is in a directory before it. `movesMax`: so many of them may be moved instead. Throws
   * `too_many_removals`.
   */
  async list(session: Session, movesMax: number): Promise<Extra[]> {
    const { asksSender, excludes } = this.#options;
    const max = asksSender || excludes || movesMax > 0 ? this.#listMax : this.#removeMax;
    const all: Extra[] = [];
    for (const extra of this.#extras) {
      if (extra.entry.kind === "directory") await this.#addContent(extra.name, all, max);
      this.#push(all, extra, max);
    }
    const spared = asksSender ? await askForSpared(session, all) : new Set<string>();
    for (const { name, entry } of all) if (excludes?.(name, entry.kind === "directory")) spared.add(name);
    const listed = spared.size > 0 ? withoutSpared(all, spared) : all;
    const files = listed.reduce((count, { entry }) => entry.kind === "directory" ? count : count + 1, 0);
    if (files > this.#removeMax + movesMax) throw this.#tooMany(); // whatever is moved
    return listed;
  }

  /** Throws `too_many_removals` if more than may be go away for good when those that are `moved` do not. */
  verifyCount(extras: readonly Extra[], moved: ReadonlySet<Extra>): void {
    if (countRemoved(extras, moved) > this.#removeMax) throw this.#tooMany();
  }

  /** Removes them, and tells both sides before; how many. */
  async settle(session: Session, extras: readonly Extra[]): Promise<number> {
    const { isDryRun, onRemoved } = this.#options;
    const names = extras.map(({ name }) => name);
    for (const group of grouped(names)) session.send({ type: "extra", names: group });
    if (names.length > 0) onRemoved?.(names);
    return isDryRun ? names.length : await this.#remove(names);
  }

  async #remove(names: readonly string[]): Promise<number> {
    let removed = 0;
    let folder: Folder | undefined;
    for (const name of names) {
      const { directory, base } = splitName(joinNames(this.#top, name));
      try {
        if (folder?.name !== directory) {
          await this.#flush(folder);
          folder = await this.#tree.folder(directory);
        }
        await folder.remove(base);
        removed++;
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        if (error.code !== "not_found") this.#options.onFailed(name, error);
      }
      await breathe();
    }
    await this.#flush(folder);
    return removed;
  }

  async #flush(folder: Folder | undefined): Promise<void> {
    if (folder && !this.#options.isUnflushed) await flushIfThere(folder);
  }

  async #addContent(name: string, all: Extra[], max: number): Promise<void> {
    try {
      const folder = await this.#tree.folder(joinNames(this.#top, name));
      for await (const { entries } of folder.scan()) {
        for (const entry of entries) {
          const below = joinNames(name, entry.name);
          if (entry.kind === "directory") await this.#addContent(below, all, max);
          this.#push(all, { name: below, entry }, max);
        }
      }
    } catch (error) {
      if (!(error instanceof AppError) || error.code === "too_many_removals") throw error;
      if (error.code !== "not_found") this.#options.onFailed(name, error); // somebody else has removed it: as good
    }
  }

  #push(all: Extra[], extra: Extra, max: number): void {
    if (all.length >= max) throw this.#tooMany();
    all.push(extra);
  }

  #tooMany(): AppError {
    return new AppError("too_many_removals", `Nothing is removed: it would be more than ${this.#removeMax}`);
  }
}

async function askForSpared(session: Session, extras: readonly Extra[]): Promise<Set<string>> {
  const spared = new Set<string>();
  for (const group of grouped(extras.map(({ name }) => name))) {
    session.send({ type: "extra", names: group, asks: true });
    const message = await session.receive();
    if (message.type === "error") throw peerError(message);
    if (message.type !== "spare") throw new AppError("order", `"${message.type}" came instead of what is to stay`);
    for (const index of unpackIndices(message.indices)) if (index < group.length) spared.add(group[index]!);
  }
  return spared;
}

/** `extras` without those that are spared, and without the directories that those are in. */
function withoutSpared(extras: readonly Extra[], spared: ReadonlySet<string>): Extra[] {
  const kept = new Set<string>();
  for (const name of spared) {
    for (let at = name; at !== ""; at = splitName(at).directory) kept.add(at);
  }
  return extras.filter(({ name }) => !kept.has(name));
}

/** How many go away for good: neither moved, nor a directory out of which everything was. */
function countRemoved(extras: readonly Extra[], moved: ReadonlySet<Extra>): number {
  const emptied = new Set<string>();
  const kept = new Set<string>();
  let count = 0;
  for (const extra of extras) {
    const { directory } = splitName(extra.name);
    const isEmptied = emptied.has(extra.name) && !kept.has(extra.name);
    if (moved.has(extra) || isEmptied) emptied.add(directory);
    else {
      kept.add(directory);
      count++;
    }
  }
  return count;
}

/** Names in groups that fit into one message. */
function* grouped(names: readonly string[]): Generator<string[]> {
  let group: string[] = [];
  let bytes = 0;
  for (const name of names) {
    bytes += 3 * name.length + 3;
    if (bytes > TREE_MESSAGE_BYTES_MAX && group.length > 0) {
      yield group;
      group = [];
      bytes = 3 * name.length + 3;
    }
    group.push(name);
  }
  if (group.length > 0) yield group;
}
