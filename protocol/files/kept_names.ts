/** Under which names of its own a run of the trash keeps things: those that they had, unless something else has that. */
import { type FileSystem, lstatIfThere } from "./file_system.ts";
import type { Here } from "./here.ts";

export class KeptNames {
  readonly #fs: FileSystem;
  #moreCount: number;
  /** The directory that was used last, so that it is there; and what is in it, where we have made it. */
  #parent: { readonly path: string; readonly taken: Set<string> | undefined } = { path: "files", taken: undefined };

  /** `moreCount`: no number up to that is given to what cannot have its own name. */
  constructor(fs: FileSystem, moreCount: number) {
    this.#fs = fs;
    this.#moreCount = moreCount;
  }

  /** A free name for what has the whole name `name`; its directory is there. */
  nameFor(directory: Pick<Here, "at">, name: string): string {
    const path = `files/${name}`;
    try {
      const parent = path.slice(0, path.lastIndexOf("/"));
      if (parent !== this.#parent.path) this.#parent = { path: parent, taken: this.#make(directory.at(parent)) };
      const { taken } = this.#parent;
      if (taken ? !taken.has(path) : !lstatIfThere(this.#fs, directory.at(path))) {
        taken?.add(path);
        return path;
      }
    } catch {
      // Its directory was a file when that was kept; or the path is too long there.
    }
    return `more/${++this.#moreCount}`;
  }

  /** Makes a directory, unless it is there. What is in it: nothing; `undefined` for one that was there. */
  #make(path: string): Set<string> | undefined {
    try {
      this.#fs.mkdirSync(path, { mode: 0o700 });
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) return undefined;
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      this.#fs.mkdirSync(path, { recursive: true, mode: 0o700 });
    }
    return new Set();
  }
}
