/**
 * Partials: unfinished files, beside their target, under reserved names that no request can use.
 *
 *     .app-partial-<hash of the base name>             the bytes so far
 *     .app-partial-<hash of the base name>.note        of which source: name, size, mtime (JSON, for people too)
 *     .app-partial-<hash of the base name>-<random>    one that cannot be resumed
 *
 * Owns: opening one with one writer at a time, and telling whether it belongs to a source. Whether its bytes do is
 * proven by digests in `exchange/`. A partial has exactly one name: one with two is a published file that a crash left
 * with its old name too, and writing to it would change what is visible.
 */
import { AppError } from "../errors.ts";
import { quoteName } from "../escape.ts";
import { RESERVED_PREFIX } from "../names.ts";
import { type FileSystem, lstatIfThere, removeIfThere } from "./file_system.ts";
import { tryLock } from "./lock.ts";
import { join, type Place } from "./resolve.ts";

export const PARTIAL_PREFIX = `${RESERVED_PREFIX}partial-`;

/** Which source a partial belongs to. */
export interface SourceNote {
  readonly name: string;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
}

export interface Partial {
  readonly file: Deno.FsFile;
  readonly path: string;
  /** Bytes of the same source that are there. */
  readonly heldBytes: number;
  /** There was one of another source; it was emptied. */
  readonly restarted: boolean;
}

/**
 * Where the partial of `place` lies, if it can be resumed. Files that take turns with one name have one partial. Those
 * that step aside for one another (`version` tells them apart) are written at the same time.
 */
export function partialPath({ parent, base }: Place, version = ""): string {
  return join(parent, PARTIAL_PREFIX + hashName(base + version));
}

export function notePath(partial: string): string {
  return `${partial}.note`;
}

/** Takes away the old name of what stands published under `place`: a crash in between can leave both. */
export function removePublishedPartial(fs: FileSystem, place: Place): void {
  const path = partialPath(place);
  const partial = lstatIfThere(fs, path);
  const published = lstatIfThere(fs, place.path);
  if (partial?.ino !== published?.ino || partial?.dev !== published?.dev || !partial) return;
  removeIfThere(fs, notePath(path));
  removeIfThere(fs, path);
}

/** The partial that the note at `path` is about; `path` itself if it is no note. */
export function partialOfNote(path: string): string {
  return path.replace(/\.note$/, "");
}

/** A new one for a file that is too small, or too little known, to be resumed. */
export function openScratch(fs: FileSystem, place: Place): Partial {
  const random = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0"));
  const path = `${partialPath(place)}-${random.join("")}`;
  return {
    file: fs.openSync(path, { createNew: true, read: true, write: true }),
    path,
    heldBytes: 0,
    restarted: false,
  };
}

/** The partial of `source` at `path`, made or gone on with, locked. Throws `busy` while somebody else writes it. */
export async function openPartial(
  fs: FileSystem,
  place: Place,
  path: string,
  source: SourceNote,
): Promise<Partial> {
  for (let attempt = 0; attempt < 10; attempt++) {
    const file = openOrMake(fs, path, place.name);
    if (!file) continue;
    try {
      if (!await tryLock(file, path)) throw busy(place.name);
      if (isOnlyName(fs, path, file)) return prepare(fs, path, file, source);
      file.close();
    } catch (error) {
      file.close();
      throw error;
    }
  }
  throw busy(place.name);
}

/** The source of the partial of `place`, if there is one that could be gone on with. */
export function readNote(fs: FileSystem, place: Place): SourceNote | undefined {
  const path = partialPath(place);
  try {
    if (fs.lstatSync(path).isFile) return parseNote(fs.readTextFileSync(notePath(path)));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** `undefined` when it came and went in that moment. */
function openOrMake(fs: FileSystem, path: string, name: string): Deno.FsFile | undefined {
  try {
    return fs.openSync(path, { createNew: true, read: true, write: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  try {
    const info = fs.lstatSync(path);
    if (!info.isFile) throw new AppError("not_a_file", `Cannot store ${quoteName(name)}: its partial is not a file`);
    return fs.openSync(path, { read: true, write: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Whether `path` still leads to `file`, and nothing else does. If others do, this name of it is taken away. */
function isOnlyName(fs: FileSystem, path: string, file: Deno.FsFile): boolean {
  const opened = file.statSync();
  const there = lstatIfThere(fs, path);
  if (there?.ino !== opened.ino || there.dev !== opened.dev) return false; // published in that moment
  if (opened.nlink === null || opened.nlink <= 1) return true;
  removeIfThere(fs, path);
  return false;
}

function prepare(fs: FileSystem, path: string, file: Deno.FsFile, source: SourceNote): Partial {
  const bytes = file.statSync().size;
  const note = bytes === 0 ? undefined : readNoteAt(fs, path);
  const sameSource = note?.name === source.name && note.sizeBytes === source.sizeBytes &&
    note.mtimeMs === source.mtimeMs;
  if (sameSource) return { file, path, heldBytes: Math.min(bytes, source.sizeBytes), restarted: false };
  file.truncateSync(0);
  writeNote(fs, path, source);
  return { file, path, heldBytes: 0, restarted: note !== undefined };
}

/** On a disk without room for the note nothing is left: an empty partial could hold the last inode for days. */
function writeNote(fs: FileSystem, path: string, source: SourceNote): void {
  try {
    fs.writeTextFileSync(notePath(path), JSON.stringify({ about: "An unfinished transfer of app", ...source }) + "\n");
  } catch (error) {
    removeIfThere(fs, notePath(path));
    removeIfThere(fs, path);
    throw error;
  }
}

function readNoteAt(fs: FileSystem, path: string): SourceNote | undefined {
  try {
    return parseNote(fs.readTextFileSync(notePath(path)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** `undefined` for a torn or foreign note: then nothing is known, and the transfer starts anew. */
function parseNote(text: string): SourceNote | undefined {
  try {
    const { name, sizeBytes, mtimeMs } = JSON.parse(text) ?? {};
    if (typeof name === "string" && isAmount(sizeBytes) && isAmount(mtimeMs)) return { name, sizeBytes, mtimeMs };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
}

function isAmount(value: unknown): value is number {
  return Number.isSafeInteger(value) && value as number >= 0;
}

/** FNV-1a, 64 bits: names of one directory apart, in a fixed length. A clash is seen by the note and does no harm. */
function hashName(base: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(base)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, "0");
}

/** The error for a partial that has a writer. */
export function busy(name: string): AppError {
  return new AppError("busy", `Cannot write ${quoteName(name)}: somebody else is writing it now`);
}
