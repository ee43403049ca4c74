/**
 * One writer for each partial, across processes: the advisory lock of the operating system, which a killed process
 * loses at once.
 *
 * Deno 2.5 LTS cannot try a lock, only wait for it, and the wait cannot be taken back: it holds a thread until the other
 * writer ends, and keeps the event loop alive, which is why `main.ts` ends with `Deno.exit`. So there we wait a short
 * time, and never twice at once for the same file.
 */

const LOCK_WAIT_MS = 100;

/** What Deno has from 2.6 on. */
interface WithTryLock {
  tryLockSync?: (exclusive: boolean) => boolean;
}

const waitedFor = new Set<string>();

/** Whether `file`, which was opened from `path`, is ours now; it stays so until it is closed. On `false` close it. */
export async function tryLock(file: Deno.FsFile, path: string): Promise<boolean> {
  const { tryLockSync } = file as WithTryLock;
  if (tryLockSync) return tryLockSync.call(file, true);
  if (waitedFor.has(path)) return false;
  return await waitForLock(file, path);
}

async function waitForLock(file: Deno.FsFile, path: string): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<false>((resolve) => timer = setTimeout(() => resolve(false), LOCK_WAIT_MS));
  waitedFor.add(path);
  const locked = file.lock(true).then(() => true).finally(() => waitedFor.delete(path));
  locked.catch(() => {}); // the file was closed while we waited in vain: nobody is interested any more
  try {
    return await Promise.race([locked, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
