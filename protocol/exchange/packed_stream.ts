/**
 * A stream whose bytes travel in segments, compressed where that pays.
 *
 * It stands between a session, which knows nothing of it, and the connection, whose counts, limits of speed and
 * deadlines so are about what really goes over it. What is written is cut into pieces; of each a sample is tried out, and
 * only what gets smaller is compressed. The first bytes, with `hello` in them, and small messages never are: no secret
 * of the opening shares a context with anything, and an answer to a ping tells nothing but its size.
 */
import type { Compression } from "../compressions.ts";
import { AppError } from "../errors.ts";
import { decodeSegmentHeader, encodeSegment, SEGMENT_HEADER_BYTES, type SegmentHeader } from "../wire/segment.ts";
import type { ByteStream } from "./byte_stream.ts";
import { type Codec, type CompressionContext, loadCodec } from "./compression.ts";

/** Half a frame of file data, which does not hold anybody up for long. */
const PIECE_BYTES_MAX = 132_096;
/** Smaller ones are sent as they are. */
const PACKED_FROM_BYTES = 512;
/** As much as `hello` can have. */
const FIRST_BYTES = 4_096;

/** A sample is this many parts of this size, from all over the piece. */
const SAMPLE_PARTS = 4;
const SAMPLE_PART_BYTES = 2_048;
/** Compression pays if it leaves at most this share of a sample. */
const SHARE_LEFT_MAX = 0.9;
/** Behind a piece of which no more was left no sample is tried out: that takes a seventh of the time of compressing. */
const TRUSTED_SHARE_MAX = 0.5;

const READ_BUFFER_BYTES = 4_096;

export class PackedStream implements ByteStream {
  readonly #stream: ByteStream;
  readonly #compression: Compression;
  #codec: Codec | undefined;
  #compressor: CompressionContext | undefined;
  #inflater: CompressionContext | undefined;
  /** What was left of the last piece. */
  #shareLeft = 1;
  #hasWritten = false;
  #isWriting = false;
  #isClosed = false;
  readonly #buffer = new Uint8Array(READ_BUFFER_BYTES);
  /** What was read and not looked at. */
  #read: Uint8Array;
  /** What can be handed out. */
  #content: Uint8Array = new Uint8Array();
  /** What is still to come of a plain segment, behind `#content`. */
  #plainBytes = 0;

  /** `early` was read from `stream` already. */
  constructor(stream: ByteStream, compression: Compression, early: Uint8Array = new Uint8Array()) {
    this.#stream = stream;
    this.#compression = compression;
    this.#read = early;
  }

  get peer(): string {
    return this.#stream.peer;
  }

  get bytesRead(): number {
    return this.#stream.bytesRead;
  }

  get bytesWritten(): number {
    return this.#stream.bytesWritten;
  }

  get isWriting(): boolean {
    return this.#isWriting || this.#stream.isWriting;
  }

  get isHeldBack(): boolean {
    return this.#stream.isHeldBack ?? false;
  }

  /** As that of any stream. Throws `damaged`, `malformed` or `limit` for what cannot be inflated to what it should be. */
  async read(into: Uint8Array): Promise<number | null> {
    while (this.#content.length === 0) {
      if (this.#plainBytes > 0) return await this.#readPlain(into);
      const header = await this.#nextHeader();
      if (!header) return null;
      if (header.kind === "plain") this.#beginPlain(header);
      else this.#content = await this.#inflated(header);
    }
    const given = this.#content.subarray(0, into.length);
    into.set(given);
    this.#content = this.#content.subarray(given.length);
    return given.length;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#isWriting = true;
    try {
      for (const piece of this.#piecesOf(bytes)) await this.#stream.write(await this.#segmentOf(piece));
    } finally {
      this.#isWriting = false;
    }
  }

  closeWrite(): Promise<void> {
    this.#compressor?.close();
    return this.#stream.closeWrite();
  }

  /** Gives the memory of its contexts back, too. */
  close(reason?: AppError): void {
    this.#isClosed = true;
    this.#compressor?.close();
    this.#inflater?.close();
    this.#stream.close(reason);
  }

  /** Pieces of about the same size; the first bytes of all stand alone. */
  *#piecesOf(bytes: Uint8Array): Iterable<Uint8Array> {
    const first = this.#hasWritten ? 0 : Math.min(FIRST_BYTES, bytes.length);
    if (first > 0) yield bytes.subarray(0, first);
    this.#hasWritten = true;
    const count = Math.ceil((bytes.length - first) / PIECE_BYTES_MAX);
    const step = Math.ceil((bytes.length - first) / count);
    for (let at = first; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
  }

  async #segmentOf(piece: Uint8Array): Promise<Uint8Array> {
    if (this.#hasWritten && piece.length >= PACKED_FROM_BYTES) {
      const codec = this.#codec ??= await loadCodec(this.#compression);
      const isTrusted = this.#shareLeft <= TRUSTED_SHARE_MAX;
      if (isTrusted || codec.tryOut(sampleOf(piece)) <= SHARE_LEFT_MAX * sampleBytes(piece)) {
        const segment = await this.#packed(piece, codec);
        this.#shareLeft = segment.length / piece.length;
        return segment;
      }
    }
    return encodeSegment("plain", piece, piece.length);
  }

  async #packed(piece: Uint8Array, codec: Codec): Promise<Uint8Array> {
    const kind = this.#compressor ? "go_on" : "begin";
    const context = this.#compressor ??= codec.openCompressor();
    try {
      if (this.#isClosed) context.close();
      return encodeSegment(kind, await context.run(piece, piece.length - 1), piece.length);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#compressor = undefined; // the peer does not get what this one knows now
      return encodeSegment("plain", piece, piece.length);
    }
  }

  async #inflated({ kind, wireBytes, contentBytes }: SegmentHeader): Promise<Uint8Array> {
    const packed = await this.#readWhole(wireBytes);
    const codec = this.#codec ??= await loadCodec(this.#compression);
    if (kind === "begin") {
      this.#inflater?.close();
      this.#inflater = codec.openInflater();
      if (this.#isClosed) this.#inflater.close();
    }
    if (!this.#inflater) throw new AppError("malformed", "Cannot take a segment: it goes on with what never began");
    const content = await this.#inflater.run(packed, contentBytes).catch((cause) => {
      throw cause instanceof AppError ? cause : damaged(`a segment cannot be inflated: ${cause.message}`, cause);
    });
    if (content.length === contentBytes) return content;
    throw damaged(`a segment inflates to ${content.length} bytes and not to ${contentBytes}`);
  }

  #beginPlain({ wireBytes }: SegmentHeader): void {
    this.#content = this.#read.subarray(0, wireBytes);
    this.#read = this.#read.subarray(this.#content.length);
    this.#plainBytes = wireBytes - this.#content.length;
  }

  async #readPlain(into: Uint8Array): Promise<number> {
    const count = await this.#stream.read(into.subarray(0, this.#plainBytes));
    if (count === null) throw this.#endedInside();
    this.#plainBytes -= count;
    return count;
  }

  async #readWhole(count: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(count);
    const there = this.#read.subarray(0, count);
    bytes.set(there);
    this.#read = this.#read.subarray(there.length);
    for (let at = there.length; at < count;) {
      const more = await this.#stream.read(bytes.subarray(at));
      if (more === null) throw this.#endedInside();
      at += more;
    }
    return bytes;
  }

  /** `undefined` at the end of the peer's side. */
  async #nextHeader(): Promise<SegmentHeader | undefined> {
    while (this.#read.length < SEGMENT_HEADER_BYTES) {
      const kept = this.#read.length;
      this.#buffer.set(this.#read);
      const count = await this.#stream.read(this.#buffer.subarray(kept));
      if (count === null && kept === 0) return;
      if (count === null) throw this.#endedInside();
      this.#read = this.#buffer.subarray(0, kept + count);
    }
    const header = decodeSegmentHeader(this.#read);
    this.#read = this.#read.subarray(SEGMENT_HEADER_BYTES);
    return header;
  }

  #endedInside(): AppError {
    return new AppError("lost", `The connection to ${this.peer} ended too early`);
  }
}

function sampleBytes(piece: Uint8Array): number {
  return Math.min(piece.length, SAMPLE_PARTS * SAMPLE_PART_BYTES);
}

function sampleOf(piece: Uint8Array): Uint8Array {
  const sample = new Uint8Array(sampleBytes(piece));
  const partBytes = Math.ceil(sample.length / SAMPLE_PARTS);
  const step = Math.floor((piece.length - partBytes) / (SAMPLE_PARTS - 1));
  for (let part = 0; part < SAMPLE_PARTS; part++) {
    const at = part * partBytes;
    sample.set(piece.subarray(part * step, part * step + Math.min(partBytes, sample.length - at)), at);
  }
  return sample;
}

function damaged(what: string, cause?: unknown): AppError {
  return new AppError("damaged", `The connection was damaged on its way: ${what}`, { cause });
}
