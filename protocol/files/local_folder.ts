/**
 * One directory of the local tree, as trees are told and made with it: everything in it is looked at, read and stored by
 * the last part of its name, and links are never followed.
 *
 * All of it happens standing in the directory (`here.ts`), to bare names. To go there and back costs about as much as to
 * write a small file, so files are read and stored several at a time.
 */
import { breathe } from "../breathe.ts";
import { AppError } from "../errors.ts";
import { quoteName } from "../escape.ts";
import { isReserved, nameFault, sortNames } from "../names.ts";
import { loadAdjusting } from "./adjust_handle.ts";
import { adjustEntry } from "./adjusting.ts";
import { type FileSystem, flushDirectory } from "./file_system.ts";
import { adoptFile } from "./folder_adopting.ts";
import { makeLink, removeEntry } from "./folder_changing.ts";
import { isSameFile, type LocalEntry, lookAtEntry, openEntry, readEntry } from "./folder_reading.ts";
import { type LocalStaged, stageFile } from "./folder_staging.ts";
import { translated, translating } from "./fs_errors.ts";
import { type HeldDirectory, holdDirectory } from "./held_directory.ts";
import type { Here } from "./here.ts";
import { join } from "./paths.ts";
import { publish, publishFree } from "./publish.ts";
import { loadOpenToRead } from "./read_handle.ts";
import type { Resolver } from "./resolve.ts";
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

const BATCH_ENTRIES = 256;

/** Where a folder is: its whole name, its real path, and on which disk. */
interface FolderPlace {
  readonly name: string;
  readonly path: string;
  readonly disk: number | undefined;
}

export class LocalFolder implements Folder {
  readonly name: string;
  readonly disk: number | undefined;
  readonly #fs: FileSystem;
  readonly #resolver: Resolver;
  readonly #path: string;

  constructor(fs: FileSystem, resolver: Resolver, { name, path, disk }: FolderPlace) {
    this.#fs = fs;
    this.#resolver = resolver;
    this.#path = path;
    this.name = name;
    this.disk = disk;
  }

  /** Throws `not_found` and `not_a_directory`; `outside` when a link stands on the way. */
  static find(fs: FileSystem, resolver: Resolver, name: string): LocalFolder {
    const { path, info } = resolver.find(name, "use", ({ here, base, info }) => ({
      path: name === "" ? here.path : join(here.path, base),
      info,
    }));
    if (path !== (name === "" ? resolver.root : join(resolver.root, name))) {
      throw new AppError("outside", `Cannot use ${quoteName(name)}: there is a link in it`);
    }
    if (!info.isDirectory) throw new AppError("not_a_directory", `Cannot use ${quoteName(name)}: it is no directory`);
    return new LocalFolder(fs, resolver, { name, path, disk: diskOf(info) });
  }

  folder(base: string, seen?: FolderEntry): LocalFolder {
    const disk = seen ? diskOf(seen as Partial<LocalEntry>) : this.disk; // what was made here is on the same one
    return new LocalFolder(this.#fs, this.#resolver, { name: this.#nameOf(base), path: join(this.#path, base), disk });
  }

  async *scan(): AsyncGenerator<FolderBatch> {
    const names: string[] = [];
    let batch = this.#here("list", "", (here) => {
      for (const { name } of this.#fs.readDirSync(here.at("."))) if (!isReserved(name)) names.push(name);
      sortNames(names);
      return this.#lookAtAll(here, names.slice(0, BATCH_ENTRIES));
    });
    for (let start = 0; start < names.length;) {
      yield batch;
      await breathe();
      start += BATCH_ENTRIES;
      const some = names.slice(start, start + BATCH_ENTRIES);
      if (some.length > 0) batch = this.#here("look at", "", (here) => this.#lookAtAll(here, some));
    }
  }

  look(base: string): FolderEntry | undefined {
    return this.#here("look at", base, (here) => lookAtEntry(this.#fs, here, base));
  }

  async open(base: string): Promise<Source> {
    await loadOpenToRead();
    return this.#here("open", base, (here) => openEntry(this.#fs, here, base, this.#nameOf(base)));
  }

  async readEach(
    files: readonly FolderEntry[],
    into: Uint8Array,
    take: (index: number, read: FolderEntry | AppError) => void,
  ): Promise<void> {
    await loadOpenToRead();
    const fail = (error: AppError) => files.forEach((_, index) => take(index, error));
    let isThere = false;
    try {
      this.#here("read", files[0]!.name, (here) => {
        isThere = true;
        files.forEach((file, index) => {
          const name = this.#nameOf(file.name);
          take(index, orError("read", name, () => readEntry(this.#fs, here, file, name, into)));
        });
      });
    } catch (error) {
      if (isThere || !(error instanceof AppError)) throw error;
      fail(error);
    }
  }

  stage(files: readonly NewFile[]): (Staged | AppError)[] {
    const goBack = <T>(base: string, work: (path: string) => T) =>
      this.#here("store", base, (here) => work(here.at(base)));
    return this.#each("store", files, (here, file) => stageFile(this.#fs, here, file, this.name, goBack));
  }

  publish(files: readonly ToPublish[]): (string | AppError)[] {
    return this.#each("store", files, (here, { base, staged, ifTaken, replacedBytes }) => {
      const place = { name: this.#nameOf(base), parent: this.#path, base };
      const path = here.at((staged as LocalStaged).base);
      const isFree = ifTaken === "replace" && replacedBytes === undefined;
      const name = isFree ? publishFree(this.#fs, here, path, place) : publish(this.#fs, here, path, place, ifTaken);
      return name.slice(name.lastIndexOf("/") + 1);
    });
  }

  async adopt(from: string, files: readonly ToAdopt[]): Promise<(Adopted | AppError)[]> {
    await loadAdjusting();
    const path = from === "" ? this.#resolver.root : join(this.#resolver.root, from);
    const held = orError(
      "move",
      from,
      () => this.#resolver.inside(path, from, (here) => holdDirectory(this.#fs, here)),
    );
    if (held instanceof AppError) return files.map(() => held);
    using elsewhere: HeldDirectory = held;
    return this.#each("move", files, (here, file) => {
      return adoptFile(this.#fs, here, elsewhere.at(file.entry.name), file, this.#nameOf(file.base));
    });
  }

  makeDirectory(base: string, permissions?: number): void {
    this.#here("make", base, (here) => {
      // Ours to write in until its own bits are set, when everything is in it.
      this.#fs.mkdirSync(here.at(base), permissions === undefined ? {} : { mode: permissions & 0o777 | 0o700 });
    });
  }

  async makeLink(link: NewLink, ifTaken: "error" | "replace"): Promise<void> {
    await loadAdjusting();
    this.#here("link", link.base, (here) => makeLink(this.#fs, here, link, ifTaken));
  }

  async adjust(changes: readonly Change[]): Promise<(Adjusted | AppError)[]> {
    await loadAdjusting();
    let isFlushed = false;
    const flushOnce = () => {
      if (!isFlushed) this.flush();
      isFlushed = true;
    };
    return this.#each(
      "change",
      changes,
      (here, change) => adjustEntry(this.#fs, here, change, this.#nameOf(change.base), flushOnce),
    );
  }

  remove(base: string): void {
    this.#here("remove", base, (here) => removeEntry(this.#fs, here, base, this.#path, this.#nameOf(base)));
  }

  removeEach(files: readonly FolderEntry[]): (AppError | undefined)[] {
    const named = files.map((entry) => ({ base: entry.name, entry }));
    const remove = (here: Here, { base, entry }: { base: string; entry: FolderEntry }) => {
      if (isSameFile(entry, this.#fs.lstatSync(here.at(base)))) return this.#fs.removeSync(here.at(base));
      throw new AppError("source_changed", `${quoteName(this.#nameOf(base))} is another one now`);
    };
    return this.#each("remove", named, remove).map((error) => error ?? undefined);
  }

  flush(): void {
    this.#here("store", "", (here) => flushDirectory(this.#fs, here));
  }

  /** Does `work` for each of `files` on one visit; what keeps us from going there fails all of them. */
  #each<F extends { readonly base: string }, T>(
    doing: string,
    files: readonly F[],
    work: (here: Here, file: F) => T,
  ): (T | AppError)[] {
    const all = orError(
      doing,
      this.name,
      () =>
        this.#here(
          doing,
          "",
          (here) => files.map((file) => orError(doing, this.#nameOf(file.base), () => work(here, file))),
        ),
    );
    return all instanceof AppError ? files.map(() => all) : all;
  }

  #lookAtAll(here: Here, names: readonly string[]): FolderBatch {
    const entries: FolderEntry[] = [];
    const unusable: string[] = [];
    for (const name of names) {
      const entry = nameFault(name) ? unusable.push(name) && undefined : lookAtEntry(this.#fs, here, name);
      if (entry) entries.push(entry); // otherwise it went away in that moment
    }
    return { entries, unusable };
  }

  #here<T>(doing: string, base: string, work: (here: Here) => T): T {
    const name = this.#nameOf(base);
    return translating(doing, name, () => this.#resolver.inside(this.#path, name, work));
  }

  #nameOf(base: string): string {
    return this.name === "" || base === "" ? this.name + base : `${this.name}/${base}`;
  }
}

/** Windows tells of none. */
function diskOf({ dev }: { readonly dev?: number | undefined }): number | undefined {
  return dev || undefined;
}

function orError<T>(doing: string, name: string, work: () => T): T | AppError {
  try {
    return work();
  } catch (error) {
    return translated(doing, name, error);
  }
}
