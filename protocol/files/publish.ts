/**
 * Making a finished file visible: one step that happens or does not. The caller flushes: before it the file,
 * after it, with `flushDirectory`, the directory.
 *
 * Creating is a hard link, which fails when the name is taken; replacing is a rename, which never shows anything
 * between the old and the new. Where a file system has no hard links, creating is a look and a rename: then two
 * publishers of one name in the same instant can replace one another, and nothing else can go wrong.
 */
import { AppError } from "../errors.ts";
import { quoteName } from "../escape.ts";
import { numberedName } from "../names.ts";
import { type FileSystem, lstatIfThere, removeIfThere } from "./file_system.ts";
import { systemCode } from "./fs_errors.ts";
import { join, type Place } from "./resolve.ts";
import type { IfTaken } from "./tree.ts";

const NUMBERS_MAX = 10_000;
const NO_HARD_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/**
 * Gives the file at `hiddenPath` the name of `place`, or a numbered one; the name that it got. `beforeRelease` is called
 * right before the old name goes away.
 */
export function publish(
  fs: FileSystem,
  hiddenPath: string,
  place: Place,
  ifTaken: IfTaken,
  beforeRelease: () => void = () => {},
): string {
  if (ifTaken === "replace") {
    refuseToReplace(fs, place);
    beforeRelease();
    fs.renameSync(hiddenPath, place.path);
    return place.name;
  }
  for (let number = 1; number <= NUMBERS_MAX; number++) {
    const base = number === 1 ? place.base : numberedName(place.base, number);
    if (createExclusive(fs, hiddenPath, join(place.parent, base), beforeRelease)) return renamed(place.name, base);
    if (ifTaken === "error") break;
  }
  throw taken(place.name);
}

/** The error for a name that is taken. */
export function taken(name: string): AppError {
  return new AppError("exists", `Cannot store ${quoteName(name)}: the name is taken`);
}

/** Throws unless a file may take that name: it never replaces a directory, a device, a socket or a pipe. */
export function refuseToReplace(fs: FileSystem, { path, name }: Place): void {
  const there = lstatIfThere(fs, path);
  if (!there || there.isFile || there.isSymlink) return;
  const [code, what] = there.isDirectory
    ? ["is_directory", "a directory"] as const
    : ["not_a_file", "no file"] as const;
  throw new AppError(code, `Cannot store ${quoteName(name)}: it is ${what}`);
}

/** Writes to the disk that `directory` has other entries now. */
export function flushDirectory(fs: FileSystem, directory: string): void {
  if (Deno.build.os === "windows") return; // directories cannot be opened there, and renames are logged by NTFS
  using handle = fs.openSync(directory, { read: true });
  handle.syncSync();
}

function createExclusive(fs: FileSystem, from: string, to: string, beforeRelease: () => void): boolean {
  try {
    fs.linkSync(from, to);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    if (!NO_HARD_LINKS.has(systemCode(error) ?? "")) throw error;
    if (lstatIfThere(fs, to)) return false;
    beforeRelease();
    fs.renameSync(from, to);
    return true;
  }
  beforeRelease();
  removeIfThere(fs, from);
  return true;
}

function renamed(name: string, base: string): string {
  return name.slice(0, name.lastIndexOf("/") + 1) + base;
}
