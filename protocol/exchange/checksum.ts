/**
 * Checksums that are worth loading only when they are needed: `node:zlib` costs a fresh process 17 ms, the first use of
 * `node:crypto` 42 ms. A short command must pay for neither.
 */
import { BLOCK_DIGEST_BYTES } from "../limits.ts";
import { type Crc32, crc32 as tableCrc32 } from "../wire/crc32.ts";

/** From this size on, the time that the fast CRC saves is more than what it costs to load. */
const FAST_CRC_FROM_BYTES = 16 * 1_048_576;

let fastCrc32: Promise<Crc32> | undefined;

/** The CRC-32 to use for `sizeBytes` of data; `undefined` means unknown, so perhaps very many. */
export function crc32For(sizeBytes: number | undefined): Promise<Crc32> | Crc32 {
  if (sizeBytes !== undefined && sizeBytes < FAST_CRC_FROM_BYTES && !fastCrc32) return tableCrc32;
  return fastCrc32 ??= import("node:zlib").then(({ crc32 }) => crc32 as unknown as Crc32);
}

/** Exchanges the checksum of a session for the fast one when so much has moved that it pays. */
export class CrcChoice {
  readonly #session: { useCrc32(faster: Crc32): void };
  #movedBytes = 0;

  constructor(session: { useCrc32(faster: Crc32): void }) {
    this.#session = session;
  }

  /** Call it with 0 first: what is loaded already is used at once. A promise only when something has to be loaded. */
  moved(bytes: number): Promise<void> | void {
    const isFirst = this.#movedBytes === 0;
    const before = this.#movedBytes;
    this.#movedBytes += Math.max(bytes, 1);
    const isEnough = before < FAST_CRC_FROM_BYTES && this.#movedBytes >= FAST_CRC_FROM_BYTES;
    if (isFirst || isEnough) return this.#choose();
  }

  async #choose(): Promise<void> {
    this.#session.useCrc32(await crc32For(this.#movedBytes));
  }
}

/** A running BLAKE2b-512. */
export interface Blake2b {
  update(bytes: Uint8Array): Blake2b;
  /** 64 bytes. */
  digest(): Uint8Array;
}

export async function loadBlake2b(): Promise<() => Blake2b> {
  const { createHash } = await import("node:crypto");
  return () => createHash("blake2b512") as Blake2b;
}

/** What identifies a block: a digest of it, cut to 16 bytes. */
export type BlockDigest = (block: Uint8Array) => Uint8Array;

/** BLAKE2b-512, which everybody has, or SHA-256, where both sides say that they are fast at it. */
export async function loadBlockDigest(kind: "blake2b512" | "sha256" = "blake2b512"): Promise<BlockDigest> {
  const { createHash } = await import("node:crypto");
  return (block) => createHash(kind).update(block).digest().subarray(0, BLOCK_DIGEST_BYTES);
}
