/**
 * The tree of files that a directory holds: names in, verified bytes out, nothing half ever visible.
 *
 * Joins the parts: `resolve.ts` (names to paths), `local_source.ts` (reading), `local_draft.ts` (writing), `publish.ts`
 * (making visible), `scan.ts` (walks). Invariant: nothing outside the root is ever opened, and nothing of ours is shown.
 */
import { AppError } from "../errors.ts";
import { quoteName } from "../escape.ts";
import { validateName } from "../names.ts";
import { FILE_SYSTEM, type FileSystem, lstatIfThere } from "./file_system.ts";
import { translated, translating } from "./fs_errors.ts";
import { openDraft } from "./local_draft.ts";
import { LocalSource } from "./local_source.ts";
import { readNote, removePublishedPartial, type SourceNote } from "./partial.ts";
import { flushDirectory, publish, refuseToReplace, taken } from "./publish.ts";
import { type Found, type Place, Resolver } from "./resolve.ts";
import { entryOf, listDirectory, type Measure, measure, sweepPartials } from "./scan.ts";
import type { Batch, Draft, Entry, FileFacts, FileTree, IfTaken, Source } from "./tree.ts";

export class LocalTree implements FileTree {
  readonly #fs: FileSystem;
  readonly #resolver: Resolver;

  /** Throws `not_found` or `not_a_directory` if `root` cannot be shared. */
  constructor(root: string, fs: FileSystem = FILE_SYSTEM) {
    this.#fs = fs;
    this.#resolver = new Resolver(root, fs);
  }

  /** Throws `denied` if the top cannot be listed: shared, it would look like an empty directory. */
  verifyListable(): void {
    if (Deno.build.os === "windows") return; // directories cannot be opened there
    translating("share", this.#resolver.root, () => this.#fs.openSync(this.#resolver.root, { read: true }).close());
  }

  /** How many files there are and how large they are; partials are not counted. */
  measure(signal?: AbortSignal): Promise<Measure> {
    return measure(this.#fs, this.#resolver.root, signal ? { signal } : {});
  }

  /** Removes partials that nobody went on with for seven days; how many. */
  sweep(signal?: AbortSignal): Promise<number> {
    return sweepPartials(this.#fs, this.#resolver.root, signal);
  }

  /** Of which source there is a partial under `name`, if there is one. */
  partialOf(name: string): SourceNote | undefined {
    try {
      const place = this.#resolver.place(name, "resume");
      return translating("resume", name, () => readNote(this.#fs, place));
    } catch (error) {
      if (error instanceof AppError && error.code === "not_found") return undefined; // not even its parents are there
      throw error;
    }
  }

  /** Whether something has that name. What a crash left of its publishing goes away: no transfer will come for it. */
  has(name: string): boolean {
    try {
      const place = this.#resolver.place(name, "look for");
      return translating("look for", name, () => {
        if (!lstatIfThere(this.#fs, place.path)) return false;
        removePublishedPartial(this.#fs, place);
        return true;
      });
    } catch (error) {
      if (error instanceof AppError && error.code === "not_found") return false;
      throw error;
    }
  }

  async *list(directory: string, { all }: { all: boolean }): AsyncGenerator<Batch> {
    const { path, info } = this.#resolver.find(directory, "list");
    if (!info.isDirectory) {
      throw new AppError("not_a_directory", `Cannot list ${quoteName(directory)}: it is not a directory`);
    }
    const look = (entryPath: string): Found | undefined => {
      try {
        return this.#resolver.findAt(entryPath, directory, "list");
      } catch (error) {
        if (error instanceof AppError) return undefined;
        throw error;
      }
    };
    try {
      yield* listDirectory(this.#fs, path, all, look);
    } catch (error) {
      throw translated("list", directory, error);
    }
  }

  stat(name: string): Entry {
    return entryOf(name, this.#resolver.find(name, "look at").info);
  }

  open(name: string): Source {
    validateName(name);
    const found = this.#resolver.find(name, "open");
    if (found.info.isDirectory) throw new AppError("is_directory", `Cannot open ${quoteName(name)}: it is a directory`);
    if (!found.info.isFile) {
      throw new AppError("not_a_file", `Cannot open ${quoteName(name)}: it is not a regular file`);
    }
    const file = translating("open", name, () => this.#fs.openSync(found.path, { read: true }));
    try {
      const opened = file.statSync();
      this.#resolver.verifyOpened(found, opened, name);
      return new LocalSource(file, entryOf(name, opened), opened);
    } catch (error) {
      file.close();
      throw translated("open", name, error);
    }
  }

  async create(name: string, facts: FileFacts, ifTaken: IfTaken): Promise<Draft> {
    const place = this.#placeToStore(name, "store");
    try {
      this.#refuseTaken(place, ifTaken);
      const draft = await openDraft(this.#fs, { place, facts, ifTaken });
      await this.#verifyStillFree(draft, place, ifTaken);
      return draft;
    } catch (error) {
      throw translated("store", name, error);
    }
  }

  makeDirectory(name: string): void {
    const madeIn = new Set<string>();
    this.#resolver.makeDirectories(name, "make", (directory) => madeIn.add(directory));
    this.#flushAll("make", name, madeIn);
  }

  move(from: string, to: string, ifTaken: IfTaken): string {
    const source = this.#resolver.place(from, "move");
    const info = translating("move", from, () => this.#fs.lstatSync(source.path));
    if (info.isDirectory && to.startsWith(`${from}/`)) {
      throw new AppError("bad_name", `Cannot move ${quoteName(from)} to ${quoteName(to)}: that is inside of it`);
    }
    const place = this.#placeToStore(to, "move");
    return translating("move", from, () => {
      const name = info.isDirectory ? this.#moveDirectory(source, place) : this.#moveFile(source, info, place, ifTaken);
      for (const directory of new Set([source.parent, place.parent])) flushDirectory(this.#fs, directory);
      return name;
    });
  }

  remove(name: string): void {
    const place = this.#resolver.place(name, "remove");
    translating("remove", name, () => {
      this.#fs.removeSync(place.path);
      flushDirectory(this.#fs, place.parent);
    });
  }

  /** The place of a new name. Parents that had to be made are flushed at once, as what follows may be broken off. */
  #placeToStore(name: string, doing: string): Place {
    const madeIn = new Set<string>();
    const place = this.#resolver.placeWithParents(name, doing, (directory) => madeIn.add(directory));
    this.#flushAll(doing, name, madeIn);
    return place;
  }

  #flushAll(doing: string, name: string, directories: ReadonlySet<string>): void {
    translating(doing, name, () => directories.forEach((directory) => flushDirectory(this.#fs, directory)));
  }

  /** The writer before us may have published just before we got its lock. */
  async #verifyStillFree(draft: Draft, place: Place, ifTaken: IfTaken): Promise<void> {
    try {
      this.#refuseTaken(place, ifTaken);
    } catch (error) {
      await (error instanceof AppError && error.code === "exists" ? draft.discard() : draft.suspend());
      throw error;
    }
  }

  #refuseTaken(place: Place, ifTaken: IfTaken): void {
    if (ifTaken === "rename") return;
    if (ifTaken === "replace") refuseToReplace(this.#fs, place);
    else if (lstatIfThere(this.#fs, place.path)) {
      removePublishedPartial(this.#fs, place);
      throw taken(place.name);
    }
  }

  /** A move that was stopped in its middle leaves both names; then only the old one has to go. */
  #moveFile(source: Place, info: Deno.FileInfo, place: Place, ifTaken: IfTaken): string {
    const there = lstatIfThere(this.#fs, place.path);
    const isSameFile = there?.ino === info.ino && there.dev === info.dev && (info.nlink ?? 1) > 1;
    if (isSameFile && source.path !== place.path) {
      this.#fs.removeSync(source.path);
      return place.name;
    }
    this.#refuseTaken(place, ifTaken);
    return publish(this.#fs, source.path, place, ifTaken);
  }

  /** A directory has no hard links, and a rename replaces only an empty one: so any other taken name is refused. */
  #moveDirectory(source: Place, place: Place): string {
    if (lstatIfThere(this.#fs, place.path)) throw taken(place.name);
    this.#fs.renameSync(source.path, place.path);
    return place.name;
  }
}
