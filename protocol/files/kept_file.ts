/**
 * A small file of the program's own: read whole, and changed whole under a lock, so that whoever reads it sees the old
 * content or the new one, and no change of two processes at once is lost. Nobody else may read it.
 */
import { AppError } from "../errors.ts";
import { quoteName } from "../escape.ts";
import { FILE_SYSTEM, removeIfThere } from "./file_system.ts";
import { translating } from "./fs_errors.ts";
import { tryLock } from "./lock.ts";

const LOCK_LOOK_MS = 10;
const PATIENCE_MS = 5_000;
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
/** What group and others may do. */
const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;

/**
 * The text, or `undefined` when there is no such file. Throws `not_a_file`, `failed` when others may change it, or what
 * reading it fails with.
 */
export function readKept(path: string): string | undefined {
  return translating("read", path, () => {
    if (!isFileThere("read", path)) return undefined;
    refuseModes(path, OTHERS_WRITE, "others may change it", "go-w");
    return Deno.readTextFileSync(path);
  });
}

/** Throws `failed` when others than its owner may read or change the file at `path`, which is there. */
export function requirePrivate(path: string): void {
  translating("read", path, () => refuseModes(path, OTHERS, "others may read or change it", "600"));
}

function refuseModes(path: string, refused: number, why: string, remedy: string): void {
  const mode = Deno.statSync(path).mode ?? 0; // systems without modes have other ways
  if ((mode & refused) === 0) return;
  const others = (mode & 0o777).toString(8).padStart(3, "0");
  throw new AppError("failed", `Cannot use ${quoteName(path)}: ${why} (mode ${others})`, {
    advice: `Run: chmod ${remedy} ${quoteName(path)}; if others had it already, make a new one`,
  });
}

/**
 * Replaces the text of the file by what `change` makes of it; `undefined` leaves it as it is. Durable when it resolves.
 * Makes the file, and its folder, if there is none. Throws `busy` when others hold it for 5 s.
 */
export async function changeKept(
  path: string,
  change: (text: string | undefined) => string | undefined,
): Promise<void> {
  const folder = folderOf(path);
  translating("make", folder, () => Deno.mkdirSync(folder, { recursive: true, mode: FOLDER_MODE }));
  using _lock = await lock(`${path}.lock`);
  const text = change(readKept(path));
  if (text === undefined) return;
  const target = statIfThere(path) ? Deno.realPathSync(path) : path; // a link to the file stays one
  translating("write", path, () => replace(target, new TextEncoder().encode(text)));
}

function replace(path: string, bytes: Uint8Array): void {
  const aside = `${path}.new`;
  removeIfThere(FILE_SYSTEM, aside); // of a process that was killed: nobody else writes while we hold the lock
  using file = Deno.openSync(aside, { write: true, createNew: true, mode: FILE_MODE });
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
  file.syncSync();
  Deno.renameSync(aside, path);
  if (Deno.build.os === "windows") return; // directories cannot be opened there, and renames are logged by NTFS
  using folder = Deno.openSync(folderOf(path), { read: true });
  folder.syncSync();
}

async function lock(path: string): Promise<Disposable> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const file = translating("write", path, () => {
      isFileThere("write", path);
      return Deno.openSync(path, { write: true, create: true, mode: FILE_MODE });
    });
    if (await tryLock(file, path)) return file;
    file.close();
    if (performance.now() > deadline) throw new AppError("busy", `Somebody else holds ${quoteName(path)}`);
    await new Promise((resolve) => setTimeout(resolve, LOCK_LOOK_MS));
  }
}

/** Throws `not_a_file`. Asked before anything is opened, since opening a pipe would wait for its other end. */
function isFileThere(action: "read" | "write", path: string): boolean {
  const info = statIfThere(path);
  if (!info || info.isFile) return info !== undefined;
  throw new AppError("not_a_file", `Cannot ${action} ${quoteName(path)}: it is not a regular file`, {
    advice: "Move away what is there, or name another file",
  });
}

function statIfThere(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function folderOf(path: string): string {
  return path.replace(/[/\\]?[^/\\]*$/, "") || (path.startsWith("/") ? "/" : ".");
}
