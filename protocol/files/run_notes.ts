/**
 * The note of one run of the trash while it is written: every line goes through here, so that one which was torn by a
 * full disk spoils no other. Of directories it is remembered that they are noted. What the lines say: `trash_note.ts`.
 */
import type { FileSystem } from "./file_system.ts";
import { translated } from "./fs_errors.ts";
import type { Here } from "./here.ts";
import type { TrashFacts } from "./trash.ts";
import { append, formatLine, type NoteLine } from "./trash_note.ts";

/** So many directories are remembered as noted; one that is noted twice does no harm. */
const TOUCHED_MAX = 65_536;

export class RunNotes {
  readonly #fs: FileSystem;
  readonly #onWritten: (bytes: number) => void;
  /** The bits of directories that are noted; of those that were made in this run none, since they go away whole. */
  readonly #touched = new Map<string, number | undefined>();
  /** The last line was not written to its end. */
  #isTorn = false;

  constructor(fs: FileSystem, onWritten: (bytes: number) => void) {
    this.#fs = fs;
    this.#onWritten = onWritten;
  }

  /** Whether the directory is noted as one in which something changes. */
  hasTouched(directory: string): boolean {
    return this.#touched.has(directory);
  }

  /** Whether nothing is to be noted of new bits of a directory, and of another time. */
  isNoted(name: string, permissions: number | undefined): boolean {
    if (!this.#touched.has(name)) return false;
    const mode = this.#touched.get(name);
    return mode === undefined || permissions === undefined || permissions === mode;
  }

  /** The directory is made by this run, as is noted. */
  made(name: string): void {
    this.#remember(name, undefined);
  }

  /** Whatever is done in the directory next is noted as if nothing had been. */
  forget(name: string): void {
    this.#touched.delete(name);
  }

  /** The line for a directory in which something changes for the first time, where we stand: that changes its time. */
  touchHere(here: Here, directory: string): string {
    if (this.#touched.has(directory)) return "";
    const { mtime, mode } = this.#fs.statSync(here.at("."));
    const mtimeMs = mtime?.getTime() ?? 0;
    return this.touch(directory, { mtimeMs, mode: mode === null ? undefined : mode & 0o777 });
  }

  /** The same for one that is known. */
  touch(directory: string, { mtimeMs, mode }: Pick<TrashFacts, "mtimeMs" | "mode">): string {
    this.#remember(directory, mode);
    return formatLine({ do: "touch", name: directory, was: { kind: "directory", mtimeMs } });
  }

  /** Throws what the system says. */
  write(note: Deno.FsFile, text: string): void {
    if (text === "") return;
    try {
      const bytes = append(note, this.#isTorn ? `\n${text}` : text);
      this.#isTorn = false;
      this.#onWritten(bytes);
    } catch (error) {
      this.#isTorn = true;
      this.#touched.clear(); // nobody knows which of them were written
      throw error;
    }
  }

  /** Writes a line that may be missing, too. */
  writeIfPossible(note: Deno.FsFile, line: NoteLine): void {
    try {
      this.write(note, formatLine(line));
    } catch (error) {
      if (translated("note", "what was done", error).code === "internal") throw error;
    }
  }

  #remember(name: string, mode: number | undefined): void {
    if (this.#touched.size >= TOUCHED_MAX) this.#touched.clear();
    this.#touched.set(name, mode);
  }
}
