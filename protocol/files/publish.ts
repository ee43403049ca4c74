/**
 * Making a finished file visible: one step that happens or does not. The caller stands in the directory, and flushes:
 * before it the file, after it, with `flushDirectory`, the directory.
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
import type { Here } from "./here.ts";
import type { Place } from "./resolve.ts";
import type { IfTaken } from "./tree.ts";

const NUMBERS_MAX = 10_000;
/** What the system says that cannot have a second name for a file. */
export const NO_HARD_LINKS: ReadonlySet<string> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/**
 * Gives the file at `hiddenPath` the name of `place`, where we stand, or a numbered one; the name that it got. `beforeRelease` is called
 * right before the old name goes away.
 */
export function publish(
  fs: FileSystem,
  here: Here,
  hiddenPath: string,
  place: Place,
  ifTaken: IfTaken,
  beforeRelease: () => void = () => {},
): string {
  if (ifTaken === "replace") {
    refuseToReplace(fs, here, place);
    beforeRelease();
    fs.renameSync(hiddenPath, here.at(place.base));
    return place.name;
  }
  for (let number = 1; number <= NUMBERS_MAX; number++) {
    const base = number === 1 ? place.base : numberedName(place.base, number);
    if (createExclusive(fs, hiddenPath, here.at(base), beforeRelease)) return renamed(place.name, base);
    if (ifTaken === "error") break;
  }
  throw taken(place.name);
}

/**
 * Like `publish` with `replace`, for a name that nothing had a moment ago: it is not looked at again, which takes as
 * long as the rename itself. A directory that got the name meanwhile is not replaced all the same.
 */
export function publishFree(fs: FileSystem, here: Here, hiddenPath: string, place: Place): string {
  fs.renameSync(hiddenPath, here.at(place.base));
  return place.name;
}

/** The error for a name that is taken. */
export function taken(name: string): AppError {
  return new AppError("exists", `Cannot store ${quoteName(name)}: the name is taken`);
}

/** Throws unless a file may take that name: it never replaces a directory, a device, a socket or a pipe. */
export function refuseToReplace(fs: FileSystem, here: Here, { base, name }: Place): void {
  const there = lstatIfThere(fs, here.at(base));
  if (!there || there.isFile || there.isSymlink) return;
  const [code, what] = there.isDirectory
    ? ["is_directory", "a directory"] as const
    : ["not_a_file", "no file"] as const;
  throw new AppError(code, `Cannot store ${quoteName(name)}: it is ${what}`);
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
