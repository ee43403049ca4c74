/**
 * An open file of a directory, read by offset. It notices when the file is changed in place. One that is replaced or
 * removed meanwhile is read to its end as it was when it was opened: that is still one version, whole.
 */
import { AppError } from "../errors.ts";
import { quoteName } from "../escape.ts";
import { translating } from "./fs_errors.ts";
import type { FileLook, ReadHandle } from "./read_handle.ts";
import type { Entry, Source } from "./tree.ts";

export class LocalSource implements Source {
  readonly entry: Entry;
  readonly #file: ReadHandle;
  readonly #opened: FileLook;

  /** Takes over `file`, which had `opened` to say of itself when it was opened. */
  constructor(file: ReadHandle, entry: Entry, opened: FileLook) {
    this.#file = file;
    this.#opened = opened;
    this.entry = entry;
  }

  readAt(offset: number, into: Uint8Array): number {
    return translating("read", this.entry.name, () => this.#file.readAt(offset, into));
  }

  verifyUnchanged(): void {
    const now = translating("read", this.entry.name, () => this.#file.stat());
    if (!isSameVersion(now, this.#opened)) {
      throw new AppError("source_changed", `Cannot send ${quoteName(this.entry.name)}: it changed while it was read`);
    }
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

function isSameVersion(now: FileLook, then: FileLook): boolean {
  return now.ino === then.ino && now.dev === then.dev && now.size === then.size &&
    now.mtime?.getTime() === then.mtime?.getTime();
}
