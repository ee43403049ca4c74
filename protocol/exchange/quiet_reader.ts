/**
 * A stream that is read until its sender falls silent: the old formats have no other mark of a request's end.
 *
 * A read that has begun cannot be taken back, so one that is still waited for at the silence stays, and what it brings
 * comes first in whatever is read next. It is a `ByteStream` itself, for what follows the request.
 */
import { OPENING_BYTES_MAX } from "../limits.ts";
import type { AppError } from "../errors.ts";
import type { ByteStream } from "./byte_stream.ts";

/** What became of waiting for more: it came, or the sender is silent, or has ended its side. */
export type More = "more" | "quiet" | "ended";

export class QuietReader implements ByteStream {
  readonly #stream: ByteStream;
  readonly #buffer: Uint8Array;
  /** What came and was not taken yet stands from `#start` to `#end`. */
  #start = 0;
  #end = 0;
  #pending: Promise<number | null> | undefined;
  #reads = 0;

  /** Requests are at most `bytesMax` long. */
  constructor(stream: ByteStream, bytesMax = OPENING_BYTES_MAX) {
    this.#stream = stream;
    this.#buffer = new Uint8Array(bytesMax);
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
    return this.#stream.isWriting;
  }

  get isHeldBack(): boolean {
    return this.#stream.isHeldBack ?? false;
  }

  /** Whether somebody waits for the peer to say something. */
  get isWaiting(): boolean {
    return this.#reads > 0;
  }

  /** What came and was not taken yet; a view, valid until the next call of anything here. */
  get buffered(): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** Whether no more fits. */
  get isFull(): boolean {
    return this.#end - this.#start === this.#buffer.length;
  }

  /** Waits until more has come, but no longer than `quietMs`. Call it only while it is not full. */
  async more(quietMs = Infinity): Promise<More> {
    const pending = this.#read();
    this.#reads++;
    try {
      const count = quietMs === Infinity ? await pending : await within(quietMs, pending);
      if (count === "quiet") return "quiet";
      this.#pending = undefined;
      if (count === null) return "ended";
      this.#end += count;
      return "more";
    } finally {
      this.#reads--;
    }
  }

  /** A request that ends when its sender falls silent or ends its side: what came. `undefined` at the end of all. */
  async untilQuiet(quietMs: number): Promise<Uint8Array | undefined> {
    while (this.buffered.length === 0) {
      if (await this.more() === "ended") return undefined;
    }
    while (!this.isFull && await this.more(quietMs) === "more");
    return this.take();
  }

  /** Takes the first `count` of the bytes that came, or as many as there are; a copy. */
  take(count = Infinity): Uint8Array {
    const taken = this.#buffer.slice(this.#start, Math.min(this.#end, this.#start + count));
    this.#start += taken.length;
    return taken;
  }

  async read(into: Uint8Array): Promise<number | null> {
    if (this.#start === this.#end) {
      if (!this.#pending) return await this.#readDirectly(into);
      if (await this.more() === "ended") return null;
    }
    const bytes = this.buffered.subarray(0, into.length);
    into.set(bytes);
    this.#start += bytes.length;
    return bytes.length;
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#stream.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#stream.closeWrite();
  }

  close(reason?: AppError): void {
    this.#stream.close(reason);
  }

  async #readDirectly(into: Uint8Array): Promise<number | null> {
    this.#reads++;
    try {
      return await this.#stream.read(into);
    } finally {
      this.#reads--;
    }
  }

  /** What was taken makes room for what is still to come. */
  #moveToFront(): void {
    this.#buffer.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
  }

  #read(): Promise<number | null> {
    if (this.#pending) return this.#pending;
    if (this.#start === this.#end || this.#end === this.#buffer.length) this.#moveToFront();
    this.#pending = this.#stream.read(this.#buffer.subarray(this.#end));
    this.#pending.catch(() => {}); // whoever waits for it next gets the same error
    return this.#pending;
  }
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T | "quiet"> {
  const quiet = Promise.withResolvers<"quiet">();
  const timer = setTimeout(() => quiet.resolve("quiet"), ms);
  try {
    return await Promise.race([promise, quiet.promise]);
  } finally {
    clearTimeout(timer);
  }
}
