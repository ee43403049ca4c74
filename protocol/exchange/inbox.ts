/** What comes on a session: read once at a time, and given out frame by frame. Knows nothing of messages. */
import { AppError } from "../errors.ts";
import { type Crc32, crc32 } from "../wire/crc32.ts";
import { type Frame, FrameDecoder } from "../wire/frame.ts";
import type { ByteStream } from "./byte_stream.ts";

export interface InboxOptions {
  /** Whether nobody misses anything when the peer ends its side between two frames. */
  readonly mayEnd: () => boolean;
  /** Told at once what ended it, other than an end that may be. */
  readonly onFailed: (error: AppError) => void;
}

export class Inbox {
  readonly #stream: ByteStream;
  readonly #options: InboxOptions;
  readonly #decoder = new FrameDecoder(crc32);
  #reading: Promise<void> | undefined;
  #error: AppError | undefined;
  #hasEnded = false;

  /** `early`: what was read already. */
  constructor(stream: ByteStream, early: Uint8Array, options: InboxOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#decoder.push(early);
  }

  /** Exchangeable. */
  get crc32(): Crc32 {
    return this.#decoder.crc32;
  }

  set crc32(crc32: Crc32) {
    this.#decoder.crc32 = crc32;
  }

  /** What no read comes behind; the frames before it are given out all the same. */
  get error(): AppError | undefined {
    return this.#error;
  }

  /** Whether the peer has closed its side. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** The next frame that has come whole; valid until the next read. Throws for a damaged one. */
  next(): Frame | undefined {
    return this.#decoder.next();
  }

  /** Reads once, unless that is under way; never rejected. */
  read(): Promise<void> {
    return this.#reading ??= this.#readOnce().finally(() => this.#reading = undefined);
  }

  /** Much will come in many frames. */
  expectMuch(): void {
    if (!this.#reading) this.#decoder.expectMuch();
  }

  /** Gives a large buffer back. */
  shrink(): void {
    if (!this.#reading) this.#decoder.shrink();
  }

  async #readOnce(): Promise<void> {
    try {
      const count = await this.#stream.read(this.#decoder.room());
      if (count !== null) return this.#decoder.filled(count);
      this.#hasEnded = true;
      if (!this.#options.mayEnd() || this.#decoder.isInsideFrame) throw endedTooEarly(this.#stream.peer);
    } catch (error) {
      this.#error = error instanceof AppError ? error : new AppError("lost", String(error), { cause: error });
      this.#options.onFailed(this.#error);
    }
  }
}

export function endedTooEarly(peer: string): AppError {
  return new AppError("lost", `The connection to ${peer} ended too early`);
}
