/**
 * The directory of the trash, and the runs in it:
 *
 *     .app-trash/                       at the top of the tree, for its owner alone
 *     .app-trash/lock                   held by who undoes a run
 *     .app-trash/<time>-<tag>/note      what a run changed; held by who is at it
 *     .app-trash/<time>-<tag>/files/    what was there before, under the names that it had
 *     .app-trash/<time>-<tag>/more/     what could not have those, numbered
 *
 * No request can name any of it. What somebody else made under that name (a link, a file, a directory of another
 * account, one that others may write in) is not used: what is in ours, nobody but this account has put there.
 */
import { breathe } from "../breathe.ts";
import { AppError, hasCode } from "../errors.ts";
import { RESERVED_PREFIX } from "../names.ts";
import { loadAdjusting } from "./adjust_handle.ts";
import { type FileSystem, flushDirectory, lstatIfThere } from "./file_system.ts";
import { errorNameOfSystem, translating } from "./fs_errors.ts";
import { type HeldDirectory, holdDirectory } from "./held_directory.ts";
import { type Here, inDirectory } from "./here.ts";
import { tryLock } from "./lock.ts";
import { join } from "./paths.ts";
import { type NoteHead, readHead } from "./trash_note.ts";

export const TRASH_NAME = `${RESERVED_PREFIX}trash`;

const RUN_ID = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-[0-9a-f]{16}$/;
const OTHERS = 0o077;

/** What is still taken then is under way. */
const TRIES_MAX = 10;
const PAUSE_MS = 20;

/** The name of a run that begins at `ms`; runs sort by it. */
export function runId(ms: number, tag: string): string {
  return `${new Date(ms).toISOString().replace(/[-:.]/g, "")}-${tag}`;
}

/** When it began; `undefined` for what is no run. */
export function startOf(id: string): number | undefined {
  const [, ...parts] = RUN_ID.exec(id) ?? [];
  if (parts.length === 0) return;
  const [year, month, day, hour, minute, second, ms] = parts.map(Number) as [number, ...number[]];
  return Date.UTC(year, month! - 1, day, hour, minute, second, ms);
}

export class TrashFolder {
  readonly #fs: FileSystem;
  readonly #root: string;
  readonly #path: string;

  constructor(fs: FileSystem, root: string) {
    this.#fs = fs;
    this.#root = root;
    this.#path = join(root, TRASH_NAME);
  }

  /** Whether there is one. Throws `denied` for what is none of ours. */
  isThere(): boolean {
    return this.#atTop((here) => this.#isOurs(here));
  }

  /** The directory that it is in keeps its time: nothing of others has changed. */
  async make(): Promise<void> {
    if (this.isThere()) return;
    await loadAdjusting();
    this.#atTop((here) => {
      if (this.#isOurs(here)) return;
      const { mtime } = this.#fs.statSync(here.at("."));
      this.#fs.mkdirSync(here.at(TRASH_NAME), { mode: 0o700 });
      this.#setTime(here, mtime);
      flushDirectory(this.#fs, here);
      this.#isOurs(here);
    });
  }

  /** The runs, the newest first. */
  runs(): string[] {
    const names = this.#inside((here) => [...this.#fs.readDirSync(here.at("."))].map(({ name }) => name));
    return names.filter((name) => RUN_ID.test(name)).sort().reverse();
  }

  /** Makes the directories of a run, and opens its note, which is ours alone. */
  async makeRun(id: string): Promise<TrashedRun> {
    this.#inside((here) => {
      this.#fs.mkdirSync(here.at(id), { mode: 0o700 });
      flushDirectory(this.#fs, here);
    });
    this.#inside((here) => {
      for (const base of ["files", "more"]) this.#fs.mkdirSync(here.at(base), { mode: 0o700 });
    }, id);
    const run = await this.openRun(id, { isNew: true });
    if (!run || run === "taken") {
      throw new AppError("busy", "Cannot keep what was there: its directory was taken in that moment");
    }
    return run;
  }

  /** `undefined` when it is gone, or has no note. The file is at its beginning. */
  async openRun(id: string, { isNew = false } = {}): Promise<TrashedRun | "taken" | undefined> {
    const opened = this.#ifThere(() =>
      this.#inside((here) => {
        const file = this.#fs.openSync(here.at("note"), { read: true, write: true, createNew: isNew, mode: 0o600 });
        try {
          return { file, directory: holdDirectory(this.#fs, here) };
        } catch (error) {
          file.close();
          throw error;
        }
      }, id)
    );
    if (!opened) return;
    const run = { id, note: opened.file, directory: opened.directory };
    try {
      if (await tryLock(run.note, join(this.#path, `${id}/note`))) return run;
    } catch (error) {
      closeRun(run);
      throw error;
    }
    closeRun(run);
    return "taken";
  }

  /** The same for who works on it: others have it for the moment that it takes to look at it. */
  async openRunToWork(id: string): Promise<TrashedRun | "taken" | undefined> {
    for (let tries = 1;; tries++) {
      const run = await this.openRun(id);
      if (run !== "taken" || tries === TRIES_MAX) return run;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  /** What its note says of it, whoever is at it. */
  head(id: string): NoteHead | undefined {
    return this.#ifThere(() =>
      this.#inside((here) => {
        using file = this.#fs.openSync(here.at("note"), { read: true });
        return readHead(file);
      }, id)
    );
  }

  /** For who undoes a run; `undefined` while somebody does. */
  async lock(): Promise<Disposable | undefined> {
    const file = this.#inside((here) =>
      this.#fs.openSync(here.at("lock"), { read: true, write: true, create: true, mode: 0o600 })
    );
    try {
      if (await tryLock(file, join(this.#path, "lock"))) return file;
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
  }

  /** With all that is in it; nobody may be at it. */
  async remove(id: string): Promise<void> {
    using directory = this.#inside((here) => holdDirectory(this.#fs, here));
    // Asynchronous, since there may be much in it: where we stood then is not where we stand now.
    await this.#fs.remove(directory.at(id), { recursive: true });
  }

  /** How much there is, or how much of a run; links are not followed. */
  async measure(id = ""): Promise<{ bytes: number; files: number }> {
    const total = { bytes: 0, files: 0 };
    const pending = [id];
    for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
      this.#inside((here) => {
        for (const { name, isDirectory } of this.#fs.readDirSync(here.at("."))) {
          total.files++;
          if (isDirectory) pending.push(directory === "" ? name : join(directory!, name));
          else total.bytes += sizeOf(lstatIfThere(this.#fs, here.at(name)));
        }
      }, directory);
      await breathe();
    }
    return total;
  }

  #atTop<T>(work: (here: Here) => T): T {
    return this.#at(this.#root, work);
  }

  #inside<T>(work: (here: Here) => T, below = ""): T {
    return this.#at(below === "" ? this.#path : join(this.#path, below), work);
  }

  #at<T>(path: string, work: (here: Here) => T): T {
    return translating("use", "the trash", () =>
      inDirectory(path, (here) => {
        if (here.path === path) return work(here);
        throw new AppError("denied", "Cannot use the trash: its directory was exchanged");
      }));
  }

  #setTime(here: Here, mtime: Date | null): void {
    try {
      if (mtime) this.#fs.setOwnTime(here.at("."), mtime);
    } catch (error) {
      if (errorNameOfSystem(error) !== "denied") throw error; // it is somebody else's, who lets us write
    }
  }

  #isOurs(here: Here): boolean {
    const info = lstatIfThere(this.#fs, here.at(TRASH_NAME));
    if (!info) return false;
    const isOwn = info.uid === null || info.uid === Deno.uid();
    if (info.isDirectory && isOwn && ((info.mode ?? 0) & OTHERS) === 0) return true;
    throw new AppError("denied", `Cannot use the trash: what is there is no directory of ours alone`, {
      advice: `Move away what is called ${TRASH_NAME} there`,
    });
  }

  #ifThere<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (hasCode(error, "not_found")) return undefined;
      throw error;
    }
  }
}

/** A run that is ours until it is closed. */
export interface TrashedRun {
  readonly id: string;
  readonly note: Deno.FsFile;
  readonly directory: HeldDirectory;
}

export function closeRun({ note, directory }: TrashedRun): void {
  note.close();
  directory[Symbol.dispose]();
}

/** A link has a name, and no bytes that count. */
export function sizeOf(info: Deno.FileInfo | undefined): number {
  return info?.isFile ? info.size : 0;
}
