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
import type { Here } from "./here.ts";
import { join } from "./paths.ts";
import type { Place } from "./resolve.ts";

export const PARTIAL_PREFIX = `${RESERVED_PREFIX}partial-`;

/** More than any note of ours has: a name in it has a quarter of that at most, each byte of it written as up to six. */
const NOTE_BYTES_MAX = 8_192;

/** Which source a partial belongs to. */
export interface SourceNote {
  readonly name: string;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
}

export interface Partial {
  readonly file: Deno.FsFile;
  /** Its name in the directory. */
  readonly base: string;
  /** Bytes of the same source that are there. */
  readonly heldBytes: number;
  /** There was one of another source; it was emptied. */
  readonly restarted: boolean;
}

/**
 * The name of the partial of `place`, if it can be resumed. Files that take turns with one name have one partial. Those
 * that step aside for one another (`version` tells them apart) are written at the same time.
 */
export function partialName({ base }: Place, version = ""): string {
  return PARTIAL_PREFIX + hashName(base + version);
}

export function noteName(partial: string): string {
  return `${partial}.note`;
}

/** Takes away the old name of what stands published under `place`: a crash in between can leave both. */
export function removePublishedPartial(fs: FileSystem, here: Here, place: Place): void {
  const partialBase = partialName(place);
  const partial = lstatIfThere(fs, here.at(partialBase));
  const published = lstatIfThere(fs, here.at(place.base));
  if (partial?.ino !== published?.ino || partial?.dev !== published?.dev || !partial) return;
  removeIfThere(fs, here.at(noteName(partialBase)));
  removeIfThere(fs, here.at(partialBase));
}

/** The partial that the note `base` is about; `base` itself if it is no note. */
export function partialOfNote(base: string): string {
  return base.replace(/\.note$/, "");
}

/** A new one for a file that is too small, or too little known, to be resumed. */
export function openScratch(fs: FileSystem, here: Here, place: Place): Partial {
  const random = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0"));
  const base = `${partialName(place)}-${random.join("")}`;
  const file = fs.openSync(here.at(base), { createNew: true, read: true, write: true });
  return { file, base, heldBytes: 0, restarted: false };
}

/** Runs its argument in the directory of a place, which is still where it was. */
export type AtPlace = <T>(work: (here: Here) => T) => T;

/** The partial `base` of `source`, made or gone on with, locked. Throws `busy` while somebody else writes it. */
export async function openPartial(
  fs: FileSystem,
  place: Place,
  atPlace: AtPlace,
  base: string,
  source: SourceNote,
): Promise<Partial> {
  for (let attempt = 0; attempt < 10; attempt++) {
    const file = atPlace((here) => openOrMake(fs, here.at(base), place.name));
    if (!file) continue;
    try {
      if (!await tryLock(file, join(place.parent, base))) throw busy(place.name);
      const partial = atPlace((here) => isOnlyName(fs, here.at(base), file) && prepare(fs, here, base, file, source));
      if (partial) return partial;
      file.close();
    } catch (error) {
      file.close();
      throw error;
    }
  }
  throw busy(place.name);
}

/** The source of the partial of `place`, if there is one that could be gone on with. */
export function readNote(fs: FileSystem, here: Here, place: Place): SourceNote | undefined {
  const base = partialName(place);
  return lstatIfThere(fs, here.at(base))?.isFile ? readNoteOf(fs, here, base) : undefined;
}

/** `undefined` when it came and went in that moment. */
function openOrMake(fs: FileSystem, path: string, name: string): Deno.FsFile | undefined {
  try {
    return fs.openSync(path, { createNew: true, read: true, write: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  const file = openOwn(fs, path);
  if (file === "other") throw new AppError("not_a_file", `Cannot store ${quoteName(name)}: its partial is not a file`);
  return file;
}

/**
 * The file of ours at `path`, open to be read and written; `undefined` when there is none, "other" when it is none of
 * ours. Opening for both does not wait for anybody, whatever may stand there by now.
 */
export function openOwn(fs: FileSystem, path: string): Deno.FsFile | "other" | undefined {
  try {
    const info = fs.lstatSync(path);
    if (!info.isFile) return "other";
    const file = fs.openSync(path, { read: true, write: true });
    if (isOpen(info, file)) return file;
    file.close(); // it was exchanged in that moment
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Whether `file` is what was looked at; closes it if the system cannot tell. */
function isOpen({ ino, dev }: Deno.FileInfo, file: Deno.FsFile): boolean {
  try {
    const opened = file.statSync();
    return opened.ino === ino && opened.dev === dev;
  } catch (error) {
    file.close();
    throw error;
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

function prepare(fs: FileSystem, here: Here, base: string, file: Deno.FsFile, source: SourceNote): Partial {
  const bytes = file.statSync().size;
  const note = bytes === 0 ? undefined : readNoteOf(fs, here, base);
  const sameSource = note?.name === source.name && note.sizeBytes === source.sizeBytes &&
    note.mtimeMs === source.mtimeMs;
  if (sameSource) return { file, base, heldBytes: Math.min(bytes, source.sizeBytes), restarted: false };
  file.truncateSync(0);
  writeNote(fs, here, base, source);
  return { file, base, heldBytes: 0, restarted: note !== undefined };
}

/**
 * The note is always a new file: what somebody put under its name, a link perhaps, is not written to. On a disk without
 * room for it nothing is left: an empty partial could hold the last inode for days.
 */
function writeNote(fs: FileSystem, here: Here, base: string, source: SourceNote): void {
  const path = here.at(noteName(base));
  try {
    removeIfThere(fs, path);
    const text = JSON.stringify({ about: "An unfinished transfer of app", ...source }) + "\n";
    fs.writeTextFileSync(path, text, { createNew: true });
  } catch (error) {
    removeIfThere(fs, path);
    removeIfThere(fs, here.at(base));
    throw error;
  }
}

function readNoteOf(fs: FileSystem, here: Here, base: string): SourceNote | undefined {
  const file = openOwn(fs, here.at(noteName(base)));
  if (!file || file === "other") return undefined;
  try {
    const bytes = new Uint8Array(NOTE_BYTES_MAX);
    return parseNote(new TextDecoder().decode(bytes.subarray(0, file.readSync(bytes) ?? 0)));
  } finally {
    file.close();
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
