/** A peer without an engine: it says what the test says, and shows all that it hears, pings and goodbyes included. */
import type { ByteStream } from "../../protocol/exchange/byte_stream.ts";
import { Session } from "../../protocol/exchange/session.ts";
import { BODY_BYTES_MAX } from "../../protocol/limits.ts";
import { crc32 } from "../../protocol/wire/crc32.ts";
import { FrameDecoder } from "../../protocol/wire/frame.ts";
import { decodeMessage, type Message } from "../../protocol/wire/messages/mod.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { memoryPair } from "../support/streams.ts";
import { concat, encode, kept } from "../wire/decoding.ts";

export class RawPeer {
  readonly stream: ByteStream;
  readonly #decoder = new FrameDecoder(crc32);

  constructor(stream: ByteStream) {
    this.stream = stream;
  }

  /** Sends the messages in one piece. */
  send(...messages: readonly Message[]): Promise<void> {
    return this.stream.write(concat(...messages.map(encode)));
  }

  /** The next message, with its data copied; `undefined` when the other side has ended. */
  async receive(): Promise<Message | undefined> {
    for (;;) {
      const frame = this.#decoder.next();
      const message = frame && decodeMessage(frame);
      if (message) return kept(message);
      const count = await this.stream.read(this.#decoder.room());
      if (count === null) return;
      this.#decoder.filled(count);
    }
  }

  /** The next message, which must be of that type. */
  async expect<T extends Message["type"]>(type: T): Promise<Extract<Message, { type: T }>> {
    const message = await this.receive();
    assert(message, `the session ended instead of saying "${type}"`);
    assertEquals(message.type, type, JSON.stringify(message));
    return message as Extract<Message, { type: T }>;
  }
}

/** A session, and the raw peer that it speaks with. */
export function openRaw(
  { requestsAheadMax = 4, stream: wrap = (stream: ByteStream) => stream } = {},
): { session: Session; peer: RawPeer } {
  const [one, two] = memoryPair();
  const session = new Session(wrap(one), { early: new Uint8Array(), dataBytesMax: BODY_BYTES_MAX, requestsAheadMax });
  return { session, peer: new RawPeer(two) };
}

/** Lets everything run that is ready. */
export async function turns(): Promise<void> {
  for (let count = 0; count < 20; count++) await Promise.resolve();
}
