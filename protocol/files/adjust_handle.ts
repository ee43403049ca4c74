/**
 * Times and permission bits of what is there, without ever following a link. Only `node:fs` can do that: a time is set
 * by name for the entry itself, bits through a handle, which also tells what it is that gets them.
 */
import type * as NodeFs from "node:fs";

export interface AdjustHandle {
  /** Neither a link nor a device. */
  readonly isOrdinary: boolean;
  /** Which entry of which file system it is. */
  readonly ino: number;
  readonly dev: number;
  setMode(mode: number): void;
  /** Writes content, time and bits to the disk; absent for what may not be read. */
  readonly sync?: () => Promise<void>;
  close(): void;
}

let nodeFs: typeof NodeFs | undefined;

/** Comes before the first call of the others: loading it takes 18 ms, which most runs do without. */
export async function loadAdjusting(): Promise<void> {
  nodeFs ??= await import("node:fs");
}

/** Sets the time of the entry itself. */
export function setOwnTime(path: string, time: Date): void {
  nodeFs!.lutimesSync(path, time, time);
}

/** Linux: names a file, to change it and not to read it. The runtime has no constant for it. */
const O_PATH = 0o10000000;

/** Throws the system's ELOOP for a link. */
export function openToAdjust(path: string): AdjustHandle {
  const fs = nodeFs!;
  const { O_RDONLY, O_NONBLOCK = 0, O_NOFOLLOW = 0 } = fs.constants;
  try {
    const fd = fs.openSync(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
    return {
      ...handleOf(fs, fd),
      setMode: (mode) => fs.fchmodSync(fd, mode),
      sync: () => new Promise((resolve, reject) => fs.fsync(fd, (error) => error ? reject(error) : resolve())),
    };
  } catch (error) {
    // Our own file may be one that not even we may read.
    if ((error as { code?: string }).code !== "EACCES" || Deno.build.os !== "linux") throw error;
    const fd = fs.openSync(path, O_PATH | O_NOFOLLOW);
    return { ...handleOf(fs, fd), setMode: (mode) => fs.chmodSync(`/proc/self/fd/${fd}`, mode) };
  }
}

function handleOf(fs: typeof NodeFs, fd: number): Pick<AdjustHandle, "isOrdinary" | "ino" | "dev" | "close"> {
  const stats = fs.fstatSync(fd);
  const { ino, dev } = stats;
  return { isOrdinary: stats.isFile() || stats.isDirectory(), ino, dev, close: () => fs.closeSync(fd) };
}
