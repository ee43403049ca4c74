/**
 * The file of a table: read whole, appended to by one row at a time. Knows nothing of what the rows mean.
 *
 * Who appends holds the lock of the operating system on the file, so processes take turns. A row is one write and is
 * flushed before anybody is told of it; when its writer is killed in the midst of it, what it left is cut off by the
 * next who appends.
 */
import { AppError } from "../../protocol/errors.ts";
import { tryLock } from "../../protocol/files/lock.ts";

const LINE_FEED = 10;
const LOCK_WAIT_MS = 20;
/** A file that changes under every attempt to read it is taken as it was at the last one. */
const READ_ATTEMPTS = 3;

/** Tells one state of a file from the next; "" when there is none, or none that can be looked at. */
export type Fingerprint = string;

const { NotFound, NotADirectory, PermissionDenied, FilesystemLoop } = Deno.errors;
const UNSEEN = [NotFound, NotADirectory, PermissionDenied, FilesystemLoop];

export function fingerprintOf(path: string): Fingerprint {
  try {
    return fingerprint(Deno.statSync(path));
  } catch (error) {
    if (UNSEEN.some((kind) => error instanceof kind)) return "";
    throw error;
  }
}

function fingerprint({ dev, ino, size, mtime }: Deno.FileInfo): Fingerprint {
  return `${dev} ${ino} ${size} ${mtime?.getTime()}`;
}

/** The text, and which state of the file it was; no text when there is no file. */
export async function readCsv(path: string): Promise<{ text: string; seen: Fingerprint }> {
  for (let attempt = 1;; attempt++) {
    const seen = fingerprintOf(path);
    if (seen === "") return { text: "", seen };
    // Another thread reads it, and looks for it from where this one is then: see `protocol/files/here.ts`.
    const bytes = await Deno.readFile(Deno.realPathSync(path));
    // The decoder would take the mark away, and offsets in the text would no longer be those in the file.
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    if (fingerprintOf(path) === seen || attempt === READ_ATTEMPTS) return { text, seen };
  }
}

/** The file, locked: nobody else appends until it is disposed of. */
export class LockedCsv implements Disposable {
  readonly #path: string;
  readonly #file: Deno.FsFile;

  private constructor(path: string, file: Deno.FsFile) {
    this.#path = path;
    this.#file = file;
  }

  /** Makes the file if there is none and `mayCreate`. Throws `busy` when others hold it for longer than `patienceMs`. */
  static async open(path: string, mayCreate: boolean, patienceMs: number): Promise<LockedCsv> {
    const deadline = performance.now() + patienceMs;
    while (performance.now() < deadline) {
      const file = Deno.openSync(path, { read: true, write: true, append: true, create: mayCreate, mode: 0o644 });
      const locked = new LockedCsv(path, file);
      if (await tryLock(file, path) && locked.isCurrent()) return locked;
      file.close();
      await new Promise((resolve) => setTimeout(resolve, LOCK_WAIT_MS));
    }
    throw new AppError("busy", "Somebody else is adding to that table");
  }

  /** Whether the path still leads to this file: who edits by hand may have put another one in its place. */
  isCurrent(): boolean {
    const { dev, ino } = this.#file.statSync();
    const [devNow, inoNow] = fingerprintOf(this.#path).split(" ");
    return String(dev) === devNow && String(ino) === inoNow;
  }

  /** Appends `row` and flushes it. Without `header` the file is appended to as it is; else that comes first in an empty one. */
  async append(row: string, header: string, isTorn: boolean): Promise<Fingerprint> {
    if (isTorn) this.#cutLastLine();
    const { size } = this.#file.statSync();
    const before = size === 0 ? header : this.#endsInLine(size) ? "" : "\n";
    try {
      const bytes = new TextEncoder().encode(before + row);
      if (this.#file.writeSync(bytes) < bytes.length) throw new AppError("no_space", "No space left on the device");
      await this.#file.syncData();
      if (size === 0) flushDirectoryOf(this.#path);
    } catch (error) {
      this.#file.truncateSync(size);
      throw error;
    }
    return fingerprint(this.#file.statSync());
  }

  #cutLastLine(): void {
    const { size } = this.#file.statSync();
    const tail = this.#readTail(size, 65_536);
    this.#file.truncateSync(size - (tail.length - 1 - tail.lastIndexOf(LINE_FEED)));
  }

  #endsInLine(size: number): boolean {
    return this.#readTail(size, 1)[0] === LINE_FEED;
  }

  #readTail(size: number, count: number): Uint8Array {
    const tail = new Uint8Array(Math.min(size, count));
    this.#file.seekSync(size - tail.length, Deno.SeekMode.Start);
    for (let at = 0; at < tail.length;) at += this.#file.readSync(tail.subarray(at)) ?? tail.length;
    return tail;
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** A new file is durable when its directory is; systems that cannot flush one do that by themselves. */
function flushDirectoryOf(path: string): void {
  if (Deno.build.os === "windows") return;
  using directory = Deno.openSync(path.replace(/\/[^/]*$/, "") || ".", { read: true });
  directory.syncSync();
}
