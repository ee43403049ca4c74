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
import { DATE_MS_MAX } from "../limits.ts";
import { isReserved, nameFault, sortNames } from "../names.ts";
import { type FileSystem, flushDirectory, lstatIfThere, removeIfThere } from "./file_system.ts";
import { translated, translating } from "./fs_errors.ts";
import type { Here } from "./here.ts";
import { openFound, openToRead } from "./open_found.ts";
import { PARTIAL_PREFIX } from "./partial.ts";
import { join } from "./paths.ts";
import { modeBeside, setPermissions } from "./permissions.ts";
import { publish } from "./publish.ts";
import { loadOpenToRead, type ReadHandle } from "./read_handle.ts";
import { exchanged, type Resolver } from "./resolve.ts";
import { entryOf } from "./scan.ts";
import type { Folder, FolderBatch, FolderEntry, NewFile, Source, Staged, StoredFacts, ToPublish } from "./tree.ts";

const BATCH_ENTRIES = 256;

/** Names of files that were staged by this process: told apart by a number, since drawing one for each costs time. */
const STAGED_PREFIX = `${PARTIAL_PREFIX}${crypto.randomUUID().slice(0, 18)}-`;
let stagedCount = 0;

/** What the system tells of an entry besides; which file it is. */
interface LocalEntry extends FolderEntry {
  readonly ino: number | null;
  readonly dev: number;
}

export class LocalFolder implements Folder {
  readonly name: string;
  readonly #fs: FileSystem;
  readonly #resolver: Resolver;
  readonly #path: string;

  /** Throws `not_found` and `not_a_directory`; `outside` when a link stands on the way. */
  constructor(fs: FileSystem, resolver: Resolver, name: string) {
    const { path, isDirectory } = resolver.find(name, "use", ({ here, base, info }) => ({
      path: name === "" ? here.path : join(here.path, base),
      isDirectory: info.isDirectory,
    }));
    if (path !== (name === "" ? resolver.root : join(resolver.root, name))) {
      throw new AppError("outside", `Cannot use ${quoteName(name)}: there is a link in it`);
    }
    if (!isDirectory) throw new AppError("not_a_directory", `Cannot use ${quoteName(name)}: it is no directory`);
    this.#fs = fs;
    this.#resolver = resolver;
    this.#path = path;
    this.name = name;
  }

  async *scan(): AsyncGenerator<FolderBatch> {
    const names: string[] = [];
    this.#here("list", "", (here) => {
      for (const { name } of this.#fs.readDirSync(here.at("."))) if (!isReserved(name)) names.push(name);
    });
    sortNames(names);
    for (let start = 0; start < names.length; start += BATCH_ENTRIES) {
      const end = Math.min(start + BATCH_ENTRIES, names.length);
      const entries: FolderEntry[] = [];
      const unusable: string[] = [];
      this.#here("look at", "", (here) => {
        for (let index = start; index < end; index++) {
          const name = names[index]!;
          const entry = nameFault(name) ? unusable.push(name) && undefined : this.#lookAt(here, name);
          if (entry) entries.push(entry); // otherwise it went away in that moment
        }
      });
      yield { entries, unusable };
      await breathe();
    }
  }

  look(base: string): FolderEntry | undefined {
    return this.#here("look at", base, (here) => this.#lookAt(here, base));
  }

  async open(base: string): Promise<Source> {
    await loadOpenToRead();
    return this.#here("open", base, (here) => this.#open(here, base));
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
          const read = orError("read", this.#nameOf(file.name), () => this.#read(here, file, into));
          take(index, read);
        });
      });
    } catch (error) {
      if (isThere || !(error instanceof AppError)) throw error;
      fail(error);
    }
  }

  stage(files: readonly NewFile[]): (Staged | AppError)[] {
    return this.#each("store", files, (here, file) => this.#stage(here, file));
  }

  publish(files: readonly ToPublish[]): (string | AppError)[] {
    return this.#each("store", files, (here, { base, staged, ifTaken }) => {
      const place = { name: this.#nameOf(base), parent: this.#path, base };
      const name = publish(this.#fs, here, here.at((staged as LocalStaged).base), place, ifTaken);
      return name.slice(name.lastIndexOf("/") + 1);
    });
  }

  makeDirectory(base: string, permissions?: number): void {
    this.#here("make", base, (here) => {
      // Ours to write in until its own bits are set, when everything is in it.
      this.#fs.mkdirSync(here.at(base), permissions === undefined ? {} : { mode: permissions & 0o777 | 0o700 });
    });
  }

  makeLink(base: string, target: string, ifTaken: "error" | "replace"): void {
    this.#here("link", base, (here) => {
      if (ifTaken === "error") return this.#fs.symlinkSync(target, here.at(base));
      const staged = here.at(STAGED_PREFIX + ++stagedCount);
      this.#fs.symlinkSync(target, staged);
      try {
        this.#fs.renameSync(staged, here.at(base));
      } catch (error) {
        removeIfThere(this.#fs, staged);
        throw error;
      }
    });
  }

  adjust(base: string, facts: Partial<StoredFacts>): void {
    this.#here("change", base, (here) => {
      const path = here.at(base);
      const info = this.#fs.lstatSync(path);
      if (!info.isFile && !info.isDirectory) return; // a link would be followed
      setPermissions(this.#fs, path, facts);
      if (facts.mtimeMs !== undefined) this.#fs.utimeSync(path, dateOf(facts.mtimeMs), dateOf(facts.mtimeMs));
    });
  }

  remove(base: string): void {
    this.#here("remove", base, (here) => {
      try {
        this.#fs.removeSync(here.at(base));
      } catch (error) {
        if (!this.#fs.lstatSync(here.at(base)).isDirectory) throw error;
        const below = here.down(base);
        if (below.path !== join(this.#path, base)) throw exchanged(this.#nameOf(base));
        for (const { name, isFile } of this.#fs.readDirSync(below.at("."))) {
          if (isFile && isReserved(name)) removeIfThere(this.#fs, below.at(name));
        }
        this.#fs.removeSync(join(this.#path, base)); // a directory that is empty, whatever else stands there now
      }
    });
  }

  flush(): void {
    this.#here("store", "", (here) => flushDirectory(this.#fs, here));
  }

  #lookAt(here: Here, base: string): FolderEntry | undefined {
    const info = lstatIfThere(this.#fs, here.at(base));
    if (!info) return;
    const { ino, dev } = info;
    const entry: LocalEntry = { ...entryOf(base, info), ino, dev };
    if (!info.isSymlink) return entry;
    return { ...entry, kind: "link", target: this.#fs.readLinkSync(here.at(base)) } as FolderEntry;
  }

  #open(here: Here, base: string): Source {
    return openFound(this.#fs, { here, base, info: this.#fs.lstatSync(here.at(base)) }, this.#nameOf(base));
  }

  /**
   * What stands there afterwards is compared with what was expected, by its name: to ask the open file costs the runtime
   * ten times as much.
   */
  #read(here: Here, expected: FolderEntry, into: Uint8Array): FolderEntry {
    const base = expected.name;
    const { ino = null, dev } = expected as Partial<LocalEntry>;
    const file = openToRead(this.#fs, here.at(base), this.#nameOf(base));
    let count: number;
    try {
      count = readFully(file, into.subarray(0, expected.sizeBytes));
    } finally {
      file.close();
    }
    const after = this.#fs.lstatSync(here.at(base));
    const isExpected = after.ino === ino && after.dev === dev && after.size === expected.sizeBytes &&
      after.mtime?.getTime() === expected.mtimeMs;
    return isExpected && count === after.size && after.isFile ? expected : this.#readAgain(here, base, into);
  }

  /** It was not as expected: once more, with a look before and one behind. */
  #readAgain(here: Here, base: string, into: Uint8Array): FolderEntry {
    using source = this.#open(here, base) as ReturnType<typeof openFound>;
    const { sizeBytes } = source.entry;
    const isWhole = sizeBytes <= into.length &&
      readFully({ readAt: (offset, piece) => source.readAt(offset, piece) }, into.subarray(0, sizeBytes)) === sizeBytes;
    if (!isWhole) {
      throw new AppError(
        "source_changed",
        `Cannot send ${quoteName(this.#nameOf(base))}: it changed while it was read`,
      );
    }
    source.verifyUnchanged();
    return { ...source.entry, name: base };
  }

  #stage(here: Here, { bytes, facts }: NewFile): LocalStaged {
    const base = STAGED_PREFIX + ++stagedCount;
    const path = here.at(base);
    try {
      const mode = modeBeside(facts); // set as it is, whatever the mask of the process
      this.#fs.writeFileSync(path, bytes, { createNew: true, ...(mode === undefined ? {} : { mode }) });
      this.#fs.utimeSync(path, dateOf(facts.mtimeMs), dateOf(facts.mtimeMs));
    } catch (error) {
      removeIfThere(this.#fs, path);
      throw error;
    }
    const at = <T>(work: (path: string) => T) => this.#here("store", base, (here) => work(here.at(base)));
    return new LocalStaged(this.#fs, base, this.name, at);
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

  #here<T>(doing: string, base: string, work: (here: Here) => T): T {
    const name = this.#nameOf(base);
    return translating(doing, name, () => this.#resolver.inside(this.#path, name, work));
  }

  #nameOf(base: string): string {
    return this.name === "" || base === "" ? this.name + base : `${this.name}/${base}`;
  }
}

class LocalStaged implements Staged {
  readonly base: string;
  readonly #fs: FileSystem;
  readonly #name: string;
  readonly #at: <T>(work: (path: string) => T) => T;

  /** `at` tells `work` under which path it stands. */
  constructor(fs: FileSystem, base: string, name: string, at: <T>(work: (path: string) => T) => T) {
    this.base = base;
    this.#fs = fs;
    this.#name = name;
    this.#at = at;
  }

  async flush(): Promise<void> {
    using file = this.#at((path) => this.#fs.openSync(path, { read: true, write: true }));
    try {
      await file.sync();
    } catch (error) {
      throw translated("store", this.#name, error);
    }
  }

  discard(): void {
    this.#at((path) => removeIfThere(this.#fs, path));
  }
}

function readFully(file: Pick<ReadHandle, "readAt">, into: Uint8Array): number {
  let filled = 0;
  while (filled < into.length) {
    const count = file.readAt(filled, filled === 0 ? into : into.subarray(filled));
    if (count === 0) break;
    filled += count;
  }
  return filled;
}

function orError<T>(doing: string, name: string, work: () => T): T | AppError {
  try {
    return work();
  } catch (error) {
    return translated(doing, name, error);
  }
}

function dateOf(mtimeMs: number): Date {
  return new Date(Math.min(mtimeMs, DATE_MS_MAX));
}
