/** Walks of a directory: listing one, measuring a whole tree, and sweeping out what nobody went on with. */
import { breathe } from "../breathe.ts";
import { PARTIAL_AGE_MAX_MS } from "../limits.ts";
import { isReserved, nameFault, sortNames } from "../names.ts";
import { type FileSystem, lstatIfThere, removeIfThere } from "./file_system.ts";
import { PARTIAL_PREFIX, partialOfNote } from "./partial.ts";
import { type Found, join } from "./resolve.ts";
import type { Batch, Entry, EntryKind } from "./tree.ts";

const BATCH_ENTRIES = 256;

/** Permission bits of files whose system has none. */
const DEFAULT_MODE = 0o644;

export function entryOf(name: string, info: Deno.FileInfo): Entry {
  const kind: EntryKind = info.isFile ? "file" : info.isDirectory ? "directory" : "other";
  return {
    name,
    kind,
    sizeBytes: info.isFile ? info.size : 0,
    mtimeMs: Math.max(0, info.mtime?.getTime() ?? 0),
    mode: (info.mode ?? DEFAULT_MODE) & 0o777,
  };
}

/**
 * The entries of the directory at `path`, sorted by name. `look` follows a link, or returns `undefined` where it leads
 * out or nowhere: such an entry is not shown, as nobody could get it.
 */
export async function* listDirectory(
  fs: FileSystem,
  path: string,
  all: boolean,
  look: (path: string) => Found | undefined,
): AsyncGenerator<Batch> {
  const names: string[] = [];
  // The asynchronous one: it takes twice as long, but nobody else waits while a large directory is read.
  for await (const { name } of fs.readDir(path)) {
    if (!isReserved(name) && (all || !name.startsWith("."))) names.push(name);
  }
  sortNames(names);
  for (let start = 0; start < names.length; start += BATCH_ENTRIES) {
    const batch = names.slice(start, start + BATCH_ENTRIES);
    const entries = batch.map((name) => nameFault(name) ? undefined : look(join(path, name)))
      .map((found, index) => found && entryOf(batch[index]!, found.info))
      .filter((entry) => entry !== undefined);
    yield { entries, hidden: batch.length - entries.length };
    await breathe();
  }
}

export interface Measure {
  files: number;
  sizeBytes: number;
}

/** Counts the files below `path` and their bytes, and hands every partial to `visit`. Links are not followed. */
export async function measure(
  fs: FileSystem,
  path: string,
  { signal, visit = () => {} }: { signal?: AbortSignal; visit?: (path: string) => void } = {},
): Promise<Measure> {
  const total: Measure = { files: 0, sizeBytes: 0 };
  const directories = [path];
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    for (const { name, isDirectory, isFile } of readIfAllowed(fs, directory)) {
      const pathOfEntry = join(directory, name);
      if (isDirectory && !isReserved(name)) directories.push(pathOfEntry);
      if (isFile) countFile(fs, pathOfEntry, name, total, visit);
      if (await breathe() && signal?.aborted) return total;
    }
  }
  return total;
}

/** Removes partials below `path` that nobody went on with for seven days; how many. */
export async function sweepPartials(fs: FileSystem, path: string, signal?: AbortSignal): Promise<number> {
  let removed = 0;
  await measure(fs, path, {
    ...(signal ? { signal } : {}),
    visit: (pathOfEntry) => removed += removeIfOld(fs, pathOfEntry) ? 1 : 0,
  });
  return removed;
}

const sweptDirectories = new Set<string>();

/** The same for one directory, the first time that it is asked for in this process; what is below it is not touched. */
export function sweepDirectoryOnce(fs: FileSystem, directory: string): void {
  if (sweptDirectories.has(directory)) return;
  sweptDirectories.add(directory);
  for (const { name, isFile } of readIfAllowed(fs, directory)) {
    if (isFile && name.startsWith(PARTIAL_PREFIX)) removeIfOld(fs, join(directory, name));
  }
}

/**
 * Removes the partial, or the note of one, at `path`, if nobody went on with it for seven days. The last change of its
 * state counts too, since a file that is about to be published has the time of its source. Somebody else's that may
 * not be removed stays.
 */
function removeIfOld(fs: FileSystem, path: string): boolean {
  const info = lstatIfAllowed(fs, partialOfNote(path)) ?? lstatIfAllowed(fs, path);
  if (!info || lastTouchedMs(info) >= Date.now() - PARTIAL_AGE_MAX_MS) return false;
  try {
    removeIfThere(fs, path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return false;
    throw error;
  }
}

function lastTouchedMs({ mtime, ctime }: Deno.FileInfo): number {
  return Math.max(mtime?.getTime() ?? Infinity, ctime?.getTime() ?? 0);
}

function countFile(
  fs: FileSystem,
  path: string,
  name: string,
  total: Measure,
  visitPartial: (path: string) => void,
): void {
  const info = lstatIfAllowed(fs, path);
  if (!info) return; // it went away in that moment, or is not for us
  if (name.startsWith(PARTIAL_PREFIX)) return visitPartial(path);
  if (isReserved(name)) return;
  total.files++;
  total.sizeBytes += info.size;
}

function readIfAllowed(fs: FileSystem, directory: string): Iterable<Deno.DirEntry> {
  try {
    return fs.readDirSync(directory);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) return [];
    throw error;
  }
}

/** `undefined` also for what may be listed but not looked at. */
function lstatIfAllowed(fs: FileSystem, path: string): Deno.FileInfo | undefined {
  try {
    return lstatIfThere(fs, path);
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return undefined;
    throw error;
  }
}
