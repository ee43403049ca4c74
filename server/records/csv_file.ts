/**
 * The file of a table: read whole, appended to by one row at a time. Knows nothing of what the rows mean.
 *
 * Who appends holds the lock of the operating system on the file, so processes take turns. A row's place is filled with
 * NULs, the row is written into it, and it is flushed before anybody is told of it. When its writer is killed in the
 * midst of that, what it left is cut off by the next who appends: see `torn_row.ts`.
 */
import { AppError } from "../../protocol/errors.ts";
import { tryLock } from "../../protocol/files/lock.ts";
import { isTornRow } from "./torn_row.ts";

const LINE_FEED = 10;
const LOCK_WAIT_MS = 20;
/** How much is looked at for the last line end, at first and at most: no row of ours has so many columns. */
const TAIL_BYTES = 65_536;
const TAIL_BYTES_MAX = 256 * TAIL_BYTES;
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
  /** Writes at the end, whoever else does. */
  readonly #file: Deno.FsFile;
  /** The same file, to write into it. */
  readonly #inPlace: Deno.FsFile;

  private constructor(path: string, mayCreate: boolean) {
    this.#path = path;
    this.#file = Deno.openSync(path, { read: true, write: true, append: true, create: mayCreate, mode: 0o644 });
    try {
      this.#inPlace = Deno.openSync(path, { write: true });
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  /** Makes the file if there is none and `mayCreate`. Throws `busy` when others hold it for longer than `patienceMs`. */
  static async open(path: string, mayCreate: boolean, patienceMs: number): Promise<LockedCsv> {
    const deadline = performance.now() + patienceMs;
    while (performance.now() < deadline) {
      const locked = new LockedCsv(path, mayCreate);
      if (await tryLock(locked.#file, path) && locked.isCurrent()) return locked;
      locked[Symbol.dispose]();
      await new Promise((resolve) => setTimeout(resolve, LOCK_WAIT_MS));
    }
    throw new AppError("busy", "Somebody else is adding to that table");
  }

  /** Whether the path still leads to this file: who edits by hand may have put another one in its place. */
  isCurrent(): boolean {
    const [devNow, inoNow] = fingerprintOf(this.#path).split(" ");
    return [this.#file, this.#inPlace].every((file) => {
      const { dev, ino } = file.statSync();
      return String(dev) === devNow && String(ino) === inoNow;
    });
  }

  /** Appends `row` and flushes it, behind `header` in an empty file. */
  async append(row: string, header: string): Promise<Fingerprint> {
    this.#cutTornRow();
    const { size } = this.#file.statSync();
    try {
      if (size > 0 && !this.#endsInLine(size)) writeWhole(this.#file, Uint8Array.of(LINE_FEED));
      const bytes = new TextEncoder().encode((size === 0 ? header : "") + row);
      writeWhole(this.#file, new Uint8Array(bytes.length));
      const end = this.#file.seekSync(0, Deno.SeekMode.Current);
      this.#inPlace.seekSync(end - bytes.length, Deno.SeekMode.Start);
      writeWhole(this.#inPlace, bytes);
      await this.#file.syncData();
      if (size === 0) flushDirectoryOf(this.#path);
    } catch (error) {
      this.#file.truncateSync(size);
      throw error;
    }
    return fingerprint(this.#file.statSync());
  }

  /** What is known of the file may be older than what another process has added: so this looks at it. */
  #cutTornRow(): void {
    const { size } = this.#file.statSync();
    if (this.#readTail(size, 1)[0] !== 0) return;
    for (let count = TAIL_BYTES; count <= TAIL_BYTES_MAX; count *= 2) {
      const tail = this.#readTail(size, count);
      const start = tail.lastIndexOf(LINE_FEED) + 1;
      if (start === 0 && tail.length < size) continue;
      const isTorn = isTornRow(new TextDecoder().decode(tail.subarray(start)));
      if (isTorn) this.#file.truncateSync(size - tail.length + start);
      return;
    }
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
    this.#inPlace.close();
    this.#file.close();
  }
}

/** A write that is cut short is one for which there is no room. */
function writeWhole(file: Deno.FsFile, bytes: Uint8Array): void {
  if (file.writeSync(bytes) < bytes.length) throw new AppError("no_space", "No space left on the device");
}

/** A new file is durable when its directory is; systems that cannot flush one do that by themselves. */
function flushDirectoryOf(path: string): void {
  if (Deno.build.os === "windows") return;
  using directory = Deno.openSync(path.replace(/\/[^/]*$/, "") || ".", { read: true });
  directory.syncSync();
}
