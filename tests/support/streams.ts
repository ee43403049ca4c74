/**
 * Byte streams for tests: a pair in memory, and wrappers that do to the bytes what networks do.
 *
 * The pair has back pressure, as a socket has: a write waits while the peer has much to read still. Nothing here
 * waits for time, so a test that would hang ends at once with "promise is still pending".
 */
import { AppError } from "../../protocol/errors.ts";
import type { ByteStream } from "../../protocol/exchange/byte_stream.ts";

/** Written and not yet read bytes above which a write waits. */
const CAPACITY_BYTES = 65_536;

/** One direction: bytes in at one end, out at the other. */
class Pipe {
  readonly #chunks: Uint8Array[] = [];
  #sizeBytes = 0;
  #hasEnded = false;
  #isUnread = false;
  #changed = Promise.withResolvers<void>();

  async write(bytes: Uint8Array, check: () => void): Promise<void> {
    this.#verifyReader();
    if (this.#hasEnded) throw new AppError("lost", "Cannot write behind the end");
    this.#chunks.push(bytes.slice());
    this.#sizeBytes += bytes.length;
    this.changed();
    while (this.#sizeBytes > CAPACITY_BYTES) {
      await this.#changed.promise;
      check();
      this.#verifyReader();
    }
  }

  async read(into: Uint8Array, check: () => void): Promise<number | null> {
    if (into.length === 0) throw new TypeError("A read into no room would never end");
    while (this.#sizeBytes === 0) {
      if (this.#hasEnded) return null;
      await this.#changed.promise;
      check();
    }
    const chunk = this.#chunks[0]!;
    const count = Math.min(into.length, chunk.length);
    into.set(chunk.subarray(0, count));
    if (count < chunk.length) this.#chunks[0] = chunk.subarray(count);
    else this.#chunks.shift();
    this.#sizeBytes -= count;
    this.changed();
    return count;
  }

  /** No more comes in; what is there can still be read. */
  end(): void {
    this.#hasEnded = true;
    this.changed();
  }

  /** Nobody reads any more: what was written is lost, and writes throw. */
  abandon(): void {
    this.#isUnread = true;
    this.changed();
  }

  /** Wakes everybody who waits. */
  changed(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }

  #verifyReader(): void {
    if (this.#isUnread) throw new AppError("lost", "The peer has closed the connection");
  }
}

class MemoryStream implements ByteStream {
  readonly peer: string;
  bytesRead = 0;
  bytesWritten = 0;
  #writes = 0;
  readonly #incoming: Pipe;
  readonly #outgoing: Pipe;
  #closedFor: AppError | undefined;

  constructor(peer: string, incoming: Pipe, outgoing: Pipe) {
    this.peer = peer;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
  }

  get isWriting(): boolean {
    return this.#writes > 0;
  }

  async read(into: Uint8Array): Promise<number | null> {
    this.#verifyOpen();
    const count = await this.#incoming.read(into, () => this.#verifyOpen());
    this.bytesRead += count ?? 0;
    return count;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#verifyOpen();
    if (bytes.length === 0) return;
    this.#writes++;
    try {
      await this.#outgoing.write(bytes, () => this.#verifyOpen());
    } finally {
      this.#writes--;
    }
    this.bytesWritten += bytes.length;
  }

  closeWrite(): Promise<void> {
    this.#outgoing.end();
    return Promise.resolve();
  }

  close(reason = new AppError("lost", "The connection was closed")): void {
    if (this.#closedFor) return;
    this.#closedFor = reason;
    this.#outgoing.end();
    this.#incoming.abandon();
  }

  #verifyOpen(): void {
    if (this.#closedFor) throw this.#closedFor;
  }
}

/** Two streams that are each other's peer. */
export function memoryPair(): readonly [ByteStream, ByteStream] {
  const there = new Pipe();
  const back = new Pipe();
  return [new MemoryStream("memory:1", back, there), new MemoryStream("memory:2", there, back)];
}

/** What a wrapper may do otherwise than the stream below it. */
export type Change = Partial<Pick<ByteStream, "read" | "write">>;

/** `stream`, with other reads or writes. */
export function changed(stream: ByteStream, { read, write }: Change): ByteStream {
  return {
    peer: stream.peer,
    get bytesRead() {
      return stream.bytesRead;
    },
    get bytesWritten() {
      return stream.bytesWritten;
    },
    get isWriting() {
      return stream.isWriting;
    },
    read: read ?? ((into) => stream.read(into)),
    write: write ?? ((bytes) => stream.write(bytes)),
    closeWrite: () => stream.closeWrite(),
    close: (reason) => stream.close(reason),
  };
}

/** Reads give one byte at a time. */
export function oneByteAtATime(stream: ByteStream): ByteStream {
  return changed(stream, { read: (into) => stream.read(into.subarray(0, 1)) });
}

/** The connection is gone, for both sides, behind the first `count` bytes that are written here. */
export function cutAfter(stream: ByteStream, count: number): ByteStream {
  let left = count;
  return changed(stream, {
    async write(bytes) {
      const passed = bytes.subarray(0, left);
      left -= passed.length;
      await stream.write(passed);
      if (passed.length < bytes.length) stream.close(new AppError("lost", "The connection was cut"));
      if (passed.length < bytes.length) throw new AppError("lost", "The connection was cut");
    },
  });
}

/** One bit of the byte at `offset` of what is written here arrives wrong. */
export function flipBit(stream: ByteStream, offset: number, bit: number): ByteStream {
  let written = 0;
  return changed(stream, {
    write(bytes) {
      const at = offset - written;
      written += bytes.length;
      if (at < 0 || at >= bytes.length) return stream.write(bytes);
      const wrong = bytes.slice();
      wrong[at]! ^= 1 << bit;
      return stream.write(wrong);
    },
  });
}

/** Tells `onWrite` of a copy of everything that is written here, before it is. */
export function recorded(stream: ByteStream, onWrite: (bytes: Uint8Array) => void): ByteStream {
  return changed(stream, {
    write(bytes) {
      onWrite(bytes.slice());
      return stream.write(bytes);
    },
  });
}
