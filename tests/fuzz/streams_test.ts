/**
 * What is read from a stream or a file in several steps, with harmed content: first bytes, packets, images, the notes
 * of partials. It comes to a result or a declared error, the same however the bytes are cut up.
 */
import { deflateSync } from "node:zlib";
import { describeHead } from "../../client/image/describe.ts";
import { AppError, type ErrorName } from "../../protocol/errors.ts";
import type { ByteStream } from "../../protocol/exchange/byte_stream.ts";
import { readFirstBytes } from "../../protocol/exchange/opening.ts";
import { PacketReader } from "../../protocol/exchange/packet_stream.ts";
import { QuietReader } from "../../protocol/exchange/quiet_reader.ts";
import { readCode } from "../../protocol/exchange/unframed.ts";
import { SERVED_FORMATS } from "../../protocol/wire/detect.ts";
import { IMAGES } from "../client/image/images.ts";
import { TemporaryTree } from "../files/temporary_tree.ts";
import { assert, assertEquals } from "../support/assert.ts";
import type { Random } from "../support/random.ts";
import { memoryPair, oneByteAtATime } from "../support/streams.ts";
import { concat, randomChunks } from "../wire/decoding.ts";
import { type Bytes, mutateBytes } from "./mutations.ts";
import { assertReached, playRounds } from "./rounds.ts";
import { leavePartial } from "./sessions.ts";

/** No silence is waited for: a stream here goes on at once, or has ended. */
const QUIET_MS = 60_000;

/** A stream of `chunks`, which then ends. */
async function streamOf(chunks: readonly Uint8Array[]): Promise<ByteStream> {
  const [ours, theirs] = memoryPair();
  const written = (async () => {
    for (const chunk of chunks) await theirs.write(chunk);
    await theirs.closeWrite();
  })();
  await Promise.race([written, Promise.resolve()]);
  written.catch(() => {}); // whoever reads has had enough
  return ours;
}

/** What `read` makes of `bytes`, in one piece, cut up at random, and byte by byte; the same each time. */
async function readAllWays(
  bytes: Bytes,
  random: Random,
  declared: readonly ErrorName[],
  read: (stream: QuietReader) => Promise<unknown>,
): Promise<string> {
  const ways = [
    await streamOf([bytes]),
    await streamOf(randomChunks(bytes, random, 30).filter((chunk) => chunk.length > 0)),
    oneByteAtATime(await streamOf([bytes])),
  ];
  const results: unknown[] = [];
  for (const stream of ways) {
    results.push(await outcomeOf(() => read(new QuietReader(stream)), declared));
    stream.close();
  }
  for (const result of results) assertEquals(result, results[0]);
  const { code } = results[0] as { code?: string };
  return code ?? "value";
}

async function outcomeOf(run: () => Promise<unknown>, declared: readonly ErrorName[]): Promise<unknown> {
  try {
    return { value: await run() };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    assert(declared.includes(error.code), `${error.code}: ${error.message}`);
    return { code: error.code, message: error.message };
  }
}

function mutated(bytes: Uint8Array, random: Random, harms = 3): Bytes {
  let result = bytes.slice();
  for (let count = random.below(harms + 1); count > 0; count--) result = mutateBytes(result, random);
  return result;
}

Deno.test("first bytes that were harmed tell a format or a declared error, the same for any chunking", async () => {
  const texts = ["APP/1 agent=x\nfurther", "GET / HTTP/1.1\r\n", "\x16\x03\x01", "Client of a: 1", "get,a", "a.txt"];
  const examples = [...texts.map((text) => new TextEncoder().encode(text)), new Uint8Array(2_000).fill(65)];
  const outcomes = await playRounds({
    name: "first bytes",
    rounds: 3_000,
    async play({ random, describe }) {
      const bytes = mutated(random.pick(examples), random);
      const accepted = random.below(2) === 0 ? SERVED_FORMATS : ["app" as const];
      describe(`${bytes.toHex()} where ${accepted} are served`);
      return await readAllWays(bytes, random, ["malformed", "lost"], async (reader) => {
        const first = await readFirstBytes(reader, { accepted, quietMs: QUIET_MS });
        return first && { format: first.format, line: first.line };
      });
    },
  });
  assertReached(outcomes, ["value", "malformed", "lost"]);
});

Deno.test("packets that were harmed inflate or are a declared error, the same for any chunking", async () => {
  const packets = ["c|France", "|" + "x".repeat(2_000), "", "a|Korea, South,Seoul"].map((text) => deflateSync(text));
  const bomb = deflateSync(new Uint8Array(3_000_000));
  const outcomes = await playRounds({
    name: "packets",
    rounds: 600,
    async play({ random, describe }) {
      const all = Array.from({ length: 1 + random.below(4) }, () => random.pick(packets));
      if (random.below(10) === 0) all.push(bomb);
      const bytes = mutated(concat(...all), random);
      describe(bytes.length < 1_000 ? bytes.toHex() : `${bytes.length} bytes`);
      return await readAllWays(bytes, random, ["malformed", "limit", "lost"], async (stream) => {
        const reader = new PacketReader(stream, QUIET_MS);
        const sizes: number[][] = [];
        for (let packet = await reader.next(); packet; packet = await reader.next()) {
          assert(packet.bytes.length <= 65_536);
          sizes.push([packet.bytes.length, packet.compressedBytes]);
        }
        return sizes;
      });
    },
  });
  assertReached(outcomes, ["value", "malformed", "limit", "lost"]);
});

Deno.test("code words that were harmed are told from what follows, the same for any chunking", async () => {
  await playRounds({
    name: "code words",
    rounds: 2_000,
    async play({ random, describe }) {
      const bytes = mutated(new TextEncoder().encode(random.pick(["pass", "cancel", "passcontent"])), random, 2);
      describe(bytes.toHex());
      return await readAllWays(bytes, random, ["lost"], (reader) => readCode(reader, ["pass", "cancel"]));
    },
  });
});

Deno.test("images that were harmed have a size or none, and nothing is thrown", async () => {
  const outcomes = await playRounds({
    name: "images",
    rounds: 8_000,
    async play({ random, describe }) {
      const bytes = mutated(random.pick(IMAGES)[1].subarray(0, 1_500), random, 6);
      describe(bytes.toHex());
      const facts = await describeHead(bytes);
      assert(!facts || (Number.isInteger(facts.width) && facts.width >= 1 && facts.height >= 1));
      return facts?.type ?? "none";
    },
  });
  assertReached(outcomes, ["JPEG", "PNG", "GIF", "WebP", "AVIF", "SVG", "none"]);
});

Deno.test("a partial whose note was harmed is gone on with or begun anew, and nothing is thrown", async () => {
  using shared = new TemporaryTree();
  await leavePartial(shared.path, "large.bin");
  const [note] = shared.reserved().filter((name) => name.endsWith(".note"));
  const content = Deno.readFileSync(shared.at(note!));
  const { sizeBytes, mtimeMs } = JSON.parse(new TextDecoder().decode(content));
  const outcomes = await playRounds({
    name: "notes",
    rounds: 300,
    async play({ random, describe }) {
      let bytes = mutated(content, random);
      if (random.below(8) === 0) bytes = new TextEncoder().encode(random.pick(STRANGE_NOTES));
      describe(new TextDecoder().decode(bytes));
      Deno.writeFileSync(shared.at(note!), bytes);
      assert((shared.tree.partialOf("large.bin")?.sizeBytes ?? 0) >= 0);
      const draft = await shared.tree.create("large.bin", { sizeBytes, mtimeMs }, "error");
      const { heldBlocks } = draft;
      await draft.discard();
      await leavePartial(shared.path, "large.bin");
      assert(heldBlocks === 0 || heldBlocks === 1);
      return `${heldBlocks} blocks`;
    },
  });
  assertReached(outcomes, ["0 blocks", "1 blocks"]);
});

const STRANGE_NOTES = [
  "",
  "null",
  "[]",
  "5",
  '"text"',
  '{"name":5}',
  '{"name":"large.bin","sizeBytes":-1,"mtimeMs":-1}',
  '{"name":"large.bin","sizeBytes":9007199254740993,"mtimeMs":0}',
  '{"__proto__":{"name":"x","sizeBytes":1,"mtimeMs":1}}',
  "[".repeat(50_000),
];
