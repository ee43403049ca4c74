/**
 * Leaving out what did not change: a receiver tells the digests of the blocks of the file that is replaced, and a sender
 * that has the same block in the same place says so instead of sending it.
 *
 * Both go on block by block: the receiver tells some blocks ahead of what it has got, and the sender does not go beyond
 * what it was told. To digest a block takes longer than to send it over a fast network, so where blocks keep being
 * others the receiver compares fewer and fewer of them: of a file that is quite another one, a handful in all.
 */
import { AppError } from "../errors.ts";
import { BLOCK_BYTES, COMPARED_AHEAD_MAX, COMPARED_BLOCKS_MIN } from "../limits.ts";
import type { MessageOf } from "../wire/messages/mod.ts";
import type { BlockDigest } from "./checksum.ts";
import { type Readable, readFully, splitDigests } from "./proof.ts";

/** How far ahead blocks are told: at first and where they differ, and while they are the same. */
const AHEAD = 4;
const AHEAD_WHILE_SAME = 64;

/** How many blocks are kept in memory. */
const RECENT_BLOCKS = 4;

/** Of blocks that differ one behind the other, so many in a row cause one to be passed over. */
const DIFFERENT_PER_SKIPPED = 2;

/** How many whole blocks of an old file of `oldBytes` are worth comparing with one of `sizeBytes`. */
export function comparableBlocks(oldBytes: number, sizeBytes: number): number {
  const blocks = Math.floor(Math.min(oldBytes, sizeBytes) / BLOCK_BYTES);
  return blocks < COMPARED_BLOCKS_MIN ? 0 : blocks;
}

/** What the receiver tells of the old file, and takes from it. Blocks are counted from the beginning of the file. */
export class OldBlocks {
  readonly #old: Readable;
  readonly #digest: BlockDigest;
  readonly #end: number;
  /** The blocks that were read last, each in the place of its number: mostly they are taken before others come there. */
  readonly #recent: { index: number; readonly bytes: Uint8Array }[] = [];
  /** Told, compared, and neither sent nor said to be the same yet. */
  readonly #compared = new Set<number>();
  #told: number;
  /** Where the last blocks that were the same end. */
  #sameEnd: number;
  #hasSame = false;

  /** Of `old` the blocks from `first` to `end`. */
  constructor(old: Readable, digest: BlockDigest, first: number, end: number) {
    this.#old = old;
    this.#digest = digest;
    this.#told = this.#sameEnd = first;
    this.#end = end;
  }

  /** What is to be told next to a sender of which `offset` bytes have come; `undefined` if that is enough for now. */
  async next(offset: number): Promise<MessageOf<"compare"> | undefined> {
    const settled = Math.floor(offset / BLOCK_BYTES);
    this.#forgetUpTo(settled);
    const different = settled - this.#sameEnd;
    const ahead = this.#hasSame && different <= 0 ? AHEAD_WHILE_SAME : AHEAD;
    if (this.#told >= this.#end || this.#told >= settled + ahead) return;
    const skipped = Math.min(Math.floor(Math.max(different, 0) / DIFFERENT_PER_SKIPPED), this.#end - this.#told - 1);
    this.#told += skipped;
    const digests = this.#digest(await this.#read(this.#told));
    this.#compared.add(this.#told++);
    return { type: "compare", digests, ...(skipped > 0 ? { skipped } : {}) };
  }

  /** The next blocks, which the sender found to be the same; each is valid until the next one. */
  async *take(offset: number, { blocks }: MessageOf<"same">): AsyncGenerator<Uint8Array> {
    if (blocks === 0) throw new AppError("order", 'The sender says "same" of no block');
    const first = offset / BLOCK_BYTES;
    for (let index = first; index < first + blocks; index++) {
      if (!this.#compared.delete(index)) throw new AppError("order", `The sender says "same" of block ${index}`);
      const block = await this.#read(index);
      this.#sameEnd = index + 1;
      this.#hasSame = true;
      yield block;
    }
  }

  /** What came as data is not asked about any more. */
  #forgetUpTo(block: number): void {
    for (const index of this.#compared) {
      if (index >= block) return;
      this.#compared.delete(index);
    }
  }

  async #read(index: number): Promise<Uint8Array> {
    const recent = this.#recent[index % RECENT_BLOCKS] ??= { index: -1, bytes: new Uint8Array(BLOCK_BYTES) };
    if (recent.index === index) return recent.bytes;
    recent.index = index;
    if (await readFully(this.#old, index * BLOCK_BYTES, recent.bytes) === BLOCK_BYTES) return recent.bytes;
    throw new AppError("mismatch", "The file that is replaced became shorter while it was compared");
  }
}

/** What a sender was told of the old file of its receiver. */
export class ToldBlocks {
  readonly #end: number;
  readonly #digests = new Map<number, Uint8Array>();
  #told: number;

  /** Of the blocks from `first` to `end`. */
  constructor(first: number, end: number) {
    this.#told = first;
    this.#end = end;
  }

  /** Whether the receiver will tell, or has told, of `block`. */
  concerns(block: number): boolean {
    return block < this.#end;
  }

  /** Whether it has. */
  knows(block: number): boolean {
    return block < this.#told;
  }

  /** The digest of `block`, once; `undefined` if it is not compared. */
  take(block: number): Uint8Array | undefined {
    const digest = this.#digests.get(block);
    this.#digests.delete(block);
    return digest;
  }

  add({ skipped = 0, digests }: MessageOf<"compare">): void {
    const split = splitDigests(digests);
    if (this.#told + skipped + split.length > this.#end) {
      throw new AppError("order", "The receiver told of more blocks than it said");
    }
    this.#told += skipped;
    for (const digest of split) this.#digests.set(this.#told++, digest);
    if (this.#digests.size > COMPARED_AHEAD_MAX) {
      throw new AppError("limit", `The receiver told of more than ${COMPARED_AHEAD_MAX} blocks ahead`);
    }
  }
}
