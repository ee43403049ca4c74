/** What was said on the wire, for a comparison with what was stored: a file that nobody sent is a defect. */
import { crc32 } from "node:zlib";
import { concat, decode } from "../wire/decoding.ts";
import type { Bytes } from "./mutations.ts";

const FIRST_OF_OURS = 0x41;

export class Said {
  /** The size and the checksum of every file that somebody ended. */
  readonly #ends = new Set<string>();
  readonly #streams: Bytes[] = [];

  /** One side of a connection. */
  add(units: readonly Bytes[]): void {
    const [opening, ...frames] = units;
    if (opening?.[0] === FIRST_OF_OURS) {
      for (const message of decode(...frames).messages) {
        if (message.type === "end") this.#ends.add(`${message.sizeBytes} ${message.crc}`);
      }
    }
    this.#streams.push(concat(...units));
  }

  /** Whether somebody sent that file and its end, or it is the end of what was sent in a format without lengths. */
  has(bytes: Uint8Array): boolean {
    if (this.#ends.has(`${bytes.length} ${crc32(bytes)}`)) return true;
    return this.#streams.some((stream) => stream.toHex().endsWith(new Uint8Array(bytes).toHex()));
  }
}
