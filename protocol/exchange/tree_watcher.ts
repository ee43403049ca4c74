/**
 * Tells when a tree may have changed, for as long as anybody wants to know.
 *
 * Nothing is missed: who hears of a change looks at the whole tree, and every directory is watched before that. New ones
 * are looked for whenever the watch has doubts; a look that finds none, with all others watched, ends that. What comes
 * later is a change of its own. And if all that should fail, there is a change now and then in any case.
 */
import { AppError } from "../errors.ts";
import type { FileTree, TreeWatch } from "../files/tree.ts";
import { WATCH_POLL_MS, WATCH_RESCAN_MS } from "../limits.ts";
import { CLOCK, type Clock, Debounce, type DebounceOptions } from "./debounce.ts";
import { joinNames } from "./tree_walk.ts";

export interface TreeWatcherOptions extends DebounceOptions {
  /** Which names are left out, told from the top of what is watched: their directories are not watched. */
  readonly excludes?: ((name: string, isDirectory: boolean) => boolean) | undefined;
  /** How long it is without a change at most. @default 5 minutes, or 10 s where others may change the tree unheard */
  readonly rescanMs?: number;
}

/** Looks for new directories take at most this part of the time. */
const LOOKING_SHARE = 1 / 10;

/** So often new directories are looked for in a row; if there are still some, that is for the next time. */
const LOOKS_MAX = 5;

export class TreeWatcher implements Disposable {
  readonly #tree: FileTree;
  readonly #top: string;
  readonly #options: TreeWatcherOptions;
  readonly #clock: Clock;
  readonly #debounce: Debounce;
  #watch: TreeWatch | undefined;
  #covered: ReadonlySet<string> = new Set();
  #rescan: (() => void) | undefined;
  #isRescan = false;
  /** When directories may be looked for again. */
  #restUntilMs = 0;
  #callOffRest: (() => void) | undefined;
  #isOver = false;

  private constructor(tree: FileTree, top: string, options: TreeWatcherOptions) {
    this.#tree = tree;
    this.#top = top;
    this.#options = options;
    this.#clock = options.clock ?? CLOCK;
    this.#debounce = new Debounce(options);
  }

  /**
   * Watches what is below the directory `top` of `tree`, "" for all of it. Throws `cannot_watch`, and what keeps `top`
   * from being listed.
   */
  static async start(tree: FileTree, top: string, options: TreeWatcherOptions = {}): Promise<TreeWatcher> {
    const watcher = new TreeWatcher(tree, top, options);
    try {
      await tree.folder(top);
      if (!tree.watch) throw new AppError("cannot_watch", "Cannot watch for changes: these files have no events");
      watcher.#watch = await tree.watch((name) => watcher.#hear(name));
      await watcher.#cover();
      watcher.#awaitRescan();
      return watcher;
    } catch (error) {
      watcher[Symbol.dispose]();
      throw error;
    }
  }

  /** Whether the tree may change unheard. */
  get hearsAll(): boolean {
    return this.#watch!.hearsAll;
  }

  /** Waits for the next change, and whether there may be more than was heard of. Throws as `start` does. */
  async next(): Promise<{ readonly hasLost: boolean }> {
    await this.#debounce.wait();
    const isRescan = this.#isRescan;
    this.#isRescan = false;
    this.#awaitRescan();
    const hasLost = this.#watch!.takeLost() || isRescan;
    if (this.#watch!.isDoubtful || isRescan) {
      await this.#rest();
      await this.#cover();
    }
    return { hasLost };
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#rescan?.();
    this.#callOffRest?.();
    this.#debounce[Symbol.dispose]();
    this.#watch?.[Symbol.dispose]();
  }

  #hear(name: string): void {
    if (!this.#isExcluded(name)) this.#debounce.touch();
  }

  /** Nobody knows what it is, or was: a name counts unless it is left out as a file and as a directory. */
  #isExcluded(whole: string): boolean {
    const { excludes } = this.#options;
    const name = this.#fromTop(whole);
    return name !== "" && excludes !== undefined && excludes(name, false) && excludes(name, true);
  }

  #awaitRescan(): void {
    this.#rescan?.();
    const rescanMs = this.#options.rescanMs ?? (this.hearsAll ? WATCH_RESCAN_MS : WATCH_POLL_MS);
    this.#rescan = this.#clock.after(rescanMs, () => {
      this.#isRescan = true;
      this.#debounce.hurry();
    });
  }

  /** Watches all directories that there are. */
  async #cover(): Promise<void> {
    const begunMs = this.#clock.now();
    for (let looks = 0; looks < LOOKS_MAX && !this.#isOver; looks++) {
      const found = await this.#look();
      if (!this.#watch!.isDoubtful && found.isSubsetOf(this.#covered)) break;
      if (this.#isOver) return;
      await this.#watch!.cover(found);
      this.#covered = found;
    }
    const nowMs = this.#clock.now();
    this.#restUntilMs = nowMs + (nowMs - begunMs) / LOOKING_SHARE;
  }

  async #rest(): Promise<void> {
    const leftMs = this.#restUntilMs - this.#clock.now();
    if (leftMs > 0) await new Promise<void>((resolve) => this.#callOffRest = this.#clock.after(leftMs, resolve));
  }

  /** The names of all directories, the top first. One that goes away meanwhile, or is not for us, counts as watched. */
  async #look(): Promise<ReadonlySet<string>> {
    const found = new Set([this.#top]);
    const { directoriesMax = Infinity } = this.#watch!;
    for (const name of found) {
      try {
        const folder = await this.#tree.folder(name);
        for await (const { entries } of folder.scan()) {
          if (this.#isOver) return found;
          for (const { kind, name: base } of entries) {
            const below = joinNames(name, base);
            if (kind === "directory" && !this.#options.excludes?.(this.#fromTop(below), true)) found.add(below);
          }
          if (found.size > directoriesMax) throw tooMany(directoriesMax);
        }
      } catch (error) {
        if (!(error instanceof AppError) || error.code === "cannot_watch" || name === this.#top) throw error;
      }
    }
    return found;
  }

  #fromTop(name: string): string {
    return this.#top === "" ? name : name.slice(this.#top.length + 1);
  }
}

function tooMany(directoriesMax: number): AppError {
  const message = `Cannot watch for changes: there are more than ${directoriesMax} directories`;
  return new AppError("cannot_watch", message, { advice: "Watch a directory below it" });
}
