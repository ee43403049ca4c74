/** What is there while a run is taken back; where that is only tried, as it would be by then. */
import { AppError } from "../errors.ts";
import { quoteName } from "../escape.ts";
import { splitName } from "../names.ts";
import type { TrashFacts } from "./trash.ts";
import { factsOf } from "./trash_deeds.ts";
import type { FileTree, Folder } from "./tree.ts";

export class UndoView {
  readonly tree: FileTree;
  /** What would be under a name by now; `undefined` for nothing. */
  readonly #pretended: Map<string, TrashFacts | undefined> | undefined;
  #folder: Folder | undefined;

  constructor(tree: FileTree, isDryRun: boolean) {
    this.tree = tree;
    this.#pretended = isDryRun ? new Map() : undefined;
  }

  /** The directory; the last one is remembered. */
  async folder(name: string): Promise<Folder> {
    return this.#folder?.name === name ? this.#folder : this.#folder = await this.tree.folder(name);
  }

  async look(name: string): Promise<TrashFacts | undefined> {
    if (this.#pretended?.has(name)) return this.#pretended.get(name);
    const { directory, base } = splitName(name);
    try {
      const entry = await (await this.folder(directory)).look(base || ".");
      return entry && factsOf(entry);
    } catch (error) {
      this.#folder = undefined;
      if (error instanceof AppError && GONE.has(error.code)) return undefined;
      throw error;
    }
  }

  /** From here on it is as if `name` had become that. */
  pretend<Action>(action: Action, name: string, facts: TrashFacts | undefined): Action {
    this.#pretended!.set(name, facts);
    return action;
  }

  /** Throws `not_empty`. */
  async verifyEmpty(name: string): Promise<void> {
    const folder = await this.tree.folder(name);
    for await (const { entries, unusable } of folder.scan()) {
      let isEmpty = unusable.length === 0;
      for (const { name: base } of entries) isEmpty &&= !await this.look(`${name}/${base}`);
      if (isEmpty) continue;
      throw new AppError("not_empty", `${quoteName(name)} is left as it is: something was put into it since`);
    }
  }
}

/** Not even its directory is there, or that is none now. */
const GONE: ReadonlySet<string> = new Set(["not_found", "not_a_directory"]);

/** Whether what is there is what was noted. Bits do not count: they may be changed without its content. */
export function isAsLeft(there: TrashFacts, noted: TrashFacts): boolean {
  if (there.kind !== noted.kind) return false;
  if (there.kind === "link") return there.target === noted.target;
  if (there.kind !== "file") return true;
  return there.sizeBytes === noted.sizeBytes && (noted.mtimeMs === undefined || there.mtimeMs === noted.mtimeMs);
}

/** Whether it is a file that got another time and other bits, or is about to get them. */
export function isBetween(there: TrashFacts, was: TrashFacts, now: TrashFacts): boolean {
  const hasTime = there.mtimeMs === was.mtimeMs || there.mtimeMs === now.mtimeMs;
  const hasMode = there.mode === was.mode || there.mode === now.mode;
  return there.kind === was.kind && there.sizeBytes === was.sizeBytes && hasTime && hasMode;
}
