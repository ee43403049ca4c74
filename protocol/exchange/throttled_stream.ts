/** A stream that is no faster than it may be, each way: it waits before it writes on, and before it reads on. */
import type { AppError } from "../errors.ts";
import type { ByteStream } from "./byte_stream.ts";
import type { TokenBucket } from "./token_bucket.ts";

/** Shorter waits are put off until there is more to wait for: a timer is not exact to less. */
const WAIT_MIN_MS = 4;

/** What limits one direction: all of them count. */
export interface Buckets {
  readonly reading: readonly TokenBucket[];
  readonly writing: readonly TokenBucket[];
}

export class ThrottledStream implements ByteStream {
  readonly #stream: ByteStream;
  readonly #buckets: Buckets;
  /** What was read and not waited for yet. */
  #readBytes = 0;
  #writes = 0;
  /** Ends each wait under way. */
  readonly #waits = new Set<() => void>();

  constructor(stream: ByteStream, buckets: Buckets) {
    this.#stream = stream;
    this.#buckets = buckets;
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
    return this.#writes > 0;
  }

  get isHeldBack(): boolean {
    return this.#waits.size > 0;
  }

  async read(into: Uint8Array): Promise<number | null> {
    await this.#wait(this.#buckets.reading, this.#readBytes);
    this.#readBytes = 0;
    const count = await this.#stream.read(into.subarray(0, pieceBytes(this.#buckets.reading)));
    this.#readBytes = count ?? 0;
    return count;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const { writing } = this.#buckets;
    const step = pieceBytes(writing);
    this.#writes++;
    try {
      for (let at = 0; at < bytes.length; at += step) {
        const piece = bytes.subarray(at, at + step);
        await this.#wait(writing, piece.length);
        await this.#stream.write(piece);
      }
    } finally {
      this.#writes--;
    }
  }

  closeWrite(): Promise<void> {
    return this.#stream.closeWrite();
  }

  close(reason?: AppError): void {
    this.#stream.close(reason);
    for (const end of this.#waits) end(); // what they were about to do throws the reason
  }

  #wait(buckets: readonly TokenBucket[], bytes: number): Promise<void> | undefined {
    let ms = 0;
    for (const bucket of buckets) ms = Math.max(ms, bucket.take(bytes));
    if (bytes === 0 || ms < WAIT_MIN_MS) return;
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#waits.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#waits.add(end);
    });
  }
}

function pieceBytes(buckets: readonly TokenBucket[]): number {
  return Math.min(...buckets.map((bucket) => bucket.pieceBytes));
}
