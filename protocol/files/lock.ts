/**
 * One writer for each partial, across processes: the advisory lock of the operating system, which a killed process
 * loses at once.
 *
 * Deno 2.5 LTS cannot try a lock, only wait for it, and the wait cannot be taken back. So we wait a short time and
 * leave a wait that came to nothing to itself: it ends with the other writer, and closing the file gives the lock up.
 * Such a wait keeps the event loop alive, which is why `main.ts` ends with `Deno.exit`.
 */

const LOCK_WAIT_MS = 100;

/** Whether `file` is ours now; it stays so until it is closed. On `false` close the file. */
export async function tryLock(file: Deno.FsFile): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<false>((resolve) => timer = setTimeout(() => resolve(false), LOCK_WAIT_MS));
  const locked = file.lock(true).then(() => true);
  locked.catch(() => {}); // the file was closed while we waited in vain: nobody is interested any more
  try {
    return await Promise.race([locked, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
