/**
 * Small files that only their owner may read, changed as a whole: who reads one sees it before a change or after it,
 * whatever happens in between, and processes that change one take turns.
 */
import { AppError } from "../errors.ts";
import { quoteName } from "../escape.ts";
import { FILE_SYSTEM, removeIfThere } from "./file_system.ts";
import { translated, translating } from "./fs_errors.ts";
import { tryLock } from "./lock.ts";
import { flushDirectory } from "./publish.ts";

const LOCK_WAIT_MS = 20;
/** How long to wait for others who change the same file. */
const PATIENCE_MS = 5_000;

/** Runs `change` while nobody else does so for the same `path`. Throws `busy` after some seconds. */
export async function whileLocked<T>(path: string, change: () => T | Promise<T>): Promise<T> {
  const until = performance.now() + PATIENCE_MS;
  const lockPath = `${path}.lock`;
  do {
    using file = openLock(lockPath);
    if (await tryLock(file, lockPath)) return await change();
    await new Promise((resolve) => setTimeout(resolve, LOCK_WAIT_MS));
  } while (performance.now() < until);
  throw new AppError("busy", `Cannot change ${quoteName(path)}: somebody else is changing it`);
}

/** Puts a file with `text` in the place of the one at `path`, in one step, flushed. Call it while it is locked. */
export async function replaceText(path: string, text: string): Promise<void> {
  const aside = `${path}.new`;
  try {
    removeIfThere(FILE_SYSTEM, aside); // of somebody who was killed
    using file = Deno.openSync(aside, { write: true, createNew: true, mode: 0o600 });
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
    await file.sync();
    Deno.renameSync(aside, path);
    flushDirectory(FILE_SYSTEM, path.replace(/[/\\][^/\\]*$/, "") || "/");
  } catch (error) {
    throw translated("write", path, error);
  }
}

/** Throws `denied` if others than the owner may read the file at `path`. Where files have no such modes, nobody can tell. */
export function verifyPrivate(path: string): void {
  const { mode } = translating("read", path, () => Deno.statSync(path));
  if (Deno.build.os === "windows" || mode === null || (mode & 0o077) === 0) return;
  throw new AppError("denied", `Cannot use ${quoteName(path)}: others may read it`, {
    advice: "Run: chmod 600 on it; and ask for a new link, if somebody may have read it",
  });
}

function openLock(path: string): Deno.FsFile {
  try {
    return Deno.openSync(path, { read: true, write: true, create: true, mode: 0o600 });
  } catch (error) {
    throw translated("lock", path, error);
  }
}
