/**
 * A watch of directories of the local tree, each for itself: what it reports is only that something may have changed.
 *
 * The system's own recursive watch follows links, out of the tree too, and misses what is made in a directory before
 * that is watched. So each directory is named, and who uses this looks for new ones when told to (`isDoubtful`). Events
 * may be lost on the way to us, some of them unsaid, but never all: one that waits keeps the later ones out. So as long
 * as whoever hears of one looks at the whole tree, and covers it anew after a crowd of them, nothing is missed.
 *
 * The runtime counts, for the whole process, who watches a path, and asks the system only for the first: for a directory
 * that was exchanged, all who watch it have to let go of it before one of them may watch the new one.
 */
import { AppError } from "../errors.ts";
import { nameFault, splitName } from "../names.ts";
import { type FileSystem, lstatIfThere } from "./file_system.ts";
import { join, SEPARATOR } from "./paths.ts";
import type { TreeWatch } from "./tree.ts";

/** With so many events for one change, more may have been lost unsaid: LTS versions of the runtime keep 16. */
const CROWD_EVENTS = 16;

/** How often the list of directories is made anew when one of them goes away meanwhile. */
const ATTEMPTS_MAX = 20;

/** All watches of this process, and the end of the work of the last one that covers anything: one at a time does. */
const watches = new Set<LocalWatch>();
let lastCover: Promise<void> = Promise.resolve();

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
  #listening: Promise<void> = Promise.resolve();
  /** Of what is covered, that of which another one may stand there now. */
  #exchanged = new Set<string>();
  /** Which directory the top is, as long as it is watched. */
  #top: { readonly path: string; readonly identity: string } | undefined;
  #isOver = false;
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
    // What is above the top is not watched, and the top may have gone with it.
    return this.#isDoubtful || (this.#top !== undefined && this.#identityOf(this.#top.path) !== this.#top.identity);
  }

  takeLost(): boolean {
    const hasLost = this.#hasLost;
    this.#hasLost = false;
    this.#events = 0;
    return hasLost;
  }

  async cover(directories: ReadonlySet<string>): Promise<void> {
    const covering = lastCover.then(() => this.#cover(directories));
    lastCover = covering.catch(() => {}); // thrown to who asked for it
    await covering;
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    watches.delete(this);
    this.#letGo();
  }

  async #cover(directories: ReadonlySet<string>): Promise<void> {
    await this.#letGo();
    const others = [...watches].filter((other) => other !== this && other.#sharesWith(this));
    this.#exchanged.clear();
    for (const other of others) {
      await other.#letGo();
      other.#exchanged.clear();
      other.#lose();
    }
    if (this.#isOver) return;
    watches.add(this);
    this.#covered = directories;
    this.#isDoubtful = false;
    this.#events = 0;
    this.#openAll(directories);
  }

  /** Ends the watcher; when this resolves, the runtime has let go of its directories, too. */
  async #letGo(): Promise<void> {
    this.#watcher?.close();
    this.#watcher = this.#top = undefined;
    await this.#listening;
  }

  /** Whether something that was exchanged for `other` is covered here, too. */
  #sharesWith(other: LocalWatch): boolean {
    if (this.#root !== other.#root || other.#exchanged.size === 0) return false;
    return [...this.#covered].some((name) => isAtOrBelow(other.#exchanged, name));
  }

  #openAll(directories: ReadonlySet<string>): void {
    for (let attempt = 1;; attempt++) {
      // The top comes first: the runtime compares each event with one path after the other, up to one that fits.
      const paths = [...directories].map((name) => this.#pathOf(name)).filter((path) => this.#isDirectory(path));
      if (paths.length === 0) return;
      try {
        const watcher = this.#watcher = this.#open(paths);
        this.#top = { path: paths[0]!, identity: this.#identityOf(paths[0]!) };
        this.#listening = this.#listen(watcher);
        return;
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
    if (flag === "rescan") {
      this.#exchanged.add("");
      return this.#lose();
    }
    if (++this.#events >= CROWD_EVENTS) this.#isDoubtful = true;
    for (const path of paths) {
      const name = this.#nameOf(path);
      if (name === undefined) continue;
      const isMoved = kind !== "modify" && kind !== "access";
      if (this.#covered.has(name)) {
        this.#isDoubtful ||= isMoved;
        if (isMoved) this.#exchanged.add(name);
      } else if (!this.#isShown(name)) continue;
      else if (isMoved && this.#isDirectory(path)) this.#isDoubtful = true;
      this.#onChange(name);
    }
  }

  /** Nobody knows what else happened. */
  #lose(): void {
    this.#isDoubtful = this.#hasLost = true;
    this.#onChange("");
  }

  /** Of events about other directories, which the runtime mixes in, and about names that nobody may use, nobody hears. */
  #isShown(name: string): boolean {
    const { directory } = splitName(name);
    return this.#covered.has(directory) && nameFault(name) === undefined;
  }

  #pathOf(name: string): string {
    return name === "" ? this.#root : join(this.#root, name);
  }

  #nameOf(path: string): string | undefined {
    if (path === this.#root) return "";
    const above = this.#root.endsWith(SEPARATOR) ? this.#root : this.#root + SEPARATOR;
    return path.startsWith(above) ? path.slice(above.length).replaceAll(SEPARATOR, "/") : undefined;
  }

  #identityOf(path: string): string {
    const info = this.#lookAt(path);
    return `${info?.dev} ${info?.ino} ${info?.birthtime?.getTime()}`;
  }

  #isDirectory(path: string): boolean {
    return this.#lookAt(path)?.isDirectory ?? false;
  }

  #lookAt(path: string): Deno.FileInfo | undefined {
    try {
      return lstatIfThere(this.#fs, path);
    } catch {
      return undefined; // it is not for us
    }
  }
}

/** Whether `name` is one of `tops` ("" is the top of all), or stands below one of them. */
function isAtOrBelow(tops: ReadonlySet<string>, name: string): boolean {
  if (tops.has("")) return true;
  for (let part = name; part !== ""; part = splitName(part).directory) if (tops.has(part)) return true;
  return false;
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
