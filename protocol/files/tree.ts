/**
 * What a tree of files must be able to do, whoever keeps it. Handlers, the exchange and the commands know only this.
 *
 * `LocalTree` keeps it in a directory; another implementation (an object store) may answer every call with a promise.
 * So no path, no handle and no type of the runtime shows here. Names are as `names.ts` rules, and every call checks
 * them. All calls throw `AppError`.
 */

export type EntryKind = "file" | "directory" | "other";

/** One name and what stands behind it. A symbolic link that stays inside shows as what it leads to. */
export interface Entry {
  /** The whole name in `stat` and `open`, its last part in `list`. */
  readonly name: string;
  readonly kind: EntryKind;
  readonly sizeBytes: number;
  /** Milliseconds since 1970. */
  readonly mtimeMs: number;
  /** Unix permission bits, 0o777 at most. */
  readonly mode: number;
}

/** Some of the entries of a directory; `hidden` counts those left out because no request could name them. */
export interface Batch {
  readonly entries: readonly Entry[];
  readonly hidden: number;
}

/** What is known of a file before its content. */
export interface FileFacts {
  /** Absent when the source is a stream: then nothing of it can be resumed. */
  readonly sizeBytes?: number | undefined;
  /** Absent: the time at which it is published. */
  readonly mtimeMs?: number | undefined;
}

/** What `create` does about a name that is taken. A directory is never replaced by a file, nor a file by a directory. */
export type IfTaken = "error" | "rename" | "replace";

/** How much a tree has in it, unfinished files included, and the small notes beside those left out. */
export interface Usage {
  readonly bytes: number;
  /** Files, directories and partials. */
  readonly files: number;
  readonly partials: number;
}

/** Where a tree is kept. */
export interface Space {
  /** What may still be written there. */
  readonly freeBytes: number;
  /** What is there in all. */
  readonly sizeBytes: number;
}

type Awaitable<T> = T | Promise<T>;

/** An open file to read from. It reads one version of the file or says that it cannot. */
export interface Source extends Disposable {
  readonly entry: Entry;
  /** Fills `into` from `offset` on as far as the file goes; the number of bytes read, 0 at its end. */
  readAt(offset: number, into: Uint8Array): Awaitable<number>;
  /** Throws `source_changed` unless the file is still as it was when it was opened. Call it after the last read. */
  verifyUnchanged(): Awaitable<void>;
}

/**
 * A file on its way into the tree: invisible until `publish`, which happens or does not. One of `publish`, `suspend`
 * and `discard` ends it; `suspend` and `discard` do nothing when it has ended.
 */
export interface Draft {
  /** Whole blocks that an earlier attempt at the same source left here; they still have to be proven. */
  readonly heldBlocks: number;
  /** Whether an earlier attempt was thrown away because the source has another size or time now. */
  readonly restarted: boolean;
  /** Reads what is held. */
  readAt(offset: number, into: Uint8Array): Awaitable<number>;
  /** Keeps the first `offset` bytes of what is held; `write` goes on there. Call it once, before the first `write`. */
  startAt(offset: number): Awaitable<void>;
  write(bytes: Uint8Array): Awaitable<void>;
  /** Flushes, and makes the file visible in one step; the name that it got. Throws `exists` if the name was taken. */
  publish(): Promise<string>;
  /** Keeps what is there for a later attempt, if it is worth it. */
  suspend(): Awaitable<void>;
  /** Leaves nothing of the file. Directories that were made for it stay. */
  discard(): Awaitable<void>;
}

export interface FileTree {
  /** The same tree with the same names, of which nothing works that leads out of the file or directory `name`. */
  confinedTo?(name: string): FileTree;
  /**
   * The entries of a directory ("" is the top), sorted by name; `all` includes names that begin with a dot. Throws
   * `too_many_files` when there are more than `namesMax`.
   */
  list(directory: string, options: { all: boolean; namesMax?: number }): AsyncIterable<Batch>;
  stat(name: string): Awaitable<Entry>;
  open(name: string): Awaitable<Source>;
  /** Begins a file; makes the parents of its name. Throws `exists` at once when the name is taken and may not be. */
  create(name: string, facts: FileFacts, ifTaken: IfTaken): Promise<Draft>;
  /** Makes a directory and its parents; no error if it is there. */
  makeDirectory(name: string): Awaitable<void>;
  /** Renames a file or directory, making parents; the name that it got. */
  move(from: string, to: string, ifTaken: IfTaken): Awaitable<string>;
  /** Removes a file or an empty directory. */
  remove(name: string): Awaitable<void>;
  /** How much there is; may take long. Absent: limits of it cannot be kept. */
  usage?(signal?: AbortSignal): Promise<Usage>;
  /** How much room there is in that directory, or in the one above it that is there; `undefined` when nobody knows. */
  space?(directory: string): Awaitable<Space | undefined>;
}
