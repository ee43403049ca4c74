/**
 * The load of the bench of lookups, as a process of its own: `lookups_load.ts app|redis PORT CONNECTIONS DEPTH SECONDS`
 * prints how many lookups a second were answered.
 *
 * Each connection sends DEPTH requests in one write, waits for all their answers, and begins again, as redis-benchmark
 * does. What is sent is made before, and of what comes only the bytes are counted, but for the first answers, which
 * are compared: so this program costs as little as it can, and the same for both protocols.
 */
import { crc32 } from "../../protocol/wire/crc32.ts";
import { ByteWriter } from "../../protocol/wire/fields.ts";
import { FRAME_HEADER_BYTES, FRAME_TRAILER_BYTES } from "../../protocol/wire/frame.ts";
import { encodeMessage, type FieldMessage } from "../../protocol/wire/messages/mod.ts";
import { openAsClient } from "../../protocol/exchange/opening.ts";
import { TcpStream } from "../../protocol/exchange/byte_stream.ts";
import { COUNTRIES } from "../../server/records/countries.ts";

const WARM_UP_MS = 500;

/** What is sent in one write, and what must come for it. */
interface Batch {
  readonly requests: Uint8Array;
  readonly answers: Uint8Array;
}

interface Protocol {
  batchOf(records: readonly (typeof COUNTRIES[number])[]): Batch;
  open(port: number): Promise<TcpStream>;
}

function framesOf(messages: readonly FieldMessage[]): Uint8Array {
  const writer = new ByteWriter();
  for (const message of messages) encodeMessage(message, writer, crc32);
  return writer.written().slice();
}

const recordOf = ([country, capital, population]: typeof COUNTRIES[number]) =>
  ({ type: "record", country, capital, population }) as const;

async function connect(port: number): Promise<TcpStream> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay(true);
  return new TcpStream(conn);
}

const app: Protocol = {
  batchOf: (records) => ({
    requests: framesOf(records.map(([country]) => ({ type: "find", country }))),
    answers: framesOf(records.map(recordOf)),
  }),
  async open(port) {
    const stream = await connect(port);
    const { session } = await openAsClient(stream, "bench");
    await session.flush();
    return stream;
  },
};

/** Redis keeps under each name what the body of our answer has, so that values are of the same size. */
const redis: Protocol = {
  batchOf: (records) => ({
    requests: bytesOf(records.map(([country]) => wordsOf("GET", country)).join("")),
    answers: bytesOf(records.map((record) => bulkOf(valueOf(record))).join("")),
  }),
  async open(port) {
    const stream = await connect(port);
    for (const record of COUNTRIES) {
      await stream.write(bytesOf(wordsOf("SET", record[0], valueOf(record))));
      await readExactly(stream, new Uint8Array("+OK\r\n".length));
    }
    return stream;
  },
};

function valueOf(record: typeof COUNTRIES[number]): string {
  return "v".repeat(framesOf([recordOf(record)]).length - FRAME_HEADER_BYTES - FRAME_TRAILER_BYTES);
}

function wordsOf(...words: readonly string[]): string {
  return `*${words.length}\r\n${words.map(bulkOf).join("")}`;
}

function bulkOf(text: string): string {
  return `$${bytesOf(text).length}\r\n${text}\r\n`;
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

async function readExactly(stream: TcpStream, into: Uint8Array): Promise<void> {
  for (let at = 0; at < into.length;) {
    const count = await stream.read(into.subarray(at));
    if (count === null) throw new Error("The server closed a connection");
    at += count;
  }
}

/** One connection, until `isOver`; `onBatch` is told of each batch that was answered. */
async function load(protocol: Protocol, port: number, batch: Batch, isOver: () => boolean, onBatch: () => void) {
  using stream = await protocol.open(port);
  const answers = new Uint8Array(batch.answers.length);
  await stream.write(batch.requests);
  await readExactly(stream, answers);
  if (answers.toHex() !== batch.answers.toHex()) throw new Error("The server answered something else");
  while (!isOver()) {
    await stream.write(batch.requests);
    await readExactly(stream, answers);
    onBatch();
  }
}

const [name, port, connections, depth, seconds] = Deno.args;
const protocol = name === "redis" ? redis : app;
let answered = 0;
let isOver = false;
const loads = Array.from({ length: Number(connections) }, (_, index) => {
  const records = Array.from({ length: Number(depth) }, (_, at) => COUNTRIES[(index * 7 + at * 3) % COUNTRIES.length]!);
  const onBatch = () => answered += records.length;
  return load(protocol, Number(port), protocol.batchOf(records), () => isOver, onBatch);
});
await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
answered = 0;
const start = performance.now();
await new Promise((resolve) => setTimeout(resolve, Number(seconds) * 1000));
console.log(Math.round(answered / ((performance.now() - start) / 1000)));
isOver = true;
await Promise.all(loads);
