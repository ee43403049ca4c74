/**
 * Messages that make one directory like another. The sender tells what it has, the receiver says what it will do about
 * each entry, and what it wants of it; then the sender sends that. Which of them is the client makes no difference
 * behind `push` and `pull`. Entries are numbered from 0 as they are told. How they are packed: `../entry_batch.ts`.
 */
import { bytes, flag, lentBytes, optional, repeated, required, text, uint } from "../fields.ts";
import { declare } from "./declare.ts";

/** What the receiver of a tree does about a file that is there and is another one; on the wire an index. */
export const IF_DIFFERENT = ["error", "rename", "replace", "skip"] as const;
export type IfDifferent = typeof IF_DIFFERENT[number];

/** Whether the receiver of a tree keeps what it replaces or removes; `on`: what cannot be kept stays. On the wire an index. */
export const KEEPING = ["off", "auto", "on"] as const;
export type Keeping = typeof KEEPING[number];

/** What an undo does about a name; on the wire an index. */
export const UNDO_ACTIONS = ["restore", "remove", "make", "adjust", "move"] as const;
export type UndoAction = typeof UNDO_ACTIONS[number];

export const SYNC_MESSAGES = {
  /** The client has a tree, to be stored below a directory ("" is the shared one). Reply: a tree from the client. */
  push: declare(0x40, "request", {
    name: required(1, text),
    /** What the sender does not have is removed, if that is at most so much; absent: nothing is removed. */
    removeMax: optional(2, uint),
    /** An index into `IF_DIFFERENT`; absent: `error`. */
    ifDifferent: optional(3, uint),
    /** Permission bits, and times of directories and links, are taken over too. */
    exact: optional(4, flag),
    /** Nothing is changed; the plan is all that is wanted. */
    dryRun: optional(5, flag),
    /** Nothing is flushed to the disk. */
    unflushed: optional(6, flag),
    /** The sender leaves names out: it is asked which of those that it did not tell are to stay. */
    filtered: optional(7, flag),
    /** What is replaced or removed is kept: an index into `KEEPING`; absent: `off`. */
    trash: optional(10, uint),
    /** 16 hexadecimal digits, the same for each attempt at one push: it is undone as one. */
    tag: optional(11, text),
    /** There is a pre-flight; an index into `IF_IMPOSSIBLE`. */
    ifImpossible: optional(0x80, uint),
    /** A dry run: what it takes is told with `need`. */
    measure: optional(0x81, flag),
  }),
  /** The client wants the tree below a directory. Reply: a tree from the server. */
  pull: declare(0x41, "request", {
    name: required(1, text),
    /** Digests of the files are told, too. */
    checksum: optional(2, flag),
    /** The plan is told, but what is wanted is not to be sent. */
    dryRun: optional(3, flag),
    /** As in `push`. */
    ifImpossible: optional(0x80, uint),
  }),
  /** Sender: some entries of the directory whose turn it is. */
  listed: declare(0x42, "part", {
    /** With "/" between them. */
    names: required(1, text),
    /** 16 bytes for each entry: kind and mode, size, time. */
    facts: required(2, bytes),
    /** Where the links among them point, with a NUL between them. */
    targets: optional(3, text),
    /** 16 bytes for each file among them. */
    digests: optional(4, bytes),
    /** The directory has no more entries than were told. */
    last: optional(5, flag),
    /** The directory was left out, or could not be listed: nothing follows from what is not told of it. */
    unknown: optional(6, flag),
    /** Why it could not be listed. */
    code: optional(7, uint),
    text: optional(8, text),
  }),
  /** Receiver: everything below number `considered` has been considered, and this is done about it. */
  plan: declare(0x43, "part", {
    considered: required(1, uint),
    actions: optional(2, bytes),
    /** Which names the files had that were moved, with a NUL between them. */
    sources: optional(3, text),
    /** Of which of those that are created nothing is held: their data may come without an `accept`. */
    fresh: optional(0x80, bytes),
  }),
  /** Sender: a small file that was wanted, whole. `mtimeMs`: it is another version than was told. */
  file: declare(0x44, "part", {
    number: required(1, uint),
    mtimeMs: optional(2, uint),
    /** In pieces of 65,535 bytes, since no field is longer; views into the decoder's buffer. */
    content: repeated(3, lentBytes),
  }),
  /** Sender: a file that was wanted cannot be sent. */
  gone: declare(0x45, "part", { number: required(1, uint), code: required(2, uint), text: required(3, text) }),
  /** Sender: all directories were told. */
  scanned: declare(0x46, "part", {
    /** How many entries could not be told, because of their names. */
    hidden: optional(1, uint),
    /** Time and permission bits of the directory whose content was told, both or none. */
    mtimeMs: optional(2, uint),
    mode: optional(3, uint),
  }),
  /** Receiver: what was sent, up to that number, is under its name and on the disk, or was told to have failed. */
  kept: declare(0x47, "part", { number: required(1, uint) }),
  /** Receiver: that could not be done. */
  failed: declare(0x48, "part", { name: required(1, text), code: required(2, uint), text: required(3, text) }),
  /** Receiver: names that the sender did not tell, and that will be removed now. `asks`: if the sender agrees. */
  extra: declare(0x49, "part", { names: repeated(1, text), asks: optional(2, flag) }),
  /** Sender, asked by `extra`: the indices of those that are to stay. */
  spare: declare(0x4a, "part", { indices: required(1, bytes) }),
  /** Receiver: it is over, and came to this. */
  tallied: declare(0x4b, "part", {
    /** Files that were stored, and their bytes. */
    files: required(1, uint),
    fileBytes: required(2, uint),
    unchanged: required(3, uint),
    skipped: required(4, uint),
    removed: required(5, uint),
    failed: required(6, uint),
    /** Files that were there under another name. */
    moved: required(7, uint),
    /** What was replaced or removed, and could not be kept. */
    unkept: optional(12, uint),
  }),
  /** Receiver: which files those entries are, by their digests; all of them were planned for later. */
  probe: declare(0x4c, "part", { numbers: required(1, bytes) }),
  /** Sender, asked by `probe`: 16 bytes for each of them, zeros for what cannot be read as it was told. */
  proof: declare(0x4d, "part", { digests: required(1, bytes) }),
  /** The client wants the last run below a directory taken back. Reply: `undoing`, `undone` and `failed`, `done`. */
  undo: declare(0x54, "request", {
    name: required(1, text),
    /** Nothing is changed; what would be done is told. */
    dryRun: optional(2, flag),
    /** Nothing is flushed to the disk. */
    unflushed: optional(3, flag),
    /** As in `push`. */
    tag: optional(4, text),
  }),
  /** Which run that is. */
  undoing: declare(0x55, "part", {
    /** Below which directory it changed things. */
    name: required(1, text),
    /** When it began; milliseconds since 1970. */
    startedMs: required(2, uint),
    /** It took back another run. */
    undo: optional(3, flag),
  }),
  /** What was done: names, and for each a byte, an index into `UNDO_ACTIONS`. */
  undone: declare(0x56, "part", { names: repeated(1, text), actions: required(2, bytes) }),
  /** The client wants to know when the tree below a directory changes. Reply: `changed`…, then `done` at its `cancel`. */
  watch: declare(0x58, "request", { name: required(1, text) }),
  /** The tree may be another one than at the last `changed`. `lost`: there may be more to it than was seen. */
  changed: declare(0x59, "part", { lost: optional(1, flag) }),
} as const;
