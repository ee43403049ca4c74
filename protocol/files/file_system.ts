/**
 * The calls to the operating system that the local tree makes, as a value that can be handed in: a test stops any one
 * of them after the n-th. Synchronous ones, since they cost a quarter to a tenth of the asynchronous ones here; only
 * flushing waits, because a disk may take seconds for it.
 */

export type FileSystem = Pick<
  typeof Deno,
  | "lstatSync"
  | "statSync"
  | "realPathSync"
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
