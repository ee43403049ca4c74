/**
 * Giving what stands in the directory that we stand in another time or other bits, and writing that to the disk. Links
 * are not followed. `loadAdjusting` comes before.
 *
 * A time is set by name, since handles of the runtime lose a millisecond: what another process puts there between the
 * look and that, within microseconds, gets it.
 */
import { AppError } from "../errors.ts";
import { quoteName } from "../escape.ts";
import { DATE_MS_MAX } from "../limits.ts";
import type { AdjustHandle } from "./adjust_handle.ts";
import type { FileSystem } from "./file_system.ts";
import { isStill } from "./folder_reading.ts";
import { systemCode, translated } from "./fs_errors.ts";
import type { Here } from "./here.ts";
import { modeOf, type Permissions } from "./permissions.ts";
import { exchanged } from "./resolve.ts";
import type { Adjusted, Change } from "./tree.ts";

/** What file systems say that keep no times of links, or have no such call. */
const NO_LINK_TIMES = new Set(["ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

/**
 * "" is the directory itself. Throws `busy` for what is not what it was. Errors say `name`; `flushFolder` writes to the
 * disk what is in it.
 */
export function adjustEntry(
  fs: FileSystem,
  here: Here,
  { base, facts: { mtimeMs, ...bits }, expected, isUnflushed = false }: Change,
  name: string,
  flushFolder: () => void,
): Adjusted {
  const path = here.at(base === "" ? "." : base);
  const info = fs.lstatSync(path);
  if (expected === "directory" ? !info.isDirectory : !isStill(expected, info)) {
    throw new AppError("busy", `Cannot change ${quoteName(name)}: somebody else has changed it meanwhile`);
  }
  const isLink = info.isSymlink;
  const mode = modeOf(bits);
  const isAsItIs = mode === undefined || info.mode !== null && (info.mode & 0o7777) === mode;
  // On Windows there are no bits, and directories cannot be opened.
  const isOpened = !isLink && Deno.build.os !== "windows" && !(isAsItIs && isUnflushed);
  const handle = isOpened ? openUnexchanged(fs, path, name) : undefined;
  try {
    if (mode !== undefined) handle?.setMode(mode);
    if (mtimeMs !== undefined && isLink) setLinkTime(fs, path, mtimeMs);
    else if (mtimeMs !== undefined) fs.setOwnTime(path, dateOf(mtimeMs));
  } catch (error) {
    handle?.close();
    throw error;
  }
  return new LocalAdjusted(handle, name, flushFolder);
}

/** Gives the file `own`, which was made at `path` without them, the bits that `facts` ask for. Errors say `name`. */
export function setPermissions(fs: FileSystem, path: string, own: Deno.FsFile, facts: Permissions, name: string): void {
  const mode = modeOf(facts);
  if (mode === undefined) return;
  const { ino, dev } = own.statSync();
  const handle = openUnexchanged(fs, path, name);
  try {
    if (handle.ino !== ino || handle.dev !== dev) throw exchanged(name);
    handle.setMode(mode);
  } finally {
    handle.close();
  }
}

/** A link has a time as long as the file system keeps one for it. */
export function setLinkTime(fs: FileSystem, path: string, mtimeMs: number): void {
  try {
    fs.setOwnTime(path, dateOf(mtimeMs));
  } catch (error) {
    if (!NO_LINK_TIMES.has(systemCode(error) ?? "")) throw error;
  }
}

function dateOf(mtimeMs: number): Date {
  return new Date(Math.min(mtimeMs, DATE_MS_MAX));
}

function openUnexchanged(fs: FileSystem, path: string, name: string): AdjustHandle {
  let handle: AdjustHandle;
  try {
    handle = fs.openToAdjust(path);
  } catch (error) {
    throw systemCode(error) === "ELOOP" ? exchanged(name) : error;
  }
  if (handle.isOrdinary) return handle;
  handle.close();
  throw exchanged(name);
}

class LocalAdjusted implements Adjusted {
  readonly #name: string;
  readonly #flushFolder: () => void;
  #handle: AdjustHandle | undefined;

  constructor(handle: AdjustHandle | undefined, name: string, flushFolder: () => void) {
    this.#handle = handle;
    this.#name = name;
    this.#flushFolder = flushFolder;
  }

  async flush(): Promise<void> {
    try {
      if (this.#handle?.sync) await this.#handle.sync();
      else this.#flushFolder();
    } catch (error) {
      throw translated("store", this.#name, error);
    } finally {
      this.release();
    }
  }

  release(): void {
    this.#handle?.close();
    this.#handle = undefined;
  }
}
