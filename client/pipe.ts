/**
 * Files that are pipes: stdin as a source, stdout as a destination.
 *
 * What went into a pipe cannot be taken back. So a transfer into one that broke off begins anew, passes over what was
 * written already, and goes on only if that is the same, which its CRC-32 shows. A pipe that is read cannot be read
 * twice: a transfer from one is not repeated once data was taken.
 */
import { AppError } from "../protocol/errors.ts";
import { crc32For } from "../protocol/exchange/checksum.ts";
import type { Draft, FileFacts, Source } from "../protocol/files/tree.ts";
import type { Destination } from "./get.ts";

/** Hands the file's bytes to `write`. */
export class PipeDestination implements Destination {
  readonly #write: (bytes: Uint8Array) => void;
  #facts: FileFacts | undefined;
  #writtenBytes = 0;
  #writtenCrc = 0;

  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
  }

  isFresh(): boolean {
    return true;
  }

  async create(facts: FileFacts): Promise<Draft> {
    this.#facts ??= facts;
    if (facts.sizeBytes !== this.#facts.sizeBytes || facts.mtimeMs !== this.#facts.mtimeMs) throw changed();
    const crc32 = await crc32For(facts.sizeBytes);
    let offset = 0;
    let repeatedCrc = 0;
    return {
      heldBlocks: 0,
      restarted: false,
      readAt: () => 0,
      startAt() {},
      write: (bytes) => {
        const repeated = bytes.subarray(0, Math.max(0, this.#writtenBytes - offset));
        const fresh = bytes.subarray(repeated.length);
        offset += bytes.length;
        if (repeated.length > 0) {
          repeatedCrc = crc32(repeated, repeatedCrc);
          if (offset >= this.#writtenBytes && repeatedCrc !== this.#writtenCrc) throw changed();
        }
        if (fresh.length === 0) return;
        this.#write(fresh);
        this.#writtenBytes += fresh.length;
        this.#writtenCrc = crc32(fresh, this.#writtenCrc);
      },
      publish: () => Promise.resolve("-"),
      suspend() {},
      discard() {},
    };
  }
}

function changed(): AppError {
  return new AppError("failed", "The file changed on the server after part of it was written to the output", {
    advice: "Throw the output away and run the command again",
  });
}

/** The bytes of `input`, which has no size and no second time. */
export class PipeSource implements Omit<Source, "entry"> {
  readonly #input: { read(into: Uint8Array): Promise<number | null> };
  #position = 0;

  constructor(input: { read(into: Uint8Array): Promise<number | null> }) {
    this.#input = input;
  }

  /** Whether something was taken already, so that a second transfer would lack it. */
  get isUsed(): boolean {
    return this.#position > 0;
  }

  async readAt(offset: number, into: Uint8Array): Promise<number> {
    if (offset !== this.#position) throw new RangeError("A pipe can only be read in order");
    const count = await this.#input.read(into) ?? 0;
    this.#position += count;
    return count;
  }

  verifyUnchanged(): void {}

  [Symbol.dispose](): void {}
}
