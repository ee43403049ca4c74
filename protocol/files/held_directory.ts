/**
 * A second directory, for what is done between two: we can stand in one only (`here.ts`).
 *
 * Linux names an open directory by its number, which no exchanged link changes; the runtime does not tell the number,
 * so it is looked for. Elsewhere there is only the path: whoever exchanges a parent of it within the microseconds
 * between two calls makes a move take from, or give to, what the path leads to then.
 */
import type { FileSystem } from "./file_system.ts";
import type { Here } from "./here.ts";
import { join } from "./paths.ts";

const OPEN_FILES = "/proc/self/fd";

export interface HeldDirectory extends Disposable {
  /** What the system is to be given for the entry `base`, wherever we stand. */
  at(base: string): string;
  /** Writes to the disk that it has other entries now. */
  flush(): void;
}

/** Keeps the directory where we stand. */
export function holdDirectory(fs: FileSystem, here: Here): HeldDirectory {
  if (Deno.build.os === "windows") return { at: (base) => join(here.path, base), flush() {}, [Symbol.dispose]() {} };
  const handle = fs.openSync(here.at("."), { read: true });
  const path = pathOfOpen(here) ?? here.path;
  return {
    at: (base) => join(path, base),
    flush: () => handle.syncSync(),
    [Symbol.dispose]: () => handle.close(),
  };
}

/** A path that leads to the directory where we stand, which is open, and nowhere else, if the system has any. */
function pathOfOpen(here: Here): string | undefined {
  try {
    const opened = Deno.statSync(here.at("."));
    for (const { name } of Deno.readDirSync(OPEN_FILES)) {
      const path = join(OPEN_FILES, name);
      if (isSame(path, opened)) return path;
    }
  } catch {
    return undefined; // no Linux, or one without /proc
  }
}

function isSame(path: string, { ino, dev }: Deno.FileInfo): boolean {
  try {
    const there = Deno.statSync(path);
    return there.ino === ino && there.dev === dev;
  } catch {
    return false; // closed since its name was read
  }
}
