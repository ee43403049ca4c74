/**
 * Segments: what the bytes of a session travel in where both sides agreed on compression.
 *
 *     kind (1) | bytes that follow (3) | bytes that they stand for (3) | check (1) | bytes       all big-endian
 *
 * `check` is the exclusive or of the seven bytes before it and 0x5A. What a segment stands for is any part of the stream
 * of frames, whose checksums cover it. Pure: the compression itself is `exchange/compression.ts`.
 */
import { AppError } from "../errors.ts";
import { SEGMENT_BYTES_MAX } from "../limits.ts";

export const SEGMENT_HEADER_BYTES = 8;

const CHECK_SEED = 0x5a;

/**
 * `plain`: the bytes as they are. `begin`: compressed, without anything before it. `go_on`: compressed, behind the last
 * compressed segment of this direction.
 */
export const SEGMENT_KINDS = ["plain", "begin", "go_on"] as const;
export type SegmentKind = typeof SEGMENT_KINDS[number];

export interface SegmentHeader {
  readonly kind: SegmentKind;
  /** How many bytes follow. */
  readonly wireBytes: number;
  /** How many they stand for. */
  readonly contentBytes: number;
}

/** The whole segment, in a buffer of its own. */
export function encodeSegment(kind: SegmentKind, bytes: Uint8Array, contentBytes: number): Uint8Array {
  const segment = new Uint8Array(SEGMENT_HEADER_BYTES + bytes.length);
  segment[0] = SEGMENT_KINDS.indexOf(kind);
  writeLength(segment, 1, bytes.length);
  writeLength(segment, 4, contentBytes);
  segment[7] = checkOf(segment);
  segment.set(bytes, SEGMENT_HEADER_BYTES);
  return segment;
}

/** The header that `bytes` begins with. Throws `damaged`, `malformed` and `limit`. */
export function decodeSegmentHeader(bytes: Uint8Array): SegmentHeader {
  if (bytes[7] !== checkOf(bytes)) {
    throw new AppError("damaged", "The connection was damaged on its way: the header of a segment is wrong");
  }
  const kind = SEGMENT_KINDS[bytes[0]!];
  const wireBytes = readLength(bytes, 1);
  const contentBytes = readLength(bytes, 4);
  if (!kind) throw malformed("it is of no known kind");
  if (wireBytes === 0 || contentBytes === 0) throw malformed("it is empty");
  if (contentBytes > SEGMENT_BYTES_MAX) {
    throw new AppError("limit", `A segment of ${contentBytes} bytes is larger than ${SEGMENT_BYTES_MAX}`);
  }
  if (kind === "plain" ? wireBytes !== contentBytes : wireBytes >= contentBytes) {
    throw malformed(`its ${wireBytes} bytes cannot stand for ${contentBytes}`);
  }
  return { kind, wireBytes, contentBytes };
}

function checkOf(bytes: Uint8Array): number {
  let check = CHECK_SEED;
  for (let at = 0; at < SEGMENT_HEADER_BYTES - 1; at++) check ^= bytes[at]!;
  return check;
}

function writeLength(bytes: Uint8Array, at: number, length: number): void {
  bytes[at] = length >> 16;
  bytes[at + 1] = length >> 8 & 255;
  bytes[at + 2] = length & 255;
}

function readLength(bytes: Uint8Array, at: number): number {
  return bytes[at]! << 16 | bytes[at + 1]! << 8 | bytes[at + 2]!;
}

function malformed(what: string): AppError {
  return new AppError("malformed", `Cannot take a segment: ${what}`);
}
