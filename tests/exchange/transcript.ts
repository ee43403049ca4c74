/**
 * Whole sessions as text: who says what, in words and in bytes. They are recorded from the two engines, stand in
 * `fixtures/wire/`, and are replayed against each engine alone, which must say the same bytes again.
 */
import { QuietReader } from "../../protocol/exchange/quiet_reader.ts";
import type { ByteStream } from "../../protocol/exchange/byte_stream.ts";
import { openAsClient, openAsServer, readFirstBytes } from "../../protocol/exchange/opening.ts";
import { receiveFile } from "../../protocol/exchange/receiver.ts";
import { sendFile } from "../../protocol/exchange/sender.ts";
import type { Session } from "../../protocol/exchange/session.ts";
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import type { Message } from "../../protocol/wire/messages/mod.ts";
import { parseOpening } from "../../protocol/wire/opening.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { memoryPair, recorded } from "../support/streams.ts";
import { decode } from "../wire/decoding.ts";
import { bytesOf, FIXTURES, frameHex, readable } from "../wire/golden.ts";
import { MemoryDraft, MemorySource } from "./memory_files.ts";

export type Side = "client" | "server";

/** One opening line or one message. */
export interface Line {
  readonly side: Side;
  readonly words: string;
  readonly hex: string;
}

type Script = Record<Side, (stream: ByteStream) => Promise<void>>;

const HELLO = new TextEncoder().encode("hello");
/** A block and a bit: the bytes 0 to 250 over and over, then "hello". */
const LARGE = Uint8Array.from(
  { length: BLOCK_BYTES + 5 },
  (_, at) => at < BLOCK_BYTES ? at % 251 : HELLO[at - BLOCK_BYTES]!,
);
const FACTS = { mtimeMs: 1_700_000_000_000, mode: 0o644 } as const;

/** Each session by the name of its file. */
export const SCRIPTS: Readonly<Record<string, Script>> = {
  "session_get.txt": {
    client: (stream) =>
      asClient(stream, async (session) => {
        session.send({ type: "get", name: "a.txt", eager: true });
        const offer = await session.receive();
        assert(offer.type === "offer");
        await receiveFile(session, offer, () => Promise.resolve(new MemoryDraft({ publishedName: "a.txt" })));
      }),
    server: (stream) =>
      asServer(stream, async (session) => {
        assertEquals(await session.nextRequest(), { type: "get", name: "a.txt", eager: true });
        const offer = { type: "offer", name: "a.txt", sizeBytes: 5, ...FACTS, eager: true } as const;
        await sendFile(session, () => ({ source: new MemorySource(HELLO), offer }));
      }),
  },
  "session_put_resumed.txt": {
    client: (stream) =>
      asClient(stream, async (session) => {
        const offer = { type: "offer", name: "b.bin", sizeBytes: LARGE.length, ...FACTS, ifExists: 0 } as const;
        await sendFile(session, () => ({ source: new MemorySource(LARGE), offer }), EVERYWHERE);
      }),
    server: (stream) =>
      asServer(stream, async (session) => {
        const offer = await session.nextRequest();
        assert(offer?.type === "offer");
        const draft = new MemoryDraft({ held: LARGE.slice(0, BLOCK_BYTES), publishedName: "b.bin" });
        await receiveFile(session, offer, () => Promise.resolve(draft), EVERYWHERE);
      }),
  },
};

/** The same on every processor. */
const EVERYWHERE = { isFastAtSha256: false } as const;

async function asClient(stream: ByteStream, work: (session: Session) => Promise<void>): Promise<void> {
  const { session } = await openAsClient(stream, "doc");
  await work(session);
  await session.end();
}

async function asServer(stream: ByteStream, work: (session: Session) => Promise<void>): Promise<void> {
  const first = await readFirstBytes(new QuietReader(stream));
  assert(first);
  const opening = parseOpening(first.line);
  assert(opening.kind === "abilities");
  const options = { agent: "app/0.1.0", requestsAheadMax: 64 };
  const { session, hello } = await openAsServer(stream, first, opening.abilities, options);
  await hello();
  await work(session);
  assertEquals(await session.nextRequest(), undefined);
  await session.end();
}

/** Runs the script with both engines; all that they said, in its order. */
export async function record({ client, server }: Script): Promise<Line[]> {
  const lines: Line[] = [];
  const [one, two] = memoryPair();
  await Promise.all([
    client(recorded(one, (bytes) => lines.push(...linesOf("client", bytes)))),
    server(recorded(two, (bytes) => lines.push(...linesOf("server", bytes)))),
  ]);
  return lines;
}

/** Runs one engine of the script against the recorded words of the other, and compares what it says. */
export async function replay(lines: readonly Line[], side: Side, script: Script): Promise<void> {
  const [one, two] = memoryPair();
  const running = script[side](one);
  const last = lines.findLast((line) => line.side !== side);
  for (const line of lines) {
    const bytes = bytesOf(line.hex);
    if (line.side !== side) {
      await two.write(bytes);
      if (line === last) await two.closeWrite();
    } else assertEquals((await readExactly(two, bytes.length)).toHex(), bytes.toHex(), `${side}: ${line.words}`);
  }
  await running;
  assertEquals(await two.read(new Uint8Array(1)), null, "nothing comes behind the last line");
}

async function readExactly(stream: ByteStream, count: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count;) {
    const more = await stream.read(bytes.subarray(at));
    if (more === null) return bytes.subarray(0, at);
    at += more;
  }
  return bytes;
}

/** What one write says: an opening line, or whole frames. */
function linesOf(side: Side, bytes: Uint8Array): Line[] {
  if (bytes.at(-1) === 10 && bytes[0] === 65) {
    return [{ side, words: new TextDecoder().decode(bytes.subarray(0, -1)), hex: bytes.toHex() }];
  }
  const { messages, error, isInsideFrame } = decode(bytes);
  assert(!error && !isInsideFrame);
  let at = 0;
  return messages.map((message) => {
    const frame = bytes.subarray(at, at += 9 + (bytes[at]! << 16 | bytes[at + 1]! << 8 | bytes[at + 2]!));
    return { side, words: inWords(message), hex: frameHex(frame) };
  });
}

function inWords(message: Message): string {
  if (message.type === "data") return `data ${JSON.stringify(new TextDecoder().decode(message.bytes))}`;
  const { type, ...fields } = readable(message) as Record<string, unknown>;
  const words = Object.entries(fields).map(([name, value]) =>
    value === true ? name : `${name}=${JSON.stringify(value)}`
  );
  return [type, ...words].join(" ");
}

export function formatTranscript(lines: readonly Line[]): string {
  return "# Written by deno task golden. Under each line or message: its bytes, as length, type, check, body, CRC-32.\n" +
    lines.map(({ side, words, hex }) => `${side}  ${words}\n        ${hex}\n`).join("");
}

export function readTranscript(name: string): Line[] {
  const text = Deno.readTextFileSync(new URL(name, FIXTURES));
  return [...text.matchAll(/^(client|server) {2}(.*)\n +([0-9a-f ]+)$/gm)]
    .map(([, side, words, hex]) => ({ side: side as Side, words: words!, hex: hex! }));
}
