/**
 * From names to paths: the only place where a name becomes something that the operating system is given.
 *
 * A name is checked by the rule, its parents are followed link by link, and the result must lie inside the root, whose
 * own real path was taken once at the start. What is opened is compared with what was looked at.
 */
import { AppError } from "../errors.ts";
import { quoteName } from "../escape.ts";
import { isReserved, splitName, validateDirectoryName, validateName } from "../names.ts";
import { type FileSystem, lstatIfThere } from "./file_system.ts";
import { translating } from "./fs_errors.ts";

const SEPARATOR = Deno.build.os === "windows" ? "\\" : "/";

/** Where a name stands. `parent` is a real path; `base` itself has not been looked at. */
export interface Place {
  readonly name: string;
  readonly parent: string;
  readonly base: string;
  readonly path: string;
}

/** What is there, after links were followed. */
export interface Found {
  readonly path: string;
  readonly info: Deno.FileInfo;
}

export class Resolver {
  readonly #fs: FileSystem;
  readonly #root: string;

  /** Throws if `root` is missing or no directory. */
  constructor(root: string, fs: FileSystem) {
    this.#fs = fs;
    this.#root = translating("share", root, () => fs.realPathSync(root));
    if (!translating("share", root, () => fs.statSync(this.#root)).isDirectory) {
      throw new AppError("not_a_directory", `Cannot share ${quoteName(root)}: it is not a directory`, {
        advice: "Name the directory that it lies in",
      });
    }
  }

  /** The real path of the top. */
  get root(): string {
    return this.#root;
  }

  /** Where `name` stands or would stand; its parents must be there. */
  place(name: string, doing: string): Place {
    validateName(name);
    const { directory, base } = splitName(name);
    return placeIn(this.#realDirectory(directory, name, doing), name, base);
  }

  /** The same, making the parents that are missing; `made` is told each directory that got a new entry. */
  placeWithParents(name: string, doing: string, made: (directory: string) => void): Place {
    validateName(name);
    const { directory, base } = splitName(name);
    return placeIn(this.#makeDirectories(directory, name, doing, made), name, base);
  }

  /** Makes the directory `name` and its parents, as far as they are missing. */
  makeDirectories(name: string, doing: string, made: (directory: string) => void): void {
    validateName(name);
    this.#makeDirectories(name, name, doing, made);
  }

  /** What is under `name`; "" is the top. A link is followed if it stays inside. Throws `not_found` and `outside`. */
  find(name: string, doing: string): Found {
    validateDirectoryName(name);
    if (name === "") {
      return { path: this.#root, info: translating(doing, name, () => this.#fs.lstatSync(this.#root)) };
    }
    const { path } = this.place(name, doing);
    return this.findAt(path, name, doing);
  }

  /** The same for a path whose parent is known to be real and inside. */
  findAt(path: string, name: string, doing: string): Found {
    return translating(doing, name, () => {
      const info = this.#fs.lstatSync(path);
      if (!info.isSymlink) return { path, info };
      const real = this.#inside(this.#fs.realPathSync(path), name);
      return { path: real, info: this.#fs.lstatSync(real) };
    });
  }

  /** Throws unless `found`, which has been opened as `opened`, is what was looked at and still stands where it did. */
  verifyOpened({ path, info }: Found, opened: Deno.FileInfo, name: string): void {
    const same = opened.ino === info.ino && opened.dev === info.dev && this.#fs.realPathSync(path) === path;
    if (!same) throw new AppError("source_changed", `Cannot open ${quoteName(name)}: it was exchanged in that moment`);
  }

  #realDirectory(directory: string, name: string, doing: string): string {
    if (directory === "") return this.#root;
    return translating(doing, name, () => {
      const real = this.#inside(this.#fs.realPathSync(join(this.#root, directory)), name);
      if (!this.#fs.lstatSync(real).isDirectory) throw notADirectory(doing, name);
      return real;
    });
  }

  /**
   * The real path of `directory`, made as far as it is missing, for a request that named `name`. A name can have 2,000
   * parts: so only links are followed on the way, and the whole path once, at its end.
   */
  #makeDirectories(directory: string, name: string, doing: string, made: (directory: string) => void): string {
    if (directory === "") return this.#root;
    let parent = this.#root;
    for (const part of directory.split("/")) {
      const path = join(parent, part);
      translating(doing, name, () => {
        const isThere = lstatIfThere(this.#fs, path) !== undefined;
        if (!isThere) this.#makeDirectory(path);
        if (!isThere) made(parent);
        const info = this.#fs.lstatSync(path);
        if (!info.isSymlink && !info.isDirectory) throw notADirectory(doing, name);
        parent = info.isSymlink ? this.#inside(this.#fs.realPathSync(path), name) : path;
      });
    }
    return this.#realDirectory(directory, name, doing);
  }

  #inside(real: string, name: string): string {
    const prefix = this.#root.endsWith(SEPARATOR) ? this.#root : this.#root + SEPARATOR;
    if (real !== this.#root && !real.startsWith(prefix)) {
      throw new AppError("outside", `Cannot use ${quoteName(name)}: a link in it leads out of the shared directory`);
    }
    if (real.slice(prefix.length).split(SEPARATOR).some(isReserved)) {
      throw new AppError("bad_name", `Cannot use ${quoteName(name)}: a link in it leads to an unfinished transfer`);
    }
    return real;
  }

  #makeDirectory(path: string): void {
    try {
      this.#fs.mkdirSync(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error; // somebody else made it in that moment: as good
    }
  }
}

export function join(directory: string, base: string): string {
  return directory.endsWith(SEPARATOR) ? directory + base : directory + SEPARATOR + base;
}

function placeIn(parent: string, name: string, base: string): Place {
  return { name, parent, base, path: join(parent, base) };
}

function notADirectory(doing: string, name: string): AppError {
  return new AppError(
    "not_a_directory",
    `Cannot ${doing} ${quoteName(name)}: part of the name is a file, not a directory`,
  );
}
