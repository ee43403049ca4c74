/**
 * From names to what the operating system is given: the only place where that happens.
 *
 * A name is checked by the rule; then we stand in its parent (`here.ts`), wherever links led, and go on only if that is
 * inside the root, whose own real path was taken once at the start. What is done, is done there, to bare names. So
 * neither a name nor an exchange of any part of its path makes a call reach anything outside.
 */
import { AppError } from "../errors.ts";
import { quoteName } from "../escape.ts";
import { isReserved, splitName, validateDirectoryName, validateName } from "../names.ts";
import { type FileSystem, flushDirectory, lstatIfThere } from "./file_system.ts";
import { translating } from "./fs_errors.ts";
import { type Here, inDirectory } from "./here.ts";
import { join, SEPARATOR, splitPath } from "./paths.ts";

/** Where a name stands. `parent` is a real path; `base` itself has not been looked at. */
export interface Place {
  readonly name: string;
  readonly parent: string;
  readonly base: string;
}

/** What is there, after links were followed: the entry `base` of the directory that we stand in. */
export interface Found {
  readonly here: Here;
  readonly base: string;
  readonly info: Deno.FileInfo;
}

/** A part of the tree that names may not lead out of. */
interface Confines {
  readonly name: string;
  /** What it leads to. */
  readonly real: string;
  /** Where that stands, and the name. Nothing else in there may be touched. */
  readonly parents: readonly string[];
}

type AtPlace<T> = (here: Here, place: Place) => T;

/** Every system takes names of this length. */
const LENGTH_TAKEN = 255;

/** Of a directory that we stand in: itself. */
const ITSELF = ".";

export class Resolver {
  readonly #fs: FileSystem;
  readonly #root: string;
  readonly #confines: Confines | undefined;

  /** Throws if `root` is missing or no directory. */
  constructor(root: string, fs: FileSystem, confines?: Confines) {
    this.#fs = fs;
    this.#confines = confines;
    this.#root = translating("share", root, () => fs.realPathSync(root));
    if (!translating("share", root, () => fs.statSync(this.#root)).isDirectory) {
      throw new AppError("not_a_directory", `Cannot share ${quoteName(root)}: it is not a directory`, {
        advice: "Name the directory that it lies in",
      });
    }
  }

  /** The same, for what is in the file or directory `name` alone. Where that is, is looked up now. */
  confinedTo(name: string): Resolver {
    const found = this.atPlace(name, "look for", (here, { parent, base }) => {
      const info = lstatIfThere(this.#fs, here.at(base));
      const real = info?.isSymlink ? this.realPath(here, base, name) : join(parent, base);
      return { real, parents: [parent, splitPath(real).directory] };
    });
    return new Resolver(this.#root, this.#fs, { name, ...found });
  }

  /** The real path of the top. */
  get root(): string {
    return this.#root;
  }

  /** Runs `work` where `name` stands or would stand; its parents must be there. Throws `not_found` and `outside`. */
  atPlace<T>(name: string, doing: string, work: AtPlace<T>): T {
    validateName(name);
    const { directory, base } = splitName(name);
    const parent = directory === "" ? this.#root : join(this.#root, directory);
    return translating(doing, name, () =>
      inDirectory(parent, (here) => {
        this.#verifyInside(here.path, name);
        return work(here, { name, parent: here.path, base });
      }));
  }

  /** The same, making the parents that are missing; each is on the disk before what follows, which may break off. */
  atNewPlace<T>(name: string, doing: string, work: AtPlace<T>): T {
    validateName(name);
    const { directory, base } = splitName(name);
    return translating(doing, name, () => {
      this.#verifyLength(name);
      return inDirectory(this.#root, (top) => {
        const here = this.#makeDirectories(top, directory, name);
        return work(here, { name, parent: here.path, base });
      });
    });
  }

  /** Runs `work` at a place that was found before. Throws if it is not where it was. */
  atSamePlace<T>(place: Place, work: (here: Here) => T): T {
    return this.inside(place.parent, place.name, work);
  }

  /** Runs `work` in the directory with the real path `path`. Throws if that leads anywhere else now. */
  inside<T>(path: string, name: string, work: (here: Here) => T): T {
    return inDirectory(path, (here) => {
      this.#verifyInside(here.path, name);
      if (here.path === path) return work(here);
      throw new AppError("not_found", `Cannot use ${quoteName(name)}: its directory was exchanged`);
    });
  }

  /** Makes the directory `name` and its parents, as far as they are missing. */
  makeDirectories(name: string, doing: string): void {
    validateName(name);
    translating(doing, name, () => {
      this.#verifyLength(name);
      inDirectory(this.#root, (top) => void this.#makeDirectories(top, name, name));
    });
  }

  /**
   * Runs `work` where that is what stands under `name`; "" is the top. A link is followed if it stays inside. Throws
   * `not_found` and `outside`.
   */
  find<T>(name: string, doing: string, work: (found: Found) => T): T {
    validateDirectoryName(name);
    if (name === "") return translating(doing, name, () => this.#findReal(this.#root, name, work));
    const found = this.atPlace(name, doing, (here, { base }) => {
      const info = this.#fs.lstatSync(here.at(base));
      return info.isSymlink ? { real: this.realPath(here, base, name) } : { result: work({ here, base, info }) };
    });
    return "result" in found ? found.result : translating(doing, name, () => this.#findReal(found.real, name, work));
  }

  /** What the link that led to `real` stands for; `undefined` if that is not inside, or not there any more. */
  lookAtReal(real: string, name: string): Deno.FileInfo | undefined {
    try {
      return translating("look at", name, () => this.#findReal(real, name, ({ info }) => info));
    } catch (error) {
      if (error instanceof AppError) return undefined;
      throw error;
    }
  }

  /** Where the link `base` leads. Throws unless that is inside. */
  realPath(here: Here, base: string, name: string): string {
    const real = this.#fs.realPathSync(here.at(base));
    this.#verifyInside(real, name);
    return real;
  }

  #findReal<T>(real: string, name: string, work: (found: Found) => T): T {
    const { directory, base } = real === this.#root ? { directory: real, base: ITSELF } : splitPath(real);
    return this.inside(directory, name, (here) => {
      const info = this.#fs.lstatSync(here.at(base));
      if (info.isSymlink) throw exchanged(name);
      return work({ here, base, info });
    });
  }

  /** Goes from `here` down to `directory`, which is made as far as it is missing, for a request that named `name`. */
  #makeDirectories(here: Here, directory: string, name: string): Here {
    for (const part of directory === "" ? [] : directory.split("/")) {
      if (!lstatIfThere(this.#fs, here.at(part))) {
        this.#verifyInside(join(here.path, part), name); // what confines it may be what is to be made
        this.#makeDirectory(here.at(part));
        flushDirectory(this.#fs, here);
      }
      here = here.down(part);
    }
    this.#verifyInside(here.path, name);
    return here;
  }

  /** Part by part one could make more than the system takes as a path, and nobody else could use that. */
  #verifyLength(name: string): void {
    if (name.length > LENGTH_TAKEN) lstatIfThere(this.#fs, join(this.#root, name));
  }

  #verifyInside(real: string, name: string): void {
    if (!isWithin(real, this.#root)) throw outside(name, "the shared directory");
    this.#verifyWithinConfines(real, name);
    if (real.slice(this.#root.length).split(SEPARATOR).some(isReserved)) {
      throw new AppError("bad_name", `Cannot use ${quoteName(name)}: a link in it leads to an unfinished transfer`);
    }
  }

  #verifyWithinConfines(real: string, name: string): void {
    if (!this.#confines || isWithin(real, this.#confines.real)) return;
    const isItself = name === this.#confines.name && this.#confines.parents.includes(real);
    if (!isItself) throw outside(name, quoteName(this.#confines.name));
  }

  #makeDirectory(path: string): void {
    try {
      this.#fs.mkdirSync(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error; // somebody else made it in that moment: as good
    }
  }
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory.endsWith(SEPARATOR) ? directory : directory + SEPARATOR);
}

function outside(name: string, of: string): AppError {
  return new AppError("outside", `Cannot use ${quoteName(name)}: a link in it leads out of ${of}`);
}

/** The error for what is not what it was when it was looked at. */
export function exchanged(name: string): AppError {
  return new AppError("source_changed", `Cannot open ${quoteName(name)}: it was exchanged in that moment`);
}
