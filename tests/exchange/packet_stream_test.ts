/** Packets over streams that cut, glue and lie. */
import { deflateSync } from "node:zlib";
import { deflate, PacketReader } from "../../protocol/exchange/packet_stream.ts";
import { QuietReader } from "../../protocol/exchange/quiet_reader.ts";
import { PACKET_BYTES_MAX } from "../../protocol/limits.ts";
import { assert, assertEquals, assertRejectsCode } from "../support/assert.ts";
import { Random, withSeed } from "../support/random.ts";
import { changed, memoryPair } from "../support/streams.ts";
import { concat, randomChunks } from "../wire/decoding.ts";

const QUIET_MS = 5;

/** A reader of what these pieces bring, one read each, and then the end. */
function readerOf(...pieces: readonly Uint8Array[]): PacketReader {
  const [stream] = memoryPair();
  const waiting = pieces.filter(({ length }) => length > 0).map((piece) => piece.slice());
  const pieced = changed(stream, {
    read(into) {
      const piece = waiting.shift();
      if (!piece) return Promise.resolve(null);
      const count = Math.min(into.length, piece.length);
      into.set(piece.subarray(0, count));
      if (count < piece.length) waiting.unshift(piece.subarray(count));
      return Promise.resolve(count);
    },
  });
  return new PacketReader(new QuietReader(pieced), QUIET_MS);
}

async function textsOf(reader: PacketReader): Promise<string[]> {
  const texts: string[] = [];
  for (let packet = await reader.next(); packet; packet = await reader.next()) {
    texts.push(new TextDecoder().decode(packet.bytes));
  }
  return texts;
}

const packetOf = (text: string) => deflate(new TextEncoder().encode(text));

Deno.test("three packets come apart, split at every byte, and all in one piece", async () => {
  const texts = ["c|France", "h|", `a|${"Atlantis".repeat(20)},Poseidonia`];
  const bytes = concat(...await Promise.all(texts.map(packetOf)));
  for (let at = 0; at <= bytes.length; at++) {
    assertEquals(await textsOf(readerOf(bytes.subarray(0, at), bytes.subarray(at))), texts);
  }
  assertEquals(await textsOf(readerOf(...Array.from(bytes, (byte) => Uint8Array.of(byte)))), texts);
});

Deno.test("a packet tells how large it was compressed, and the next begins behind it", async () => {
  const [first, second] = [await packetOf("c|Peru"), await packetOf("|Lima")];
  const reader = readerOf(concat(first, second));
  assertEquals((await reader.next())?.compressedBytes, first.length);
  assertEquals((await reader.next())?.compressedBytes, second.length);
});

Deno.test("large packets of any content come apart in any pieces", async () => {
  await withSeed(async (random) => {
    for (let round = 0; round < 30; round++) {
      const packets = Array.from(
        { length: 1 + random.below(3) },
        () => random.bytes(random.below(PACKET_BYTES_MAX + 1)),
      );
      const bytes = concat(...packets.map((packet) => deflateSync(packet)));
      const reader = readerOf(...randomChunks(bytes, random, 1 + random.below(20_000)));
      for (const packet of packets) {
        const { bytes: got } = (await reader.next())!;
        assert(got.length === packet.length && got.every((byte, at) => byte === packet[at]), `round ${round}`);
      }
      assertEquals(await reader.next(), undefined);
    }
  });
});

Deno.test("the largest packet is taken, and one byte more is refused before it is inflated further", async () => {
  const { bytes } = (await readerOf(deflateSync(new Uint8Array(PACKET_BYTES_MAX))).next())!;
  assertEquals(bytes.length, PACKET_BYTES_MAX);
  await assertRejectsCode(() => readerOf(deflateSync(new Uint8Array(PACKET_BYTES_MAX + 1))).next(), "limit");
  await assertRejectsCode(() => readerOf(deflateSync(new Uint8Array(50_000_000))).next(), "limit");
});

Deno.test("bytes that never come to an end are refused at a bound", async () => {
  const endless = deflateSync(new Random(5).bytes(1_000_000), { level: 0 }).subarray(0, 500_000);
  await assertRejectsCode(() => readerOf(endless).next(), "limit");
  // Empty blocks inflate to nothing, however many there are.
  const empty = concat(Uint8Array.of(0x78, 0x9c), ...new Array(40_000).fill(Uint8Array.of(0, 0, 0, 255, 255)));
  await assertRejectsCode(() => readerOf(empty).next(), "limit");
});

Deno.test("junk is malformed, and an end within a packet is a lost connection", async () => {
  await withSeed(async (random) => {
    for (let round = 0; round < 200; round++) {
      const junk = concat(Uint8Array.of(0x78, 0x9c, 7), random.bytes(random.below(300)));
      await assertRejectsCode(() => readerOf(junk).next(), "malformed");
    }
  });
  const packet = await packetOf("c|France");
  const wrong = packet.slice();
  wrong[wrong.length - 1]! ^= 1;
  await assertRejectsCode(() => readerOf(wrong).next(), "malformed");
  for (let length = 1; length < packet.length; length++) {
    await assertRejectsCode(() => readerOf(packet.subarray(0, length)).next(), "lost");
  }
});
