/** A directory of a tree of which every change is noted, and what goes away kept. */
import { AppError, hasCode } from "../errors.ts";
import { modeOf } from "./permissions.ts";
import type { Deed, KeepResult, TrashFacts, TrashRun } from "./trash.ts";
import { factsOf, nameIn } from "./trash_deeds.ts";
import type {
  Adjusted,
  Adopted,
  Change,
  Folder,
  FolderBatch,
  FolderEntry,
  NewFile,
  NewLink,
  Source,
  Staged,
  ToAdopt,
  ToPublish,
} from "./tree.ts";

export class KeepingFolder implements Folder {
  readonly #folder: Folder;
  readonly #run: TrashRun;
  readonly #seen: TrashFacts | undefined;

  /** `seen`: what the directory was before anything was changed in it, where that is known. */
  constructor(folder: Folder, run: TrashRun, seen?: FolderEntry) {
    this.#folder = folder;
    this.#run = run;
    this.#seen = seen && factsOf(seen);
  }

  get name(): string {
    return this.#folder.name;
  }

  get disk(): number | undefined {
    return this.#folder.disk;
  }

  async folder(base: string, seen?: FolderEntry): Promise<Folder> {
    return new KeepingFolder(await this.#folder.folder(base, seen), this.#run, seen);
  }

  scan(): AsyncIterable<FolderBatch> {
    return this.#folder.scan();
  }

  look(base: string): FolderEntry | undefined | Promise<FolderEntry | undefined> {
    return this.#folder.look(base);
  }

  open(base: string): Source | Promise<Source> {
    return this.#folder.open(base);
  }

  readEach(...read: Parameters<Folder["readEach"]>): void | Promise<void> {
    return this.#folder.readEach(...read);
  }

  async stage(files: readonly NewFile[]): Promise<readonly (Staged | AppError)[]> {
    const touched = await this.#run.touch(this.name, this.#seen);
    return touched === true ? await this.#folder.stage(files) : files.map(() => touched);
  }

  async publish(files: readonly ToPublish[]): Promise<readonly (string | AppError)[]> {
    const deeds = files.map((file): Deed => {
      const { base, sizeBytes, mtimeMs } = file;
      const now = { kind: "file", sizeBytes, mtimeMs } as const;
      return { do: "store", base, now, isNew: file.ifTaken !== "replace" || this.#isTrusted(file) };
    });
    return await this.#keepEach(deeds, files, (kept) => this.#folder.publish(kept));
  }

  async adopt(from: string, files: readonly ToAdopt[]): Promise<readonly (Adopted | AppError)[]> {
    const touched = await this.#run.touch(from);
    if (touched !== true) return files.map(() => touched);
    const deeds = files.map(({ base, entry, facts }): Deed => {
      const was = factsOf(entry);
      const now = { ...was, mtimeMs: facts.mtimeMs, mode: modeOf(facts) ?? entry.mode };
      const isAsItWas = now.mtimeMs === was.mtimeMs && now.mode === was.mode;
      return { do: "move", base, from: nameIn(from, entry.name), ...(isAsItWas ? {} : { was }), now };
    });
    return await this.#keepEach(deeds, files, (kept) => this.#folder.adopt(from, kept));
  }

  async makeDirectory(base: string, permissions?: number): Promise<void> {
    await this.#keep({ do: "make", base });
    await this.#unlessTaken(base, () => this.#folder.makeDirectory(base, permissions));
  }

  async makeLink(link: NewLink, ifTaken: "error" | "replace"): Promise<void> {
    const { base, target, mtimeMs } = link;
    await this.#keep({ do: "store", base, now: { kind: "link", target, mtimeMs }, isNew: ifTaken === "error" });
    await this.#unlessTaken(base, () => this.#folder.makeLink(link, ifTaken));
  }

  async adjust(changes: readonly Change[]): Promise<readonly (Adjusted | AppError)[]> {
    const deeds = changes.map(({ base, facts }): Deed => ({ do: "adjust", base, now: facts }));
    return await this.#keepEach(deeds, changes, (kept) => this.#folder.adjust(kept));
  }

  async remove(base: string): Promise<void> {
    if (await this.#keep({ do: "remove", base }) !== "moved") await this.#folder.remove(base);
  }

  /** Old names of what was moved, which is noted. */
  removeEach(files: readonly FolderEntry[]): ReturnType<Folder["removeEach"]> {
    return this.#folder.removeEach(files);
  }

  flush(): void | Promise<void> {
    return this.#folder.flush();
  }

  /** A name that was free when that was decided is looked at again only by who must not lose anything. */
  #isTrusted({ replacedBytes }: ToPublish): boolean {
    return replacedBytes === undefined && !this.#run.isStrict;
  }

  /** Does `work` with those of `items` of which the deed may be done; for the others their errors. */
  async #keepEach<Item, Result>(
    deeds: readonly Deed[],
    items: readonly Item[],
    work: (items: readonly Item[]) => readonly (Result | AppError)[] | Promise<readonly (Result | AppError)[]>,
  ): Promise<readonly (Result | AppError)[]> {
    const kept = await this.#run.keep(this.name, deeds);
    if (kept.every((result) => result === true)) return await work(items);
    const results = await work(items.filter((_, index) => !(kept[index] instanceof AppError)));
    let at = 0;
    return kept.map((result) => result instanceof AppError ? result : results[at++]!);
  }

  /** What has the name is somebody else's then, and is not to go away by an undo. */
  async #unlessTaken(base: string, make: () => void | Promise<void>): Promise<void> {
    try {
      await make();
    } catch (error) {
      if (hasCode(error, "exists")) this.#run.notDone(nameIn(this.name, base));
      throw error;
    }
  }

  async #keep(deed: Deed): Promise<true | "moved"> {
    const [result] = await this.#run.keep(this.name, [deed]);
    return orThrow(result!);
  }
}

/** Throws what keeps it from being done. */
export function orThrow(result: KeepResult): true | "moved" {
  if (result instanceof AppError) throw result;
  return result;
}
