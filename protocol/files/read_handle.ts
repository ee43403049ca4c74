/**
 * Opening what is only read. A pipe or a device that was put in the place of a file between the look and the opening
 * would hold the whole process up; so nothing is waited for, and no link is followed. Only `node:fs` can say that, and
 * only in a process with all permissions; with fewer, what was opened is still compared with what was looked at.
 */
import type * as NodeFs from "node:fs";

/** What is known of an open file, or of one that was looked at. */
export type FileLook = Pick<Deno.FileInfo, "isFile" | "isDirectory" | "size" | "mtime" | "mode" | "ino" | "dev">;

export interface ReadHandle {
  stat(): FileLook;
  /** Reads some bytes at `offset`; 0 at the end. */
  readAt(offset: number, into: Uint8Array): number;
  close(): void;
}

let nodeFs: typeof NodeFs | undefined;

/** Comes before the first `openToRead`: loading it takes 18 ms, which short commands do without. */
export async function loadOpenToRead(): Promise<void> {
  nodeFs ??= await import("node:fs");
}

/** Throws the system's ELOOP for a link. What is no file is opened without waiting: look at it before it is read. */
export function openToRead(path: string): ReadHandle {
  const fs = nodeFs!;
  const { O_RDONLY, O_NONBLOCK = 0, O_NOFOLLOW = 0 } = fs.constants;
  const fd = fs.openSync(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  return {
    stat: () => lookOf(fs.fstatSync(fd)),
    readAt: (offset, into) => fs.readSync(fd, into, 0, into.length, offset),
    close: () => fs.closeSync(fd),
  };
}

/** An open file of the runtime, which nobody else moves. */
export function handleOf(file: Deno.FsFile): ReadHandle {
  let position = 0;
  return {
    stat: () => file.statSync(),
    readAt(offset, into) {
      if (offset !== position) position = file.seekSync(offset, Deno.SeekMode.Start);
      const count = file.readSync(into) ?? 0;
      position += count;
      return count;
    },
    close: () => file.close(),
  };
}

function lookOf(stats: NodeFs.Stats): FileLook {
  const { size, mtime, mode, ino, dev } = stats;
  return { isFile: stats.isFile(), isDirectory: stats.isDirectory(), size, mtime, mode, ino, dev };
}
