/** Walks of a directory: listing one, measuring a whole tree, and sweeping out what nobody went on with. */
import { breathe } from "../breathe.ts";
import { AppError } from "../errors.ts";
import { PARTIAL_AGE_MAX_MS } from "../limits.ts";
import { isReserved, nameFault, sortNames } from "../names.ts";
import { type FileSystem, lstatIfThere, removeIfThere } from "./file_system.ts";
import { PARTIAL_PREFIX, partialOfNote } from "./partial.ts";
import { translating } from "./fs_errors.ts";
import type { Here } from "./here.ts";
import { join } from "./paths.ts";
import type { FileLook } from "./read_handle.ts";
import type { Resolver } from "./resolve.ts";
import type { Batch, Entry, EntryKind } from "./tree.ts";

const BATCH_ENTRIES = 256;

/** Permission bits of files whose system has none. */
const DEFAULT_MODE = 0o644;

export function entryOf(name: string, info: FileLook): Entry {
  const kind: EntryKind = info.isFile ? "file" : info.isDirectory ? "directory" : "other";
  return {
    name,
    kind,
    sizeBytes: info.isFile ? info.size : 0,
    mtimeMs: Math.max(0, info.mtime?.getTime() ?? 0),
    mode: (info.mode ?? DEFAULT_MODE) & 0o777,
  };
}

/** Where a walk goes: the real path of a directory, and the name that asked for it. */
export interface Walked {
  readonly fs: FileSystem;
  readonly resolver: Resolver;
  readonly path: string;
  readonly name: string;
}

/**
 * The entries of a directory, sorted by name. The path may have led somewhere else while the names were read; so they
 * are looked at where the directory really is, and a name that is not there is none of its.
 */
export async function* listDirectory(
  walked: Walked,
  { all, namesMax = Infinity }: { all: boolean; namesMax?: number | undefined },
): AsyncGenerator<Batch> {
  const names: string[] = []; // all of them are kept, since they are to be sorted
  // The asynchronous one: it takes twice as long, but nobody else waits while a large directory is read.
  for await (const { name } of walked.fs.readDir(walked.path)) {
    if (!isReserved(name) && (all || !name.startsWith("."))) names.push(name);
    if (names.length > namesMax) throw tooMany(namesMax);
  }
  sortNames(names);
  for (let start = 0; start < names.length; start += BATCH_ENTRIES) {
    const batch = names.slice(start, start + BATCH_ENTRIES);
    const looks = lookAtAll(batch, walked);
    yield {
      entries: looks.flatMap((look, index) => typeof look === "object" ? [entryOf(batch[index]!, look)] : []),
      hidden: looks.filter((look) => look === "hidden").length,
    };
    await breathe();
  }
}

/** An entry that nobody could get, or that was never there, or where its link leads, or what it is. */
type Look<Link> = "hidden" | "gone" | Link | Deno.FileInfo;

function lookAtAll(names: readonly string[], { fs, resolver, path, name }: Walked): Look<never>[] {
  const lookAt = (here: Here, base: string): Look<{ real: string }> => {
    const info = lstatIfThere(fs, here.at(base));
    if (!info) return base.includes(UNREADABLE) ? "hidden" : "gone";
    if (nameFault(base)) return "hidden";
    return info.isSymlink ? follow(here, base) : info;
  };
  const follow = (here: Here, base: string) => {
    try {
      return { real: translating("list", name, () => resolver.realPath(here, base, name)) };
    } catch (error) {
      if (error instanceof AppError) return "hidden";
      throw error;
    }
  };
  // Two steps, since one cannot stand in two places at once.
  const looks = resolver.inside(path, name, (here) => names.map((base) => lookAt(here, base)));
  return looks.map((look) =>
    typeof look === "object" && "real" in look ? resolver.lookAtReal(look.real, name) ?? "hidden" : look
  );
}

/** What the runtime puts into a name in the place of bytes that are not UTF-8; it cannot look at that, then. */
const UNREADABLE = "\ufffd";

function tooMany(namesMax: number): AppError {
  const advice = "Ask for a directory below it, or the server's owner to move some of its files into directories";
  return new AppError("too_many_files", `Cannot list it: it has more than ${namesMax} names`, { advice });
}

export interface Measure {
  files: number;
  sizeBytes: number;
}

/** What is done with each file; standing in its directory. */
type Visit = (here: Here, base: string) => void;

/** Counts the files below a directory and their bytes, and hands every partial to `visit`. Links are not followed. */
export async function measure(
  { fs, resolver, path, name }: Walked,
  { signal, visit = () => {} }: { signal?: AbortSignal | undefined; visit?: Visit } = {},
): Promise<Measure> {
  const total: Measure = { files: 0, sizeBytes: 0 };
  const directories = [path];
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    const inside = (work: (here: Here) => void) => ifAllowed(() => resolver.inside(directory!, name, work));
    const files: string[] = [];
    inside((here) => {
      for (const entry of fs.readDirSync(here.at("."))) {
        if (entry.isFile) files.push(entry.name);
        else if (entry.isDirectory && !isReserved(entry.name)) directories.push(join(directory!, entry.name));
      }
    });
    for (let start = 0; start === 0 || start < files.length; start += BATCH_ENTRIES) {
      const batch = files.slice(start, start + BATCH_ENTRIES);
      inside((here) => batch.forEach((base) => countFile(fs, here, base, total, visit)));
      if (await breathe() && signal?.aborted) return total;
    }
  }
  return total;
}

/** Removes partials below a directory that nobody went on with for seven days; how many. */
export async function sweepPartials(walked: Walked, signal?: AbortSignal): Promise<number> {
  let removed = 0;
  await measure(walked, {
    signal,
    visit: (here, base) => removed += removeIfOld(walked.fs, here, base) ? 1 : 0,
  });
  return removed;
}

const sweptDirectories = new Set<string>();

/** The same for one directory, the first time that it is asked for in this process; what is below it is not touched. */
export function sweepDirectoryOnce(fs: FileSystem, here: Here): void {
  if (sweptDirectories.has(here.path)) return;
  sweptDirectories.add(here.path);
  ifAllowed(() => {
    for (const { name, isFile } of fs.readDirSync(here.at("."))) {
      if (isFile && name.startsWith(PARTIAL_PREFIX)) removeIfOld(fs, here, name);
    }
  });
}

/**
 * Removes the partial, or the note of one, if nobody went on with it for seven days. The last change of its state
 * counts too, since a file that is about to be published has the time of its source. Somebody else's that may not be
 * removed stays.
 */
function removeIfOld(fs: FileSystem, here: Here, base: string): boolean {
  const info = lstatIfAllowed(fs, here.at(partialOfNote(base))) ?? lstatIfAllowed(fs, here.at(base));
  if (!info || lastTouchedMs(info) >= Date.now() - PARTIAL_AGE_MAX_MS) return false;
  try {
    removeIfThere(fs, here.at(base));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return false;
    throw error;
  }
}

function lastTouchedMs({ mtime, ctime }: Deno.FileInfo): number {
  return Math.max(mtime?.getTime() ?? Infinity, ctime?.getTime() ?? 0);
}

function countFile(fs: FileSystem, here: Here, base: string, total: Measure, visitPartial: Visit): void {
  const info = lstatIfAllowed(fs, here.at(base));
  if (!info?.isFile) return; // it went away or was exchanged in that moment, or is not for us
  if (base.startsWith(PARTIAL_PREFIX)) return visitPartial(here, base);
  if (isReserved(base)) return;
  total.files++;
  total.sizeBytes += info.size;
}

const { NotFound, NotADirectory, PermissionDenied, FilesystemLoop } = Deno.errors;
const PASSED_OVER = [NotFound, NotADirectory, PermissionDenied, FilesystemLoop, AppError];

/** Runs `look`, and makes nothing of it where a directory went away, was exchanged, or is not for us. */
export function ifAllowed(look: () => void): void {
  try {
    look();
  } catch (error) {
    if (!PASSED_OVER.some((kind) => error instanceof kind)) throw error;
  }
}

/** `undefined` also for what may be listed but not looked at. */
export function lstatIfAllowed(fs: FileSystem, path: string): Deno.FileInfo | undefined {
  try {
    return lstatIfThere(fs, path);
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return undefined;
    throw error;
  }
}
