/**
 * A watch of directories of the local tree, each for itself: what it reports is only that something may have changed.
 *
 * The system's own recursive watch follows links, out of the tree too, and misses what is made in a directory before
 * that is watched. So each directory is named, and who uses this looks for new ones when told to (`isDoubtful`). Events
 * may be lost on the way to us, some of them unsaid, but never all: one that waits keeps the later ones out. So as long
 * as whoever hears of one looks at the whole tree, and covers it anew after a crowd of them, nothing is missed.
 */
import { AppError } from "../errors.ts";
import { isReserved, nameFault, splitName } from "../names.ts";
import { type FileSystem, lstatIfThere } from "./file_system.ts";
import { join, SEPARATOR } from "./paths.ts";
import type { TreeWatch } from "./tree.ts";

/** From so many events on, more may have been lost unsaid: LTS versions of the runtime keep 16. */
const CROWD_EVENTS = 16;

/** How often the list of directories is made anew when one of them goes away meanwhile. */
const ATTEMPTS_MAX = 20;

/** What the system watches; `Deno.watchFs`. */
export type OpenWatcher = (paths: string[]) => AsyncIterable<Deno.FsEvent> & { close(): void };

const openWatcher: OpenWatcher = (paths) => Deno.watchFs(paths, { recursive: false });

export class LocalWatch implements TreeWatch {
  /** The machine is not the only one that may change the files: of the others it does not hear. */
  readonly hearsAll: boolean;
  readonly #fs: FileSystem;
  readonly #root: string;
  readonly #onChange: (name: string) => void;
  readonly #open: OpenWatcher;
  #watcher: ReturnType<OpenWatcher> | undefined;
  #covered: ReadonlySet<string> = new Set();
  #isDoubtful = true;
  #hasLost = false;
  #events = 0;

  /** `root` is the real path of the tree. */
  constructor(
    fs: FileSystem,
    root: string,
    onChange: (name: string) => void,
    { open = openWatcher, hearsAll = true }: { open?: OpenWatcher; hearsAll?: boolean } = {},
  ) {
    this.#fs = fs;
    this.#root = root;
    this.#onChange = onChange;
    this.#open = open;
    this.hearsAll = hearsAll;
  }

  get isDoubtful(): boolean {
    return this.#isDoubtful;
  }

  takeLost(): boolean {
    const hasLost = this.#hasLost;
    this.#hasLost = false;
    return hasLost;
  }

  cover(directories: ReadonlySet<string>): void {
    this.#close();
    this.#covered = directories;
    this.#isDoubtful = false;
    this.#events = 0;
    const watcher = this.#watcher = this.#openAll(directories);
    if (watcher) this.#listen(watcher);
  }

  [Symbol.dispose](): void {
    this.#close();
  }

  #close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #openAll(directories: ReadonlySet<string>): ReturnType<OpenWatcher> | undefined {
    for (let attempt = 1;; attempt++) {
      // The top comes first: the runtime compares each event with one path after the other, up to one that fits.
      const paths = [...directories].map((name) => this.#pathOf(name)).filter((path) => this.#isDirectory(path));
      if (paths.length === 0) return;
      try {
        return this.#open(paths);
      } catch (cause) {
        if (attempt < ATTEMPTS_MAX && cause instanceof Deno.errors.NotFound) continue;
        throw cannotWatch(cause);
      }
    }
  }

  async #listen(watcher: ReturnType<OpenWatcher>): Promise<void> {
    try {
      for await (const event of watcher) {
        if (watcher !== this.#watcher) return;
        this.#hear(event);
      }
    } catch {
      // As an end that nobody asked for: what it would have told is lost.
    }
    if (watcher === this.#watcher) this.#lose();
  }

  #hear({ kind, paths, flag }: Deno.FsEvent): void {
    if (flag === "rescan") return this.#lose();
    if (++this.#events >= CROWD_EVENTS) this.#isDoubtful = true;
    for (const path of paths) {
      const name = this.#nameOf(path);
      if (name === undefined) continue;
      const isMoved = kind !== "modify" && kind !== "access";
      if (this.#covered.has(name)) this.#isDoubtful ||= isMoved;
      else if (!this.#isShown(name)) continue;
      else if (isMoved && this.#isDirectory(path)) this.#isDoubtful = true;
      this.#onChange(name);
    }
  }

  #lose(): void {
    this.#isDoubtful = this.#hasLost = true;
    this.#onChange("");
  }

  /** Of events about other directories, which the runtime mixes in, and about files of ours, nobody hears. */
  #isShown(name: string): boolean {
    const { directory, base } = splitName(name);
    return this.#covered.has(directory) && !isReserved(base) && nameFault(name) === undefined;
  }

  #pathOf(name: string): string {
    return name === "" ? this.#root : join(this.#root, name);
  }

  #nameOf(path: string): string | undefined {
    if (path === this.#root) return "";
    const above = this.#root.endsWith(SEPARATOR) ? this.#root : this.#root + SEPARATOR;
    return path.startsWith(above) ? path.slice(above.length).replaceAll(SEPARATOR, "/") : undefined;
  }

  #isDirectory(path: string): boolean {
    try {
      return lstatIfThere(this.#fs, path)?.isDirectory ?? false;
    } catch {
      return false; // it is not for us
    }
  }
}

/** The texts of the runtime name a path, and have no code. */
function cannotWatch(cause: unknown): AppError {
  const text = cause instanceof Error ? cause.message : String(cause);
  const reason = /watch limit/.test(text)
    ? "the system allows too few watched directories"
    : /os error 24/.test(text)
    ? "the system allows too few watches"
    : "the system refuses";
  return new AppError("cannot_watch", `Cannot watch for changes: ${reason}`, { cause });
}
