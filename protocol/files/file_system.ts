/**
 * The calls to the operating system that the local tree makes, as a value that can be handed in: a test stops any one
 * of them after the n-th. Synchronous ones, since they cost a quarter to a tenth of the asynchronous ones here; only
 * flushing waits, because a disk may take seconds for it, and listing, because a directory may be large.
 */

export type FileSystem = Pick<
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
  | "removeSync"
>;

export const FILE_SYSTEM: FileSystem = Deno;

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
