/** Looking at and reading what stands in the directory that we stand in; links are never followed. */
import { AppError } from "../errors.ts";
import { quoteName } from "../escape.ts";
import { type FileSystem, lstatIfThere } from "./file_system.ts";
import { errorNameOfSystem, systemCode } from "./fs_errors.ts";
import type { Here } from "./here.ts";
import type { LocalSource } from "./local_source.ts";
import { openFound, openToRead } from "./open_found.ts";
import type { ReadHandle } from "./read_handle.ts";
import { entryOf } from "./scan.ts";
import type { FolderEntry } from "./tree.ts";

/** What the system tells of an entry besides; which file it is. */
export interface LocalEntry extends FolderEntry {
  readonly ino: number | null;
  readonly dev: number;
}

/** What stands there itself; `undefined` if nothing does. */
export function lookAtEntry(fs: FileSystem, here: Here, base: string): FolderEntry | undefined {
  const info = lstatIfThere(fs, here.at(base));
  if (!info) return;
  const { kind, sizeBytes, mtimeMs, mode } = entryOf(base, info);
  const { ino, dev } = info;
  const entry: LocalEntry = { name: base, kind, sizeBytes, mtimeMs, mode, ino, dev };
  if (!info.isSymlink) return entry;
  const target = readLinkIfStill(fs, here.at(base));
  return target === undefined ? lookAtEntry(fs, here, base) : { ...entry, kind: "link", target } as FolderEntry;
}

/** `undefined` if it is no link any more. */
function readLinkIfStill(fs: FileSystem, path: string): string | undefined {
  try {
    return fs.readLinkSync(path);
  } catch (error) {
    if (errorNameOfSystem(error) === "not_found" || systemCode(error) === "EINVAL") return undefined;
    throw error;
  }
}

/** Opens the file `base`, of which errors say `name`. */
export function openEntry(fs: FileSystem, here: Here, base: string, name: string): LocalSource {
  return openFound(fs, { here, base, info: fs.lstatSync(here.at(base)) }, name);
}

/**
 * Reads a whole file into the beginning of `into`; which version it is. What stands there afterwards is compared with
 * what was expected, by its name: to ask the open file costs the runtime ten times as much.
 */
export function readEntry(
  fs: FileSystem,
  here: Here,
  expected: FolderEntry,
  name: string,
  into: Uint8Array,
): FolderEntry {
  const base = expected.name;
  const file = openToRead(fs, here.at(base), name);
  let count: number;
  try {
    count = readFully(file, into.subarray(0, expected.sizeBytes));
  } finally {
    file.close();
  }
  const after = fs.lstatSync(here.at(base));
  const isRead = isStill(expected, after) && count === after.size && after.isFile;
  return isRead ? expected : readAgain(openEntry(fs, here, base, name), base, name, into);
}

/** Whether what is there now is the entry that was looked at, and has not changed. */
export function isStill(entry: FolderEntry, now: Deno.FileInfo): boolean {
  const { sizeBytes, mtimeMs } = entryOf(entry.name, now);
  return isSameFile(entry, now) && sizeBytes === entry.sizeBytes && mtimeMs === entry.mtimeMs;
}

/** The same, whatever became of its content, time and bits. */
export function isSameFile(entry: FolderEntry, now: Deno.FileInfo): boolean {
  const { ino = null, dev } = entry as Partial<LocalEntry>;
  return now.ino === ino && now.dev === dev;
}

/** It was not as expected: once more, with a look before and one behind. */
function readAgain(opened: LocalSource, base: string, name: string, into: Uint8Array): FolderEntry {
  using source = opened;
  const { sizeBytes } = source.entry;
  const isWhole = sizeBytes <= into.length &&
    readFully({ readAt: (offset, piece) => source.readAt(offset, piece) }, into.subarray(0, sizeBytes)) === sizeBytes;
  if (!isWhole) {
    throw new AppError("source_changed", `Cannot send ${quoteName(name)}: it changed while it was read`);
  }
  source.verifyUnchanged();
  return { ...source.entry, name: base };
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
