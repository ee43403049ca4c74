/** The golden messages as they stand in `fixtures/wire/messages.json`. */
import { FRAME_HEADER_BYTES, FRAME_TRAILER_BYTES } from "../../protocol/wire/frame.ts";
import type { Message } from "../../protocol/wire/messages/mod.ts";
import { encode } from "./decoding.ts";
import { MESSAGE_CASES } from "./message_cases.ts";

export const FIXTURES = new URL("../../fixtures/wire/", import.meta.url);

export interface GoldenMessage {
  readonly name: string;
  /** The message, with bytes as hexadecimal text. */
  readonly message: unknown;
  /** The frame: length, type, check, body, CRC-32, with a space between them. */
  readonly hex: string;
}

/** What the file ought to hold. */
export function goldenMessages(): GoldenMessage[] {
  return MESSAGE_CASES.map(({ name, message }) => ({
    name,
    message: readable(message),
    hex: frameHex(encode(message)),
  }));
}

/** What the file holds. */
export function readGoldenMessages(): GoldenMessage[] {
  return JSON.parse(Deno.readTextFileSync(new URL("messages.json", FIXTURES)));
}

/** A message as JSON can hold it. */
export function readable(message: Message): unknown {
  return JSON.parse(JSON.stringify(message, (_, value) => value instanceof Uint8Array ? value.toHex() : value));
}

export function bytesOf(hex: string): Uint8Array {
  return Uint8Array.fromHex(hex.replaceAll(" ", ""));
}

/** Parts as in the specification; an empty body leaves no gap. */
export function frameHex(frame: Uint8Array): string {
  const bodyEnd = frame.length - FRAME_TRAILER_BYTES;
  return [[0, 3], [3, 4], [4, 5], [FRAME_HEADER_BYTES, bodyEnd], [bodyEnd, frame.length]]
    .map(([start, end]) => frame.subarray(start, end).toHex())
    .filter((part) => part !== "")
    .join(" ");
}
