/**
 * The calls to the operating system that the local tree makes, as a value that can be handed in: a test stops any one
 * of them after the n-th. Synchronous ones, since they cost a quarter to a tenth of the asynchronous ones here; only
 * flushing waits, because a disk may take seconds for it, and listing, because a directory may be large.
 */

import type { Here } from "./here.ts";
import { openToAdjust, setOwnTime } from "./adjust_handle.ts";
import { openToRead } from "./read_handle.ts";

type SystemCalls = Pick<
  typeof Deno,
  | "lstatSync"
  | "statSync"
  | "realPathSync"
  | "readDir"
  | "readDirSync"
  | "readTextFileSync"
  | "writeTextFileSync"
  | "openSync"
  | "mkdirSync"
  | "renameSync"
  | "linkSync"
  | "remove"
  | "removeSync"
  | "writeFileSync"
  | "utimeSync"
  | "chmodSync"
  | "symlinkSync"
  | "readLinkSync"
>;

export interface FileSystem extends SystemCalls {
  readonly openToRead: typeof openToRead;
  readonly openToAdjust: typeof openToAdjust;
  readonly setOwnTime: typeof setOwnTime;
}

const OURS = { openToRead, openToAdjust, setOwnTime };

export const FILE_SYSTEM: FileSystem = Object.assign(Object.create(Deno) as SystemCalls, OURS);

/** What is under `path`, links not followed; `undefined` if nothing is. */
export function lstatIfThere(fs: FileSystem, path: string): Deno.FileInfo | undefined {
  try {
    return fs.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Removes what stands under `path`; nothing there is as good. */
export function removeIfThere(fs: FileSystem, path: string): void {
  try {
    fs.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Writes to the disk that the directory has other entries now. */
export function flushDirectory(fs: FileSystem, here: Here): void {
  if (Deno.build.os === "windows") return; // directories cannot be opened there, and renames are logged by NTFS
  using handle = fs.openSync(here.at("."), { read: true });
  handle.syncSync();
}
