/** Runs something again whenever that may have become necessary: what tells so on this machine, and the order of it all. */
import { AppError, hasCode } from "../protocol/errors.ts";
import { CLOCK, type Clock } from "../protocol/exchange/debounce.ts";
import { TreeWatcher, type TreeWatcherOptions } from "../protocol/exchange/tree_watcher.ts";
import type { FileTree } from "../protocol/files/tree.ts";
import { WATCH_POLL_MS } from "../protocol/limits.ts";

/** What tells that something may have changed. What changes while nobody waits is told to who waits next. */
export interface Wakeups extends Disposable {
  /** Throws what keeps it from ever telling anything again. */
  next(): Promise<void>;
}

export interface LocalWatchOptions extends TreeWatcherOptions {
  /** Told why the tree is looked at now and then, if it is. */
  readonly onPolling?: (reason: AppError) => void;
}

/** Changes in a tree of this machine. Where it cannot be watched, there is one every 10 s. */
export class LocalChanges implements Wakeups {
  readonly #tree: FileTree;
  readonly #options: LocalWatchOptions;
  readonly #clock: Clock;
  #watcher: TreeWatcher | undefined;
  #callOff: (() => void) | undefined;

  private constructor(tree: FileTree, options: LocalWatchOptions) {
    this.#tree = tree;
    this.#options = options;
    this.#clock = options.clock ?? CLOCK;
  }

  /** From when this resolves on, `next` tells of changes. Throws what keeps `tree` from being listed. */
  static async start(tree: FileTree, options: LocalWatchOptions = {}): Promise<LocalChanges> {
    const changes = new LocalChanges(tree, options);
    await changes.#orPolling(async () => {
      changes.#watcher = await TreeWatcher.start(tree, "", options);
      if (changes.#watcher.hearsAll) return;
      options.onPolling?.(new AppError("cannot_watch", "Other machines may change it without this one hearing of it"));
    });
    return changes;
  }

  async next(): Promise<void> {
    if (this.#watcher) return await this.#orPolling(async () => void await this.#watcher!.next());
    await new Promise<void>((resolve) => this.#callOff = this.#clock.after(WATCH_POLL_MS, resolve));
    await this.#tree.folder(""); // it may be gone
  }

  [Symbol.dispose](): void {
    this.#callOff?.();
    this.#watcher?.[Symbol.dispose]();
  }

  async #orPolling(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!hasCode(error, "cannot_watch")) throw error;
      this.#watcher?.[Symbol.dispose]();
      this.#watcher = undefined;
      this.#options.onPolling?.(error);
    }
  }
}

export interface WatchedRuns {
  readonly wakeups: Wakeups;
  /** What it throws does not end the watch. */
  readonly run: () => Promise<void>;
  readonly onFailed: (error: AppError) => void;
  readonly signal: AbortSignal;
}

/** Runs until `signal` aborts, or nothing will be told any more; throws the reason. */
export async function runOnChanges({ wakeups, run, onFailed, signal }: WatchedRuns): Promise<never> {
  for (;;) {
    await orAborted(wakeups.next(), signal);
    try {
      await run();
    } catch (error) {
      if (!(error instanceof AppError) || signal.aborted) throw error;
      onFailed(error);
    }
  }
}

/** `pending`, or the reason of `signal`. Nothing of it stays with `signal`, which outlives many of them. */
async function orAborted<T>(pending: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort);
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([pending, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
