/** What the tests of the wire format share: bytes to frames and messages in every way, frames made by hand. */
import { AppError } from "../../protocol/errors.ts";
import { crc32 } from "../../protocol/wire/crc32.ts";
import { ByteWriter } from "../../protocol/wire/fields.ts";
import { appendFrame, type Frame, FrameDecoder } from "../../protocol/wire/frame.ts";
import { decodeMessage, encodeMessage, type Message } from "../../protocol/wire/messages/mod.ts";
import { DATA_TYPE } from "../../protocol/wire/messages/transfer.ts";
import { assert } from "../support/assert.ts";
import type { Random } from "../support/random.ts";

/** A sound frame around `body`. */
export function frameOf(type: number, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  appendFrame(writer, type, () => {
    const start = writer.reserve(body.length); // may put another buffer into its place
    writer.bytes.set(body, start);
  }, crc32);
  return writer.written().slice();
}

/** One field as it stands in a body. */
export function fieldOf(id: number, value: Uint8Array | readonly number[] | string): Uint8Array {
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : Uint8Array.from(value);
  return Uint8Array.of(id, bytes.length >> 8, bytes.length & 255, ...bytes);
}

export function concat(...pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

export function encode(message: Message): Uint8Array<ArrayBuffer> {
  if (message.type === "data") return frameOf(DATA_TYPE, message.bytes);
  const writer = new ByteWriter();
  encodeMessage(message, writer, crc32);
  return writer.written().slice();
}

/** Puts `bytes` into the decoder as a reader of a stream does, and takes the frames as they become whole. */
export function* feed(decoder: FrameDecoder, bytes: Uint8Array): Generator<Frame> {
  for (let at = 0; at < bytes.length;) {
    const room = decoder.room();
    assert(room.length > 0, "the decoder lends no room although it needs more bytes");
    const piece = bytes.subarray(at, at + room.length);
    room.set(piece);
    decoder.filled(piece.length);
    at += piece.length;
    for (let frame = decoder.next(); frame; frame = decoder.next()) yield frame;
  }
}

/** What came of some bytes: the messages, and what ended them. */
export interface Decoded {
  readonly messages: readonly Message[];
  /** Frames of types that may be skipped. */
  readonly skipped: number;
  readonly error: AppError | undefined;
  /** Whether bytes of an unfinished frame are left; told only without an error. */
  readonly isInsideFrame: boolean;
}

/** Decodes `chunks`, one after the other, up to the first error; anything but an `AppError` is thrown. */
export function decode(...chunks: readonly Uint8Array[]): Decoded {
  const decoder = new FrameDecoder(crc32);
  const messages: Message[] = [];
  let skipped = 0;
  let error: AppError | undefined;
  try {
    for (const chunk of chunks) {
      for (const frame of feed(decoder, chunk)) {
        const message = decodeMessage(frame);
        if (!message) skipped++;
        else messages.push(kept(message));
      }
    }
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause;
    error = cause;
  }
  return { messages, skipped, error, isInsideFrame: !error && decoder.isInsideFrame };
}

export function singleBytes(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte) => Uint8Array.of(byte));
}

/** `bytes` cut up at random; some pieces are empty. */
export function randomChunks(bytes: Uint8Array, random: Random, lengthMax = bytes.length): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const piece = bytes.subarray(at, at + random.below(lengthMax + 1));
    chunks.push(piece);
    at += piece.length;
  }
  return chunks;
}

/** A message that outlives the decoder's buffer. */
export function kept(message: Message): Message {
  if (message.type === "data") return { ...message, bytes: message.bytes.slice() };
  return message.type === "file" ? { ...message, content: message.content.map((piece) => piece.slice()) } : message;
}
