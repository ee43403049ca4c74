/**
 * The format `packet`: messages of text, `COMMAND|CONTENTS`, each compressed on its own. This is the text; the
 * compression is `exchange/packet_stream.ts`.
 *
 * The answers are those of the old program to the letter, full stops included.
 */
import { AppError } from "../errors.ts";

/** What a client may ask for, by the letters of the old programs. */
export const PACKET_COMMANDS = { capital: "c", population: "p", add: "a", ping: "h" } as const;

export const PACKET_ANSWERS = {
  noCapital: "No country found.",
  noPopulation: "No country found",
  exists: "Country already exists",
  beat: "beat",
  invalid: "Invalid command received by server",
} as const;

export interface Packet {
  /** "" in an answer. */
  readonly command: string;
  readonly contents: string;
}

/** What an `a` asks for. */
export interface PacketEntry {
  readonly country: string;
  readonly capital: string;
}

export function encodePacket({ command, contents }: Packet): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${command}|${contents}`);
}

/** What stands before the first bar and behind it. Throws `malformed`. */
export function decodePacket(bytes: Uint8Array): Packet {
  const text = decodeText(bytes);
  const bar = text.indexOf("|");
  if (bar < 0) throw new AppError("malformed", "A packet has no bar between its command and its contents");
  return { command: text.slice(0, bar), contents: text.slice(bar + 1) };
}

/**
 * `Country,Capital`. The comma between them is the first one without a space behind it, so that "Korea, South,Seoul" is
 * understood; if all have one, the first. Throws `malformed`.
 */
export function parseEntry(contents: string): PacketEntry {
  const tight = contents.search(/,(?=[^\s,])/);
  const comma = tight < 0 ? contents.indexOf(",") : tight;
  if (comma < 0) throw new AppError("malformed", "A packet that adds a country has no comma before its capital");
  return { country: contents.slice(0, comma).trim(), capital: contents.slice(comma + 1).trim() };
}

export function formatEntry({ country, capital }: PacketEntry): string {
  return `${country},${capital}`;
}

export function formatAdded({ country, capital }: PacketEntry): string {
  return `${country} and ${capital} successfully added to database`;
}

/** `37 bytes (29 compressed, 22 % saved)`; and honestly, when it grew. */
export function formatSaving(plainBytes: number, compressedBytes: number): string {
  const percent = Math.round(100 * Math.abs(plainBytes - compressedBytes) / Math.max(1, plainBytes));
  const change = compressedBytes > plainBytes ? "larger" : "saved";
  return `${plainBytes} bytes (${compressedBytes} compressed, ${percent} % ${change})`;
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new AppError("malformed", "A packet is not text in UTF-8", { cause });
  }
}
