/**
 * Messages by which what cannot work is found before a tree is moved: the receiver announces what it can have, and the
 * sender looks at everything that it has before the receiver changes anything. Asked for by `push` and `pull`.
 */
import { flag, optional, required, text, uint } from "../fields.ts";
import { declare } from "./declare.ts";

/** What is done about entries that the receiver cannot have; on the wire an index. */
export const IF_IMPOSSIBLE = ["stop", "skip"] as const;
export type IfImpossible = typeof IF_IMPOSSIBLE[number];

export const PREFLIGHT_MESSAGES = {
  /** Receiver, before anything else: what can be stored where the tree goes. */
  room: declare(0x5c, "part", {
    /** The longest part of a name, and the longest name from the top of the tree. */
    partBytesMax: required(1, uint),
    nameBytesMax: required(2, uint),
    /** Names that differ in case only are the same. */
    ignoresCase: optional(3, flag),
    /** Names that differ in their Unicode normalisation only are the same. */
    normalises: optional(4, flag),
    /** No name has one of `< > : " | ? *`. */
    windows: optional(5, flag),
    /** The largest file. */
    fileBytesMax: optional(6, uint),
    /** How many bytes, and how many files and directories, there is room for; absent: nobody knows. */
    bytesLeft: optional(7, uint),
    filesLeft: optional(8, uint),
  }),
  /** Sender: that entry is not sent, since the receiver cannot have it, or nobody may send its name. */
  impossible: declare(0x5d, "part", {
    name: required(1, text),
    code: required(2, uint),
    text: required(3, text),
    /** The entry that it cannot be beside. */
    beside: optional(4, text),
  }),
  /** Sender: everything was looked at, and came to this; from here on the receiver may change something. */
  go: declare(0x5e, "part", {
    /** Entries, and the bytes of the files among them. */
    entries: required(1, uint),
    sizeBytes: required(2, uint),
    /** So many more are impossible than were told. */
    more: optional(3, uint),
  }),
  /** Receiver, in a dry run that measures: how much room it takes to do it. */
  need: declare(0x5f, "part", { bytes: required(1, uint), files: required(2, uint) }),
} as const;
