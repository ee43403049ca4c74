/**
 * Messages that move one file. Who has it is the sender, who wants it the receiver; which of them is the client makes
 * no difference behind `get` and `offer`. Their legal order is `../transfer_order.ts`.
 */
import { bytes, flag, optional, required, text, uint } from "../fields.ts";
import { declare } from "./declare.ts";

/** What the receiver is to do when the name is taken. */
export const IF_EXISTS = ["error", "rename", "replace"] as const;
export type IfExists = typeof IF_EXISTS[number];

export const TRANSFER_MESSAGES = {
  /** The client wants a file. `eager`: it holds nothing of it, so the data may come at once, without an `accept`. */
  get: declare(0x10, "request", { name: required(1, text), eager: optional(2, flag) }),
  /** The sender describes the file; from a client this is the request to store it. */
  offer: declare(0x11, "request", {
    name: required(1, text),
    /** Absent when it is not known yet; then the transfer cannot be resumed. */
    sizeBytes: optional(2, uint),
    /** Milliseconds since 1970; absent: the receiver's time when it is stored. */
    mtimeMs: optional(3, uint),
    /** The data follows at once, without an `accept`. */
    eager: optional(4, flag),
    /** An index into `IF_EXISTS`; absent: `error`. Of no meaning from a server. */
    ifExists: optional(5, uint),
    /** Unix permission bits, 0o777 at most. */
    mode: optional(0x80, uint),
    /** Blocks that the receiver has in the file that it replaces can be left out. */
    compares: optional(0x81, flag),
    /** Digests of blocks may be SHA-256 instead of BLAKE2b-512. */
    sha256: optional(0x82, flag),
  }),
  /** The receiver wants the data, and holds that many whole blocks, whose digests follow. */
  accept: declare(0x12, "part", {
    blocks: required(1, uint),
    /** It held something of this name, but of another size or time, and threw it away. */
    restarted: optional(0x80, flag),
    /** So many whole blocks of the file that is replaced are compared, too; only for who `compares`. */
    oldBlocks: optional(0x81, uint),
    /** The digests of this transfer are SHA-256; only for who offered that. */
    sha256: optional(0x82, flag),
  }),
  /** Digests of consecutive blocks, 16 bytes each; as many messages as it takes. */
  digests: declare(0x13, "part", { digests: required(1, bytes) }),
  /** The sender found that everything before `offset` is the file as it is now; the data begins there. */
  from: declare(0x14, "part", { offset: required(1, uint) }),
  /** The data has ended: the size and the CRC-32 of the whole file, resumed part included. */
  end: declare(0x16, "part", { sizeBytes: required(1, uint), crc: required(2, uint) }),
  /** The receiver has it: verified, flushed, and under its name. `name` when that differs from the offered one. */
  stored: declare(0x17, "part", { sizeBytes: required(1, uint), crc: required(2, uint), name: optional(3, text) }),
  /** The next blocks of the file that is replaced: so many are not compared, and these are the digests of those behind. */
  compare: declare(0x18, "part", { skipped: optional(1, uint), digests: required(2, bytes) }),
  /** The next blocks are those of the file that is replaced, instead of their data. */
  same: declare(0x19, "part", { blocks: required(1, uint) }),
} as const;

/** File data: its body is the bytes themselves, without fields. */
export const DATA_TYPE = 0x15;
