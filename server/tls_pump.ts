/**
 * The bytes of a TLS connection between the client and our own TLS listener: both ways, as they come, and their ends.
 *
 * An idle connection holds two small buffers; where much moves, large ones are borrowed.
 */
import { breathe, breatheLong } from "../protocol/breathe.ts";
import type { ByteStream } from "../protocol/exchange/byte_stream.ts";
import { endOfFirstEncrypted } from "../protocol/tls/client_hello.ts";

const SMALL_BYTES = 16_384;
const LARGE_BYTES = 262_144;
/** So many large buffers are kept for the next who needs one. */
const SPARE_MAX = 8;
/** How long the client's first words wait for what our TLS has to say before them. */
const TICKETS_WITHIN_MS = 2;

/** Both ways under way; neither promise is ever rejected. */
export interface Joined {
  readonly toServer: Promise<void>;
  readonly toClient: Promise<void>;
}

/** Carries everything between the client's end and the near end of our own connection, on which `hello` goes first. */
export function joinStreams(outer: ByteStream, near: ByteStream, hello: Uint8Array): Joined {
  const tickets = Promise.withResolvers<void>();
  let isHandshakeOver = false;
  const onPiece = () => isHandshakeOver && tickets.resolve();
  const toServer = async () => {
    const isOpen = await handOnHandshake(outer, near, hello, () => {
      isHandshakeOver = true;
      return within(TICKETS_WITHIN_MS, tickets.promise);
    });
    if (isOpen === "open") return await carry(outer, near);
    return isOpen;
  };
  return {
    // What the client still says when the server has closed goes nowhere, and that is no reason to close on the client.
    toServer: toServer().then((end) => void (end === "source broken" && near.close())),
    toClient: carry(near, outer, onPiece).then((end) => {
      if (end === "source broken") outer.close();
      if (end === "sink broken") near.close();
    }),
  };
}

/** How one way ended: the source in order, or either of the two by an error. */
type End = "ended" | "source broken" | "sink broken";

/**
 * Carries the handshake, and what the client says behind it only after `whenTicketsCame`. The server's tickets are a
 * small write that nobody answers, and so hold up its next write by the 40 ms in which the system waits for more to
 * acknowledge them with; what we write after we have them does it at once.
 */
async function handOnHandshake(
  outer: ByteStream,
  near: ByteStream,
  hello: Uint8Array,
  whenTicketsCame: () => Promise<void>,
): Promise<End | "open"> {
  const bytes = new Uint8Array(SMALL_BYTES);
  try {
    await near.write(hello);
    for (let length = 0; length < bytes.length;) {
      const count = await outer.read(bytes.subarray(length)).catch(() => undefined);
      if (count === undefined) return "source broken";
      if (count === null) {
        await near.closeWrite();
        return "ended";
      }
      const end = endOfFirstEncrypted(bytes.subarray(0, length + count));
      const came = bytes.subarray(length, length += count);
      if (end === undefined) {
        await near.write(came);
        continue;
      }
      const ours = end - (length - count);
      const tickets = whenTicketsCame();
      await near.write(came.subarray(0, ours));
      await tickets;
      await near.write(came.subarray(ours));
      return "open";
    }
    return "source broken"; // that much, and nothing encrypted among it
  } catch {
    return "sink broken";
  }
}

/** Carries bytes from `source` to `sink` until the source ends, and then ends the sink. */
async function carry(source: ByteStream, sink: ByteStream, onPiece: () => void = () => {}): Promise<End> {
  const small = new Uint8Array(SMALL_BYTES);
  using large = new LargeBuffer();
  for (let isMuch = false;;) {
    const buffer: Uint8Array = isMuch ? large.borrow() : small;
    const count: number | null | undefined = await source.read(buffer).catch(() => undefined);
    if (count === undefined) return "source broken";
    onPiece();
    try {
      if (count === null) {
        await sink.closeWrite();
        return "ended";
      }
      await sink.write(buffer.subarray(0, count));
    } catch {
      return "sink broken";
    }
    isMuch = count >= SMALL_BYTES;
    if (!isMuch) large.giveBack();
    await breathe();
  }
}

const spare: Uint8Array<ArrayBuffer>[] = [];

/** A large buffer, and the announcement of long work, for as long as it is borrowed. */
class LargeBuffer implements Disposable {
  #buffer: Uint8Array<ArrayBuffer> | undefined;
  #breathing: Disposable | undefined;

  borrow(): Uint8Array<ArrayBuffer> {
    this.#breathing ??= breatheLong();
    return this.#buffer ??= spare.pop() ?? new Uint8Array(LARGE_BYTES);
  }

  giveBack(): void {
    if (this.#buffer && spare.length < SPARE_MAX) spare.push(this.#buffer);
    this.#buffer = undefined;
    this.#breathing?.[Symbol.dispose]();
    this.#breathing = undefined;
  }

  /** After an error, a write may still be under way: then nobody else may have the buffer. */
  [Symbol.dispose](): void {
    this.#buffer = undefined;
    this.giveBack();
  }
}

async function within(ms: number, promise: Promise<void>): Promise<void> {
  const tooLate = Promise.withResolvers<void>();
  const timer = setTimeout(tooLate.resolve, ms);
  await Promise.race([promise, tooLate.promise]);
  clearTimeout(timer);
}
