/** Frames that no honest peer sends, as bytes: lengths that lie, numbers out of range, checksums that are wrong. */
import { concat, encode, fieldOf, frameOf } from "../../wire/decoding.ts";

const OFFER = 0x11;
const DATA = 0x15;

/** The first five bytes of a frame that says that its body has `bodyBytes`, with a check that is right. */
export function headerOf(type: number, bodyBytes: number): Uint8Array<ArrayBuffer> {
  const bytes = [bodyBytes >> 16 & 255, bodyBytes >> 8 & 255, bodyBytes & 255, type];
  return Uint8Array.of(...bytes, bytes.reduce((check, byte) => check ^ byte, 0xa5));
}

/** `frame` with one byte, counted from the front or with a minus from the back, changed. */
function withWrongByte(frame: Uint8Array<ArrayBuffer>, at: number): Uint8Array<ArrayBuffer> {
  const wrong = frame.slice();
  wrong[at < 0 ? wrong.length + at : at]! ^= 1;
  return wrong;
}

/** An offer of `a` whose size is written as these bytes. */
export function offerOfSize(...size: number[]): Uint8Array<ArrayBuffer> {
  return frameOf(OFFER, concat(fieldOf(1, "a"), fieldOf(2, size)));
}

const SOUND = encode({ type: "ping", id: 1 });

/** What no receiver takes, whichever side it is on: the bytes, and the error that they are. */
export const HOSTILE: readonly (readonly [
  what: string,
  bytes: Uint8Array,
  error: "malformed" | "damaged" | "limit" | "unsupported",
])[] = [
  ["a frame one byte longer than the limit", headerOf(DATA, 262_145), "limit"],
  ["a length that is negative to who reads it as signed", headerOf(DATA, 0x80_00_00), "limit"],
  ["a length of minus one", headerOf(DATA, 0xff_ff_ff), "limit"],
  ["a length of 0 where fields must be", frameOf(OFFER, new Uint8Array()), "malformed"],
  ["a number of no bytes", offerOfSize(), "malformed"],
  ["a number with a zero too many", offerOfSize(0, 1), "malformed"],
  ["2^53", offerOfSize(0x20, 0, 0, 0, 0, 0, 0), "malformed"],
  ["2^63, which is negative as a signed number", offerOfSize(0x80, 0, 0, 0, 0, 0, 0, 0), "malformed"],
  ["2^64 - 1, which is minus one as a signed number", offerOfSize(...new Array(8).fill(255)), "malformed"],
  ["2^64", offerOfSize(1, ...new Array(8).fill(0)), "malformed"],
  ["a field longer than its message", frameOf(OFFER, Uint8Array.of(1, 0, 9, 97)), "malformed"],
  ["a field of 65,535 bytes that is not there", frameOf(OFFER, Uint8Array.of(1, 255, 255)), "malformed"],
  ["half of a field", frameOf(OFFER, Uint8Array.of(1, 0)), "malformed"],
  ["fields in the wrong order", frameOf(OFFER, concat(fieldOf(2, [1]), fieldOf(1, "a"))), "malformed"],
  ["a field twice", frameOf(OFFER, concat(fieldOf(1, "a"), fieldOf(1, "b"))), "malformed"],
  ["text that is not UTF-8", frameOf(OFFER, fieldOf(1, [0xff, 0xfe])), "malformed"],
  ["a message that must be understood and is not", frameOf(0x7f, new Uint8Array(5)), "unsupported"],
  [
    "a field that must be understood and is not",
    frameOf(OFFER, concat(fieldOf(1, "a"), fieldOf(0x7f, [1]))),
    "unsupported",
  ],
  ["a header with a wrong check", withWrongByte(SOUND, 2), "damaged"],
  ["a body with a wrong byte", withWrongByte(SOUND, -5), "damaged"],
  ["a wrong checksum", withWrongByte(SOUND, -1), "damaged"],
  ["garbage", new TextEncoder().encode("this is no frame at all"), "damaged"],
  ["an HTTP request in the middle", new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"), "damaged"],
];
