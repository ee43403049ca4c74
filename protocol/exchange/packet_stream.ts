/**
 * Packets over a stream: zlib streams back to back, without a length. One may come in many segments, and many in one.
 *
 * Where a packet ends is known only by inflating it, and `DecompressionStream` does not tell: it takes a cut-off packet
 * for a whole one and fails of what follows. So `node:zlib` inflates what has come as often as there is reason to
 * think that it is all, and never to more than a packet may have.
 */
import { AppError } from "../errors.ts";
import { PACKET_BYTES_MAX } from "../limits.ts";
import { encodePacket, formatSaving, type Packet } from "../wire/packet.ts";
import type { ByteStream } from "./byte_stream.ts";
import type { QuietReader } from "./quiet_reader.ts";

/** What does not compress grows by its headers. */
const COMPRESSED_BYTES_MAX = PACKET_BYTES_MAX + 1_024;
/** Up to this, what has come is inflated whenever more has come: the old programs take no more at once. */
const EAGER_BYTES = 1_024;
/** Beyond, it is only when so much more has come, or at a silence: all attempts together cost as much as a few. */
const GROWTH = 1 / 8;
const INFLATE_PIECE_BYTES = 1_024;

/** A packet as it came. */
export interface InflatedPacket {
  readonly bytes: Uint8Array;
  readonly compressedBytes: number;
}

export class PacketReader {
  readonly #stream: QuietReader;
  readonly #quietMs: number;
  #buffer = new Uint8Array(EAGER_BYTES);
  #start = 0;
  #end = 0;

  /** A sender that is silent for `quietMs` within a large packet has sent all of it. */
  constructor(stream: QuietReader, quietMs: number) {
    this.#stream = stream;
    this.#quietMs = quietMs;
  }

  /**
   * The next packet; `undefined` at the end. Throws `limit` for one that is too large, `malformed` for bytes that are
   * none, and `lost` for an end within one.
   */
  async next(): Promise<InflatedPacket | undefined> {
    const { inflateSync } = await import("node:zlib");
    let triedBytes = 0;
    for (let sender = await this.#take();;) {
      const bytes = this.#buffer.subarray(this.#start, this.#end);
      if (bytes.length > triedBytes && (sender !== "more" || isDue(bytes.length, triedBytes))) {
        const packet = inflate(inflateSync as unknown as InflateSync, bytes);
        if (packet) this.#start += packet.compressedBytes;
        if (packet) return packet;
        triedBytes = bytes.length;
      }
      if (sender === "ended" && bytes.length === 0) return undefined;
      if (sender === "ended") throw new AppError("lost", "The connection ended within a packet");
      if (bytes.length > COMPRESSED_BYTES_MAX) throw tooLarge();
      sender = await this.#more(bytes.length > triedBytes);
    }
  }

  /** What is there already, if there is anything. */
  async #take() {
    if (this.#start < this.#end || this.#stream.buffered.length > 0) {
      this.#push(this.#stream.take());
      return "more" as const;
    }
    return await this.#more(false);
  }

  /** Waits for more; no longer than for a silence if something is there that was not tried. */
  async #more(isUntried: boolean) {
    const sender = await this.#stream.more(isUntried ? this.#quietMs : Infinity);
    this.#push(this.#stream.take());
    return sender;
  }

  #push(bytes: Uint8Array): void {
    if (this.#end + bytes.length > this.#buffer.length) this.#makeRoom(bytes.length);
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  #makeRoom(count: number): void {
    const kept = this.#buffer.subarray(this.#start, this.#end);
    const needed = kept.length + count;
    const next = new Uint8Array(Math.max(EAGER_BYTES, needed > this.#buffer.length / 2 ? 2 * needed : needed));
    next.set(kept);
    this.#buffer = next;
    this.#start = 0;
    this.#end = kept.length;
  }
}

/** Whether `count` bytes are worth an attempt, when the first `triedBytes` of them were not a whole packet. */
function isDue(count: number, triedBytes: number): boolean {
  return count <= EAGER_BYTES || count >= triedBytes * (1 + GROWTH) || count > COMPRESSED_BYTES_MAX;
}

/** As it is with `info`: the types of `node:zlib` know it only without. */
type InflateSync = (
  bytes: Uint8Array,
  options: { info: true; chunkSize: number; maxOutputLength: number },
) => { buffer: Uint8Array; engine: { bytesWritten: number } };

/** The first packet in `bytes`; `undefined` while it is not whole. */
function inflate(inflateSync: InflateSync, bytes: Uint8Array): InflatedPacket | undefined {
  try {
    const options = { info: true, chunkSize: INFLATE_PIECE_BYTES, maxOutputLength: PACKET_BYTES_MAX } as const;
    const { buffer, engine } = inflateSync(bytes, options);
    return { bytes: buffer, compressedBytes: engine.bytesWritten };
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "Z_BUF_ERROR") return undefined;
    if (code === "ERR_BUFFER_TOO_LARGE") throw tooLarge();
    throw new AppError("malformed", "What came is no packet: it cannot be inflated", { cause: error });
  }
}

function tooLarge(): AppError {
  return new AppError("limit", `A packet is larger than ${PACKET_BYTES_MAX} bytes`);
}

/** Sends a packet; what its compression saved, in words. */
export async function writePacket(stream: ByteStream, packet: Packet): Promise<string> {
  const bytes = encodePacket(packet);
  const compressed = await deflate(bytes);
  await stream.write(compressed);
  return formatSaving(bytes.length, compressed.length);
}

/** `bytes` as one zlib stream. */
export async function deflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
