/**
 * Frames: what everything behind the opening line travels in.
 *
 *     body length (3 bytes) | type (1) | check (1) | body | CRC-32 of all before it (4)        all big-endian
 *
 * `check` is the exclusive or of the four bytes before it and 0xA5: a flipped bit in a length is found at once, instead
 * of after a wait for bytes that never come. Pure: no I/O. The decoder owns its buffer and lends room in it to the
 * reader of the stream, so that file data is never copied.
 */
import { AppError } from "../errors.ts";
import { BODY_BYTES_MAX } from "../limits.ts";
import type { Crc32 } from "./crc32.ts";
import type { ByteWriter } from "./fields.ts";

export const FRAME_HEADER_BYTES = 5;
export const FRAME_TRAILER_BYTES = 4;

const CHECK_SEED = 0xa5;

/**
 * The decoder's buffer while nothing comes, and while messages come; for file data it has room for the largest frame.
 * An idle connection costs the server about 30 KB with the first, and 40 with the second.
 */
const IDLE_BUFFER_BYTES = 4_096;
const MESSAGE_BUFFER_BYTES = 16_384;
const DATA_BUFFER_BYTES = FRAME_HEADER_BYTES + BODY_BYTES_MAX + FRAME_TRAILER_BYTES;

export interface Frame {
  readonly type: number;
  /** A view into the decoder's buffer: valid until more bytes are asked for with `room`. */
  readonly body: Uint8Array;
}

/** Writes header and trailer around a body that already stands in `buffer` from `start + FRAME_HEADER_BYTES` on. */
export function sealFrame(
  buffer: Uint8Array,
  start: number,
  type: number,
  bodyBytes: number,
  crc32: Crc32,
): Uint8Array {
  if (bodyBytes > BODY_BYTES_MAX) throw new RangeError(`Cannot send a frame of ${bodyBytes} bytes`);
  const crcStart = start + FRAME_HEADER_BYTES + bodyBytes;
  buffer[start] = bodyBytes >> 16;
  buffer[start + 1] = bodyBytes >> 8 & 255;
  buffer[start + 2] = bodyBytes & 255;
  buffer[start + 3] = type;
  buffer[start + 4] = checkOf(buffer, start);
  const crc = crc32(buffer.subarray(start, crcStart));
  for (let index = 0; index < FRAME_TRAILER_BYTES; index++) buffer[crcStart + index] = crc >>> (24 - 8 * index) & 255;
  return buffer.subarray(start, crcStart + FRAME_TRAILER_BYTES);
}

/** Appends one whole frame to `writer`, or nothing if that fails; `writeBody` appends the body. */
export function appendFrame(writer: ByteWriter, type: number, writeBody: () => void, crc32: Crc32): void {
  const start = writer.reserve(FRAME_HEADER_BYTES);
  try {
    writeBody();
    const bodyBytes = writer.length - start - FRAME_HEADER_BYTES;
    writer.reserve(FRAME_TRAILER_BYTES);
    sealFrame(writer.bytes, start, type, bodyBytes, crc32);
  } catch (error) {
    writer.length = start;
    throw error;
  }
}

function checkOf(bytes: Uint8Array, start: number): number {
  return bytes[start]! ^ bytes[start + 1]! ^ bytes[start + 2]! ^ bytes[start + 3]! ^ CHECK_SEED;
}

/** Bytes in, frames out. Throws `damaged` and `limit`; after that it is of no more use. */
export class FrameDecoder {
  /** Exchangeable, since a faster one is loaded when a transfer is large. */
  crc32: Crc32;
  #buffer = new Uint8Array(IDLE_BUFFER_BYTES);
  /** What is not yet taken as frames stands from `#start` to `#end`. */
  #start = 0;
  #end = 0;

  constructor(crc32: Crc32) {
    this.crc32 = crc32;
  }

  /**
   * A view into which the stream's next bytes are to be read; then call `filled`. Ends views of earlier frames.
   * Within a large frame it ends where the frame ends, so that the next one begins at the buffer's front again
   * and nothing has to be moved.
   */
  room(): Uint8Array {
    if (this.#start === this.#end) this.#start = this.#end = 0;
    const frameBytes = this.#frameBytes();
    if (frameBytes === undefined) {
      if (this.#end + FRAME_HEADER_BYTES > this.#buffer.length || this.#start > this.#buffer.length / 2) {
        this.#moveToFront();
      }
      return this.#buffer.subarray(this.#end);
    }
    if (frameBytes > this.#buffer.length) {
      this.#replaceBuffer(frameBytes > MESSAGE_BUFFER_BYTES ? DATA_BUFFER_BYTES : MESSAGE_BUFFER_BYTES);
    }
    if (this.#start + frameBytes > this.#buffer.length) this.#moveToFront();
    const large = frameBytes > MESSAGE_BUFFER_BYTES;
    return this.#buffer.subarray(this.#end, large ? this.#start + frameBytes : this.#buffer.length);
  }

  /** Much will come in small frames: room for many of them at once. Ends views of earlier frames. */
  expectMuch(): void {
    if (this.#buffer.length < DATA_BUFFER_BYTES) this.#replaceBuffer(DATA_BUFFER_BYTES);
  }

  /** `count` bytes were read into the last `room`. */
  filled(count: number): void {
    this.#end += count;
  }

  /** Copies `bytes` in: for what was read before there was a decoder, and for tests. */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const room = this.room();
      const piece = bytes.subarray(at, at + room.length);
      room.set(piece);
      this.filled(piece.length);
      at += piece.length;
      if (room.length === 0) throw new AppError("limit", "Cannot push more bytes before the frames are taken");
    }
  }

  /** Whether bytes of an unfinished frame are there: the stream must not end now. */
  get isInsideFrame(): boolean {
    return this.#start < this.#end;
  }

  /** The next whole frame, or `undefined` until more bytes have come. */
  next(): Frame | undefined {
    const frameBytes = this.#frameBytes();
    if (frameBytes === undefined || this.#end - this.#start < frameBytes) return;
    const start = this.#start;
    const bodyEnd = start + frameBytes - FRAME_TRAILER_BYTES;
    let crc = 0;
    for (let at = bodyEnd; at < bodyEnd + FRAME_TRAILER_BYTES; at++) crc = (crc << 8 | this.#buffer[at]!) >>> 0;
    if (this.crc32(this.#buffer.subarray(start, bodyEnd)) !== crc) throw damaged("the checksum of a frame is wrong");
    this.#start += frameBytes;
    return { type: this.#buffer[start + 3]!, body: this.#buffer.subarray(start + FRAME_HEADER_BYTES, bodyEnd) };
  }

  /** Gives a larger buffer back, so that an idle connection costs little. Ends views of earlier frames. */
  shrink(): void {
    if (this.#buffer.length > IDLE_BUFFER_BYTES && this.#end - this.#start <= IDLE_BUFFER_BYTES) {
      this.#replaceBuffer(IDLE_BUFFER_BYTES);
    }
  }

  /** The whole size of the frame that begins at `#start`, once its header is there and found sound. */
  #frameBytes(): number | undefined {
    const buffer = this.#buffer;
    const start = this.#start;
    if (this.#end - start < FRAME_HEADER_BYTES) return;
    if (buffer[start + 4] !== checkOf(buffer, start)) throw damaged("the header of a frame is wrong");
    const bodyBytes = buffer[start]! << 16 | buffer[start + 1]! << 8 | buffer[start + 2]!;
    if (bodyBytes > BODY_BYTES_MAX) {
      throw new AppError("limit", `Cannot take a frame of ${bodyBytes} bytes: the limit is ${BODY_BYTES_MAX}`);
    }
    return FRAME_HEADER_BYTES + bodyBytes + FRAME_TRAILER_BYTES;
  }

  #replaceBuffer(size: number): void {
    const old = this.#buffer.subarray(this.#start, this.#end);
    this.#buffer = new Uint8Array(size);
    this.#buffer.set(old);
    this.#end -= this.#start;
    this.#start = 0;
  }

  #moveToFront(): void {
    this.#buffer.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
  }
}

function damaged(what: string): AppError {
  return new AppError("damaged", `The connection was damaged on its way: ${what}`);
}
