/**
 * Standing in a directory: the only technique that no exchanged link beats, with what the runtime has.
 *
 * A path is followed anew by every call, so what was looked at under a path need not be what is changed under it. There
 * are no handles of directories to name files by. But the working directory is one: it stays the same directory
 * whatever its path leads to meanwhile, the system tells where it really is, and a bare name in it has no parents that
 * somebody could exchange. So we go there, ask where we are, do what is to be done to bare names, and go back, without
 * waiting for anything in between. Nothing else on this thread sees that we were there; what runs on others does: give
 * asynchronous calls of the file system, and workers, paths from the top.
 *
 * What this cannot see: a directory itself, not a link to one, that somebody moves out of the root while we stand in
 * it. On Windows a working directory is a path, too, so paths are all there is: an exchange within microseconds can win.
 */
import { join, SEPARATOR } from "./paths.ts";

export interface Here {
  /** Where this is, without any link in it. */
  readonly path: string;
  /** What the system is to be given for the entry `base`. */
  at(base: string): string;
  /** Goes into the directory `base`; a link is followed, so look where it led. The old value is of no use any more. */
  down(base: string): Here;
}

let isStanding = false;

/** Runs `work` in the directory `path`, following links: look at where it is. Not within another one. */
export function inDirectory<T>(path: string, work: (here: Here) => T): T {
  if (Deno.build.os === "windows") return work(hereByPath(path));
  if (isStanding) throw new Error("A defect of app: in two directories at once");
  const home = workingDirectory();
  Deno.chdir(path);
  isStanding = true;
  try {
    return work(hereByStanding());
  } finally {
    isStanding = false;
    goBack(home);
  }
}

function hereByStanding(): Here {
  let path: string | undefined;
  return {
    get path() {
      return path ??= Deno.cwd(); // the deeper it is, the longer that takes: not for each of 2,000 directories on a way
    },
    at: (base) => base,
    down(base) {
      Deno.chdir(base);
      return hereByStanding();
    },
  };
}

function hereByPath(path: string): Here {
  const real = Deno.realPathSync(path);
  const at = (base: string) => join(real, base);
  return { path: real, at, down: (base) => hereByPath(at(base)) };
}

/** `undefined` where it was removed under us: then no relative path meant anything. */
function workingDirectory(): string | undefined {
  try {
    return Deno.cwd();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function goBack(home: string | undefined): void {
  try {
    Deno.chdir(home ?? SEPARATOR);
  } catch {
    Deno.chdir(SEPARATOR); // anywhere, but not here
  }
}
