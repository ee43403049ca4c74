/** Messages about names: what is there, and changing it. */
import { bytes, flag, optional, record, repeated, required, text, uint, type ValuesOf } from "../fields.ts";
import { declare } from "./declare.ts";

/** What an entry is; its number on the wire is its index. A link that stays inside the root shows as what it leads to. */
export const ENTRY_KINDS = ["file", "directory", "other"] as const;
export type EntryKind = typeof ENTRY_KINDS[number];

const ENTRY = {
  name: required(1, text),
  kind: required(2, uint),
  sizeBytes: optional(3, uint),
  mtimeMs: optional(4, uint),
  /** Unix permission bits, 0o777 at most. */
  mode: optional(5, uint),
  /** Room for where a symbolic link points. */
  target: optional(0x80, text),
} as const;

/** One entry as it stands in an `entries` message. */
export type WireEntry = ValuesOf<typeof ENTRY>;

export const TREE_MESSAGES = {
  /** What is in a directory, "" for the shared one. `all`: names that begin with a dot, too. Reply: `entries`…, `done`. */
  list: declare(0x20, "request", { name: required(1, text), all: optional(2, flag) }),
  /** Some entries of a reply; their names are the last part of the name only. */
  entries: declare(0x21, "part", { entries: repeated(1, record(ENTRY)) }),
  /** What is under one name. Reply: `entries` with one, `done`. */
  stat: declare(0x22, "request", { name: required(1, text) }),
  /** Makes a directory and its parents. Reply: `done`. */
  mkdir: declare(0x23, "request", { name: required(1, text) }),
  /** Gives a file or directory another name. Reply: `done`, with `name` when `ifExists` made it another one. */
  move: declare(0x24, "request", { from: required(1, text), to: required(2, text), ifExists: optional(3, uint) }),
  /** Removes a file or an empty directory. Reply: `done`. */
  remove: declare(0x25, "request", { name: required(1, text) }),
  /** What a file's content is, without sending it. Reply: `checksum`. */
  digest: declare(0x28, "request", { name: required(1, text) }),
  /** Size, CRC-32 and the whole BLAKE2b-512 (64 bytes) of a file. */
  checksum: declare(0x29, "part", {
    sizeBytes: required(1, uint),
    crc: required(2, uint),
    blake2b: required(3, bytes),
  }),
} as const;
