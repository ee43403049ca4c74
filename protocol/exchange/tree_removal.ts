/**
 * What a receiver has and was not told of: gathered while the tree is told, counted whole when all else is done, and
 * removed only then, if it is not more than was allowed. A directory counts with everything in it, which goes first.
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
  readonly isDryRun?: boolean | undefined;
  readonly isUnflushed?: boolean | undefined;
  readonly onFailed: (name: string, error: AppError) => void;
}

interface Extra {
  /** From the top of what is told. */
  readonly name: string;
  readonly isDirectory: boolean;
}

export class Removal {
  readonly #tree: FileTree;
  readonly #top: string;
  readonly #options: RemovalOptions;
  readonly #removeMax: number;
  readonly #countMax: number;
  readonly #extras: Extra[] = [];

  constructor(tree: FileTree, top: string, options: RemovalOptions) {
    const { removeMax = 0, asksSender } = options;
    this.#tree = tree;
    this.#top = top;
    this.#options = options;
    this.#removeMax = removeMax;
    this.#countMax = asksSender ? Math.max(removeMax, TREE_EXTRAS_MAX) : removeMax;
  }

  add(name: string, kind: FolderEntry["kind"]): void {
    // One more than may be is enough to know.
    if (this.#extras.length <= this.#countMax) this.#extras.push({ name, isDirectory: kind === "directory" });
  }

  /** Removes what was gathered, and tells both sides before; how many. Throws `too_many_removals`. */
  async settle(session: Session): Promise<number> {
    const { asksSender, isDryRun, onRemoved } = this.#options;
    let names = await this.#list();
    if (asksSender) names = withoutSpared(names, await askForSpared(session, names));
    if (names.length > this.#removeMax) throw this.#tooMany();
    for (const group of grouped(names)) session.send({ type: "extra", names: group });
    if (names.length > 0) onRemoved?.(names);
    return isDryRun ? names.length : await this.#remove(names);
  }

  /** All names, those in a directory before it. */
  async #list(): Promise<string[]> {
    const names: string[] = [];
    for (const { name, isDirectory } of this.#extras) {
      if (isDirectory) await this.#addContent(name, names);
      this.#push(names, name);
    }
    return names;
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

  async #addContent(name: string, names: string[]): Promise<void> {
    try {
      const folder = await this.#tree.folder(joinNames(this.#top, name));
      for await (const { entries } of folder.scan()) {
        for (const entry of entries) {
          const below = joinNames(name, entry.name);
          if (entry.kind === "directory") await this.#addContent(below, names);
          this.#push(names, below);
        }
      }
    } catch (error) {
      if (!(error instanceof AppError) || error.code === "too_many_removals") throw error;
      if (error.code !== "not_found") this.#options.onFailed(name, error); // somebody else has removed it: as good
    }
  }

  #push(names: string[], name: string): void {
    if (names.length >= this.#countMax) throw this.#tooMany();
    names.push(name);
  }

  #tooMany(): AppError {
    return new AppError("too_many_removals", `Nothing is removed: it would be more than ${this.#removeMax}`);
  }
}

async function askForSpared(session: Session, names: readonly string[]): Promise<Set<string>> {
  const spared = new Set<string>();
  for (const group of grouped(names)) {
    session.send({ type: "extra", names: group, asks: true });
    const message = await session.receive();
    if (message.type === "error") throw peerError(message);
    if (message.type !== "spare") throw new AppError("order", `"${message.type}" came instead of what is to stay`);
    for (const index of unpackIndices(message.indices)) if (index < group.length) spared.add(group[index]!);
  }
  return spared;
}

/** `names` without those that are spared, and without the directories that those are in. */
function withoutSpared(names: readonly string[], spared: ReadonlySet<string>): string[] {
  const kept = new Set<string>();
  for (const name of spared) {
    for (let at = name; at !== ""; at = splitName(at).directory) kept.add(at);
  }
  return names.filter((name) => !kept.has(name));
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
