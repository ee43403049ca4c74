/**
 * A tree of which every change is noted in a run of its trash before it is made, and what goes away by it kept. What
 * cannot be kept is not done, where the run is strict.
 */
import { AppError, hasCode } from "../errors.ts";
import { quoteName } from "../escape.ts";
import { ANY_NAMES, type NameRules } from "../name_rules.ts";
import { splitName } from "../names.ts";
import { KeepingFolder, orThrow } from "./keeping_folder.ts";
import type { TrashRun } from "./trash.ts";
import { factsOf } from "./trash_deeds.ts";
import type { Batch, Draft, Entry, FileFacts, FileTree, Folder, IfTaken, Room, Source, Space, Usage } from "./tree.ts";

export class KeepingTree implements FileTree {
  readonly #tree: FileTree;
  readonly #run: TrashRun;

  constructor(tree: FileTree, run: TrashRun) {
    this.#tree = tree;
    this.#run = run;
  }

  async folder(name: string): Promise<Folder> {
    return new KeepingFolder(await this.#tree.folder(name), this.#run);
  }

  list(directory: string, options: { all: boolean; namesMax?: number }): AsyncIterable<Batch> {
    return this.#tree.list(directory, options);
  }

  stat(name: string): Entry | Promise<Entry> {
    return this.#tree.stat(name);
  }

  open(name: string): Source | Promise<Source> {
    return this.#tree.open(name);
  }

  async create(name: string, facts: FileFacts, ifTaken: IfTaken): Promise<Draft> {
    orThrow(await this.#run.touch(splitName(name).directory));
    const draft = await this.#tree.create(name, facts, ifTaken);
    return new KeepingDraft(draft, () => this.#keepFor(name, facts, ifTaken));
  }

  /** Each of those that are missing is noted. */
  async makeDirectory(name: string): Promise<void> {
    const parts = name.split("/");
    for (let count = 1; count <= parts.length; count++) {
      const missing = parts.slice(0, count).join("/");
      if (await this.#isThere(missing)) continue;
      const { directory, base } = splitName(missing);
      orThrow((await this.#run.keep(directory, [{ do: "make", base }]))[0]!);
      await this.#tree.makeDirectory(missing);
    }
  }

  async move(from: string, to: string, ifTaken: IfTaken): Promise<string> {
    const { directory, base } = splitName(to);
    const old = splitName(from);
    const entry = await (await this.#tree.folder(old.directory)).look(old.base);
    if (!entry) throw new AppError("not_found", `Cannot move ${quoteName(from)}: there is nothing of that name`);
    orThrow(await this.#run.touch(old.directory));
    orThrow((await this.#run.keep(directory, [{ do: "move", base, from, now: factsOf(entry) }]))[0]!);
    return await this.#tree.move(from, to, ifTaken);
  }

  async remove(name: string): Promise<void> {
    const { directory, base } = splitName(name);
    const result = orThrow((await this.#run.keep(directory, [{ do: "remove", base }]))[0]!);
    if (result !== "moved") await this.#tree.remove(name);
  }

  usage(signal?: AbortSignal): Promise<Usage> {
    return this.#tree.usage!(signal);
  }

  space(directory: string): Space | undefined | Promise<Space | undefined> {
    return this.#tree.space?.(directory);
  }

  async room(directory: string): Promise<Room> {
    return await this.#tree.room?.(directory) ?? {};
  }

  async nameRules(directory: string): Promise<NameRules> {
    return await this.#tree.nameRules?.(directory) ?? ANY_NAMES;
  }

  async #keepFor(name: string, { sizeBytes, mtimeMs }: FileFacts, ifTaken: IfTaken): Promise<void> {
    const { directory, base } = splitName(name);
    const now = { kind: "file", sizeBytes, mtimeMs } as const;
    orThrow((await this.#run.keep(directory, [{ do: "store", base, now, isNew: ifTaken !== "replace" }]))[0]!);
  }

  async #isThere(name: string): Promise<boolean> {
    try {
      await this.#tree.folder(name);
      return true;
    } catch (error) {
      if (hasCode(error, "not_found")) return false;
      throw error;
    }
  }
}

/** A file that replaces another one only when that is kept. */
class KeepingDraft implements Draft {
  readonly #draft: Draft;
  readonly #keep: () => Promise<void>;

  constructor(draft: Draft, keep: () => Promise<void>) {
    this.#draft = draft;
    this.#keep = keep;
  }

  get heldBlocks(): number {
    return this.#draft.heldBlocks;
  }

  get restarted(): boolean {
    return this.#draft.restarted;
  }

  get old(): Draft["old"] {
    return this.#draft.old;
  }

  readAt(offset: number, into: Uint8Array): number | Promise<number> {
    return this.#draft.readAt(offset, into);
  }

  startAt(offset: number): void | Promise<void> {
    return this.#draft.startAt(offset);
  }

  write(bytes: Uint8Array): void | Promise<void> {
    return this.#draft.write(bytes);
  }

  async publish(): Promise<string> {
    await this.#keep();
    return await this.#draft.publish();
  }

  suspend(): void | Promise<void> {
    return this.#draft.suspend();
  }

  discard(): void | Promise<void> {
    return this.#draft.discard();
  }
}
