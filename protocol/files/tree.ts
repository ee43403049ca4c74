/**
 * What a tree of files must be able to do, whoever keeps it. Handlers, the exchange and the commands know only this.
 *
 * `LocalTree` keeps it in a directory; another implementation (an object store) may answer every call with a promise.
 * So no path, no handle and no type of the runtime shows here. Names are as `names.ts` rules, and every call checks
 * them. All calls throw `AppError`.
 */

import type { Awaitable } from "../awaitable.ts";
import type { AppError } from "../errors.ts";
import type { NameRules } from "../name_rules.ts";
import type { Trash } from "./trash.ts";

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
  /** The draft is to have an `old` file, if it replaces one that is worth it. Who gets that may read the file. */
  readonly comparesOld?: boolean | undefined;
  /** As in `StoredFacts`. */
  readonly permissions?: number | undefined;
  readonly isExecutable?: boolean | undefined;
}

/** One name of a `Folder`, and what stands there itself: links are not followed. */
export interface FolderEntry extends Omit<Entry, "kind"> {
  readonly kind: EntryKind | "link";
  /** Where a link points. */
  readonly target?: string | undefined;
}

/** Some of the entries of a folder; `unusable` are names that break the name rule. */
export interface FolderBatch {
  readonly entries: readonly FolderEntry[];
  readonly unusable: readonly string[];
}

/** What is known of a file that is stored beside its content. */
export interface StoredFacts {
  readonly mtimeMs: number;
  /** Unix permission bits; absent: those that a new file gets. */
  readonly permissions?: number | undefined;
  /** Without `permissions`: whether it may be executed. */
  readonly isExecutable?: boolean | undefined;
}

/** What `create` does about a name that is taken. A directory is never replaced by a file, nor a file by a directory. */
export type IfTaken = "error" | "rename" | "replace";

/** How much a tree has in it, unfinished files included, and the small notes beside those left out. */
export interface Usage {
  readonly bytes: number;
  /** Files, directories, links and partials. */
  readonly files: number;
  readonly partials: number;
}

/** Where a tree is kept. */
export interface Space {
  /** What may still be written there. */
  readonly freeBytes: number;
  /** What is there in all. */
  readonly sizeBytes: number;
  /** How many more files, directories and links there can be. @default unbounded */
  readonly freeNames?: number | undefined;
}

/** What a tree has room for; `undefined` where nobody knows. */
export interface Room {
  readonly bytes?: number | undefined;
  /** Files, directories and links. */
  readonly files?: number | undefined;
}

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
  /** The file that it is to replace, open until it ends; somebody may change it meanwhile. */
  readonly old?: Pick<Source, "entry" | "readAt"> | undefined;
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

/** A small file on its way into a folder: complete, and invisible until it is published. */
export interface Staged {
  /** Writes its content to the disk. */
  flush(): Awaitable<void>;
  /** Leaves nothing of it. */
  discard(): Awaitable<void>;
}

/** A small file that is to be staged. */
export interface NewFile {
  readonly base: string;
  readonly bytes: Uint8Array;
  readonly facts: StoredFacts;
}

/** What was staged, and the last part of the name that it is to get. */
export interface ToPublish {
  readonly base: string;
  readonly staged: Staged;
  readonly ifTaken: IfTaken;
  /** How large the file is that it replaces; absent where nothing had the name when that was decided. */
  readonly replacedBytes?: number | undefined;
  /** Of what was staged. */
  readonly sizeBytes: number;
  readonly mtimeMs: number;
}

/** A symbolic link that is to be made. */
export interface NewLink {
  readonly base: string;
  readonly target: string;
  /** When it was made, if the file system keeps that. */
  readonly mtimeMs: number;
}

/** Another time, or other permission bits, for an entry; a link has a time alone. */
export interface Change {
  /** "" is the directory itself. */
  readonly base: string;
  readonly facts: Partial<StoredFacts>;
  /** What it was when it was looked at, or that it is a directory: what else stands there by now is left as it is. */
  readonly expected: FolderEntry | "directory";
  /** It is not flushed afterwards. */
  readonly isUnflushed?: boolean | undefined;
}

/** An entry that was changed so. One of both ends it. */
export interface Adjusted {
  /** Writes that to the disk. */
  flush(): Awaitable<void>;
  release(): Awaitable<void>;
}

/** A file of another folder that is to get a name, time and bits in this one. */
export interface ToAdopt {
  readonly base: string;
  /** As it was scanned there. */
  readonly entry: FolderEntry;
  readonly facts: StoredFacts;
}

/** Whether a file that got another name has its old one still. */
export type Adopted = "linked" | "renamed";

/**
 * One directory, of which links are neither followed nor on the way to it: what trees are told and made with. `base` is
 * the last part of a name.
 */
export interface Folder {
  /** Its whole name; "" is the top of the tree. */
  readonly name: string;
  /** Tells the disks of a tree apart, where that is known: on one of them `space` is the same in all folders. */
  readonly disk?: number | undefined;
  /**
   * The directory `base` in it, which was made, or seen to be one: whether it still is shows when it is used, as
   * `not_found`, `not_a_directory` or `outside`. `seen`: its entry, if there is one.
   */
  folder(base: string, seen?: FolderEntry): Awaitable<Folder>;
  /** All entries but our own, sorted by name. */
  scan(): AsyncIterable<FolderBatch>;
  look(base: string): Awaitable<FolderEntry | undefined>;
  /** Opens a file; its entry has the whole name. */
  open(base: string): Awaitable<Source>;
  /**
   * Reads whole files, one after the other, each into the beginning of `into`, and hands to `take` which version it is:
   * the entry itself if it is still that. The error `source_changed` stands for one that changes meanwhile, or has grown
   * out of `into`.
   */
  readEach(
    files: readonly FolderEntry[],
    into: Uint8Array,
    take: (index: number, read: FolderEntry | AppError) => void,
  ): Awaitable<void>;
  /** Writes whole files, invisibly; for each the error if it fails. */
  stage(files: readonly NewFile[]): Awaitable<readonly (Staged | AppError)[]>;
  /** Makes files visible, each in one step, as `FileTree.create` would; the last part of the name that it got. */
  publish(files: readonly ToPublish[]): Awaitable<readonly (string | AppError)[]>;
  /**
   * Gives files of the folder with the whole name `from` a name in this one; none is replaced. Where the system can, each
   * has its old name still, to be removed by the caller. Errors: `exists`, and `source_changed` for what is not as it was
   * scanned.
   */
  adopt(from: string, files: readonly ToAdopt[]): Awaitable<readonly (Adopted | AppError)[]>;
  /** Throws `exists` if the name is taken. */
  makeDirectory(base: string, permissions?: number): Awaitable<void>;
  /** Makes a link; with `replace` in place of a file or link. */
  makeLink(link: NewLink, ifTaken: "error" | "replace"): Awaitable<void>;
  /** Changes times and permission bits, each at once, and for each the error if it fails. */
  adjust(changes: readonly Change[]): Awaitable<readonly (Adjusted | AppError)[]>;
  /** Removes a file, a link, or an empty directory; leftovers of ours do not keep a directory from being empty. */
  remove(base: string): Awaitable<void>;
  /** Removes files, on one visit. Error: `source_changed` for one that is another file by now. */
  removeEach(files: readonly FolderEntry[]): Awaitable<readonly (AppError | undefined)[]>;
  /** Writes to the disk which entries there are. */
  flush(): Awaitable<void>;
}

/** Hears of changes in directories of a tree. Dispose it. */
export interface TreeWatch extends Disposable {
  /** Whether others can change the tree unheard, as on a disk of the network. */
  readonly hearsAll: boolean;
  /** More are refused. @default any number */
  readonly directoriesMax?: number;
  /** Directories may have come, gone or been exchanged since `cover`: it is to be told of all of them again. */
  readonly isDoubtful: boolean;
  /** Whether changes were lost since this was asked last; to be asked for each change. */
  takeLost(): boolean;
  /**
   * Watches these directories from now on, their top first, and no others. Those that are gone are passed over. What
   * changes before this is not heard of, and need not be: look at the tree behind it. Throws `cannot_watch`.
   */
  cover(directories: ReadonlySet<string>): Awaitable<void>;
}

export interface FileTree {
  /** The same tree with the same names, of which nothing works that leads out of the file or directory `name`. */
  confinedTo?(name: string): FileTree;
  /** The directory of that name. Throws `outside` when a link stands on the way, and `not_a_directory`. */
  folder(name: string): Awaitable<Folder>;
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
  /** Where what is replaced and removed can be kept, so that it can be undone. Absent: nothing can. */
  readonly trash?: Trash | undefined;
  /** How much room there is in that directory, or in the one above it that is there; `undefined` when nobody knows. */
  space?(directory: string): Awaitable<Space | undefined>;
  /**
   * Tells `onChange` the names of what changes in directories that are covered, "" for what nobody knows. Of our own
   * files, and of names that break the rule, nothing is told. Absent: nobody can. Throws `cannot_watch`.
   */
  watch?(onChange: (name: string) => void): Awaitable<TreeWatch>;

  /** What may still be stored in that directory, all limits considered. */
  room?(directory: string): Awaitable<Room>;
  /** Which names there can be in that directory, or in the one above it that is there. Absent: all that the rule allows. */
  nameRules?(directory: string): Awaitable<NameRules>;
}
