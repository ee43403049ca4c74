/**
 * What waits to be sent on a session, and the one chain of writes: bytes leave in the order in which they were given,
 * and no two writes are ever under way. Small messages gather until they are flushed, and small data joins them: where
 * the system waits with a second small write until the first has been acknowledged, as it does inside TLS, that takes
 * 40 ms.
 */
import { type Crc32, crc32 } from "../wire/crc32.ts";
import { ByteWriter } from "../wire/fields.ts";
import { encodeMessage, type FieldMessage } from "../wire/messages/mod.ts";
import type { ByteStream } from "./byte_stream.ts";

/** What is no larger than this goes along with what is queued, in one write. */
const GATHER_BYTES_MAX = 16_384;
/** A queue that had to grow beyond this gives its room back, but in an exchange of many messages. */
const KEPT_BYTES_MAX = 65_536;

export class Outbox {
  /** When something was last written, on the clock of `performance.now`. */
  sentAt = performance.now();
  /** Exchangeable, as that of the decoder. */
  crc32: Crc32 = crc32;
  readonly #stream: ByteStream;
  #filling = new ByteWriter();
  #spare = new ByteWriter();
  #expectsMuch = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  get isEmpty(): boolean {
    return this.#filling.length === 0;
  }

  /** How many bytes are queued. */
  get queuedBytes(): number {
    return this.#filling.length;
  }

  /** Much will be sent in many messages: buffers that have grown are kept, up to `shrink`. */
  expectMuch(): void {
    this.#expectsMuch = true;
  }

  /** Gives large buffers back. */
  shrink(): void {
    this.#expectsMuch = false;
    if (this.isEmpty) this.#filling = new ByteWriter();
    this.#spare = new ByteWriter();
  }

  /** Queues a message; nothing of it if it cannot be encoded. */
  add(message: FieldMessage): void {
    encodeMessage(message, this.#filling, this.crc32);
  }

  /** Queues a whole frame, as it is. */
  addFrame(frame: Uint8Array): void {
    const start = this.#filling.reserve(frame.length);
    this.#filling.bytes.set(frame, start);
  }

  /** Resolved when everything that is queued now is written. */
  flush(): Promise<void> {
    return this.isEmpty ? this.#writing : this.#writing = this.#writeFilled(this.#writing);
  }

  /** Writes `bytes` behind everything that is queued; `check` may still throw when it is their turn. */
  write(bytes: Uint8Array, check: () => void): Promise<void> {
    if (bytes.length <= GATHER_BYTES_MAX) return this.#writeGathered(bytes, check);
    return this.#writing = this.#writeBehind(this.flush(), bytes, check);
  }

  async #writeGathered(bytes: Uint8Array, check: () => void): Promise<void> {
    check();
    this.addFrame(bytes);
    await this.flush();
  }

  async #writeBehind(before: Promise<void>, bytes: Uint8Array, check: () => void): Promise<void> {
    await before;
    check();
    this.sentAt = performance.now();
    await this.#stream.write(bytes);
  }

  async #writeFilled(before: Promise<void>): Promise<void> {
    await before;
    const full = this.#filling;
    if (full.length === 0) return; // an earlier flush in the chain has taken it along
    this.#filling = this.#spare;
    this.sentAt = performance.now();
    await this.#stream.write(full.written());
    full.length = 0;
    this.#spare = full.bytes.length > KEPT_BYTES_MAX && !this.#expectsMuch ? new ByteWriter() : full;
  }
}
