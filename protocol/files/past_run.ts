/** A run that is over: what was noted of it, last things first, and giving back what is kept. */
import { splitName } from "../names.ts";
import { type FileSystem, lstatIfThere } from "./file_system.ts";
import { translated, translating } from "./fs_errors.ts";
import { join } from "./paths.ts";
import { publish } from "./publish.ts";
import type { Resolver } from "./resolve.ts";
import type { Note, OnTrashed, PastRun, TrashFacts } from "./trash.ts";
import { closeRun, sizeOf, startOf, type TrashedRun } from "./trash_folder.ts";
import { append, formatLine, type NoteHead, readBackwards } from "./trash_note.ts";

export class LocalPastRun implements PastRun {
  readonly directory: string;
  readonly isUndo: boolean;
  readonly #fs: FileSystem;
  readonly #resolver: Resolver;
  readonly #run: TrashedRun;
  readonly #onChanged: OnTrashed | undefined;

  constructor(fs: FileSystem, resolver: Resolver, run: TrashedRun, head: NoteHead, onChanged?: OnTrashed) {
    this.#fs = fs;
    this.#resolver = resolver;
    this.#run = run;
    this.#onChanged = onChanged;
    this.directory = head.directory;
    this.isUndo = head.undoes !== undefined;
  }

  get id(): string {
    return this.#run.id;
  }

  get startedMs(): number {
    return startOf(this.#run.id)!;
  }

  *notes(): Iterable<Note> {
    const notDone = new Set<string>();
    try {
      for (const line of readBackwards(this.#run.note)) {
        if (line.do === "end" || line.do === "undid") continue;
        if (line.do === "not") notDone.add(line.name);
        else if (!notDone.has(line.name) || line.do !== "make" && line.do !== "store") yield line;
        else notDone.delete(line.name);
      }
    } catch (error) {
      throw translated("read", "the notes", error);
    }
  }

  look(kept: string | undefined): TrashFacts | undefined {
    if (kept === undefined) return;
    return translating("look at", "the trash", () => {
      const path = this.#run.directory.at(kept);
      const info = lstatIfThere(this.#fs, path);
      if (info?.isSymlink) return { kind: "link", target: this.#fs.readLinkSync(path) };
      if (!info?.isFile) return;
      const { size, mtime, mode } = info;
      return { kind: "file", sizeBytes: size, mtimeMs: mtime?.getTime() ?? 0, mode: (mode ?? 0) & 0o777 };
    });
  }

  restore(kept: string, name: string, isOver: boolean): void {
    const { directory, base } = splitName(name);
    const parent = directory === "" ? this.#resolver.root : join(this.#resolver.root, directory);
    const replaced = translating("restore", name, () =>
      this.#resolver.inside(parent, name, (here) => {
        const there = isOver ? lstatIfThere(this.#fs, here.at(base)) : undefined;
        const path = this.#run.directory.at(kept);
        publish(this.#fs, here, path, { name, parent, base }, isOver ? "replace" : "error");
        return there;
      }));
    if (replaced) this.#onChanged?.({ bytes: -sizeOf(replaced), files: -1 });
  }

  finish(): void {
    try {
      this.#run.note.seekSync(0, Deno.SeekMode.End);
      const bytes = append(this.#run.note, "\n" + formatLine({ do: "end", bytes: 0, isWhole: true }));
      this.#onChanged?.({ bytes });
    } catch (error) {
      if (translated("end", "the notes", error).code === "internal") throw error; // else it counts for more than it is
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    closeRun(this.#run);
    return Promise.resolve();
  }
}
