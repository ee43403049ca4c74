/**
 * Proving that a partial belongs to a source: digests of the blocks that the receiver holds, compared by the sender
 * with its own. Both sides read their bytes once and keep the CRC-32 of each beginning, so that nothing is read again.
 */
import { breathe } from "../breathe.ts";
import { AppError } from "../errors.ts";
import { BLOCK_BYTES, BLOCK_DIGEST_BYTES } from "../limits.ts";
import type { Crc32 } from "../wire/crc32.ts";
import type { BlockDigest } from "./checksum.ts";

/** What bytes can be read from: a `Source`, or a `Draft` with what it holds. */
export interface Readable {
  readAt(offset: number, into: Uint8Array): number | Promise<number>;
}

/** Reads whole blocks in order, digests them, and remembers the CRC-32 of everything up to each of them. */
export class BlockReader {
  readonly #from: Readable;
  readonly #digest: BlockDigest;
  readonly #crc32: Crc32;
  readonly #block = new Uint8Array(BLOCK_BYTES);
  /** `crcs[n]` is the CRC-32 of the first n blocks. */
  readonly #crcs: number[] = [0];

  constructor(from: Readable, digest: BlockDigest, crc32: Crc32) {
    this.#from = from;
    this.#digest = digest;
    this.#crc32 = crc32;
  }

  /** The digest of the next block, 16 bytes; `undefined` if there is no whole block any more. */
  async next(): Promise<Uint8Array | undefined> {
    const index = this.#crcs.length - 1;
    if (await readFully(this.#from, index * BLOCK_BYTES, this.#block) < BLOCK_BYTES) return;
    this.#crcs.push(this.#crc32(this.#block, this.#crcs[index]!));
    const digest = this.#digest(this.#block);
    await breathe();
    return digest;
  }

  /** The CRC-32 of the first `offset` bytes, which are whole blocks that were read. */
  crcOf(offset: number): number {
    const crc = this.#crcs[offset / BLOCK_BYTES];
    if (crc === undefined) throw new AppError("order", `Cannot go on at ${offset}: it is not the end of a held block`);
    return crc;
  }
}

/** Reads until `into` is full or the end is reached; the number of bytes. */
export async function readFully(from: Readable, offset: number, into: Uint8Array): Promise<number> {
  let filled = 0;
  while (filled < into.length) {
    const count = await from.readAt(offset + filled, into.subarray(filled));
    if (count === 0) break;
    filled += count;
  }
  return filled;
}

/** The digests that stand one behind the other in `bytes`. Throws `malformed`. */
export function splitDigests(bytes: Uint8Array): Uint8Array[] {
  if (bytes.length === 0 || bytes.length % BLOCK_DIGEST_BYTES !== 0) {
    throw new AppError("malformed", `Cannot take ${bytes.length} bytes as digests`);
  }
  return Array.from(
    { length: bytes.length / BLOCK_DIGEST_BYTES },
    (_, index) => bytes.subarray(index * BLOCK_DIGEST_BYTES, (index + 1) * BLOCK_DIGEST_BYTES),
  );
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

export function concatBytes(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
