/** Compressed sessions: what goes in comes out, in any pieces; nothing grows; and nothing harmed passes for sound. */
import * as zlib from "node:zlib";
import { AppError } from "../../protocol/errors.ts";
import type { ByteStream } from "../../protocol/exchange/byte_stream.ts";
import {
  chooseCompression,
  type Compression,
  COMPRESSIONS,
  offeredCompressions,
  ownCompressions,
} from "../../protocol/compressions.ts";
import { PackedStream } from "../../protocol/exchange/packed_stream.ts";
import { encodeSegment, type SegmentKind } from "../../protocol/wire/segment.ts";
import { assert, assertEquals, assertRejectsCode } from "../support/assert.ts";
import { Random, withSeed } from "../support/random.ts";
import { flipBit, memoryPair, oneByteAtATime, recorded } from "../support/streams.ts";
import { concat } from "../wire/decoding.ts";
import { assertEnds, assertUsable, codeOf, DIRECTIONS, openWire, transfer } from "./engines.ts";
import { MemoryDraft, MemorySource } from "./memory_files.ts";

const own = ownCompressions();
for (const name of COMPRESSIONS) if (!own.includes(name)) console.log(`skipped: this Deno has no ${name}`);

/** What compresses to about half. */
function halves(random: Random, count: number): Uint8Array<ArrayBuffer> {
  return random.bytes(count).map((byte) => byte & 15);
}

const PIECE_BYTES = 132_096;
const noiseOf = (random: Random, count: number) => random.bytes(count);

/** A piece whose samples are all alike, so that they compress; they are too far from one another for deflate. */
function misleadingOf(random: Random, count: number): Uint8Array<ArrayBuffer> {
  const bytes = random.bytes(count);
  const sample = bytes.slice(0, 2_048);
  for (let part = 1; part < 4; part++) bytes.set(sample, part * Math.floor((count - 2_048) / 3));
  return bytes;
}

/** Reads until `count` bytes have come. */
async function readAll(stream: ByteStream, count: number, stepBytes: () => number): Promise<Uint8Array> {
  const all = new Uint8Array(count);
  for (let at = 0; at < count;) {
    const read = await stream.read(all.subarray(at, at + stepBytes()));
    assert(read !== null, `the end came after ${at} bytes of ${count}`);
    at += read;
  }
  return all;
}

/** What `compress` makes of `content`, flushed, in a context of its own. */
function compressed(compression: Compression, content: Uint8Array, { isEnd = false } = {}): Uint8Array {
  const { ZSTD_e_flush, ZSTD_e_end, ZSTD_c_windowLog, Z_SYNC_FLUSH, Z_FINISH } = zlib.constants;
  if (compression === "deflate") return zlib.deflateRawSync(content, { finishFlush: isEnd ? Z_FINISH : Z_SYNC_FLUSH });
  const params = { [ZSTD_c_windowLog]: 20 };
  return zlib.zstdCompressSync(content, { finishFlush: isEnd ? ZSTD_e_end : ZSTD_e_flush, params });
}

/** A stream whose peer says `segments`, and ends. */
async function hearing(compression: Compression, ...segments: Uint8Array[]): Promise<PackedStream> {
  const [one, two] = memoryPair();
  void two.write(concat(...segments)).then(() => two.closeWrite());
  await Promise.resolve();
  return new PackedStream(one, compression);
}

const PLAIN = new Random(7).bytes(100);

for (const compression of own) {
  Deno.test(`${compression}: what is written is read, in any pieces, compressed or not`, () =>
    withSeed(async (random) => {
      const pieces = Array.from({ length: 40 }, () => {
        const count = random.pick([1, 500, 5_000, 140_000, 300_000, 262_153]);
        return random.below(3) === 0 ? random.bytes(count) : halves(random, count);
      });
      const all = concat(...pieces);
      const [one, two] = memoryPair();
      const [near, far] = [new PackedStream(one, compression), new PackedStream(two, compression)];
      const writing = (async () => {
        for (const piece of pieces) await near.write(piece);
        await near.closeWrite();
      })();
      const read = await readAll(far, all.length, () => random.pick([7, 4_096, 300_000]));
      await writing;
      assert(zlib.crc32(read) === zlib.crc32(all), "other bytes came out");
      assertEquals(await far.read(new Uint8Array(1)), null);
      assert(near.bytesWritten < 0.8 * all.length, `${near.bytesWritten} bytes for ${all.length}`);
      assertEquals(far.bytesRead, near.bytesWritten);
      near.close();
      far.close();
    }));

  Deno.test(`${compression}: what does not compress grows by less than a thousandth, and what only looks so, too`, () =>
    withSeed(async (random) => {
      const kinds: number[] = [];
      const [one, two] = memoryPair();
      const near = new PackedStream(recorded(one, (bytes) => kinds.push(bytes[0]!)), compression);
      const far = new PackedStream(two, compression);
      for (const make of [noiseOf, halves, misleadingOf, halves, misleadingOf, noiseOf, halves]) {
        const bytes = make(random, make === noiseOf ? 2_000_000 : PIECE_BYTES);
        const before = near.bytesWritten;
        const [read] = await Promise.all([readAll(far, bytes.length, () => 262_153), near.write(bytes)]);
        assert(zlib.crc32(read) === zlib.crc32(bytes), "other bytes came out");
        const written = near.bytesWritten - before;
        assert(written <= 1.001 * bytes.length, `${written} for ${bytes.length}`);
      }
      const packed = kinds.filter((kind) => kind > 0);
      // Behind a piece that was compressed in vain the next one begins anew.
      assertEquals(packed, compression === "zstd" ? [1, 2, 2, 2, 2] : [1, 1, 1]);
      near.close();
      far.close();
    }));

  Deno.test(`${compression}: the first bytes, with hello in them, and small messages go as they are`, async () => {
    const written: Uint8Array[] = [];
    const [one, two] = memoryPair();
    const near = new PackedStream(recorded(one, (bytes) => written.push(bytes)), compression);
    const far = new PackedStream(two, compression);
    for (const count of [3_000, 5_000, 511, 512]) {
      await Promise.all([readAll(far, count, () => count), near.write(new Uint8Array(count))]);
    }
    assertEquals(written.map((bytes) => bytes[0]), [0, 1, 0, 2]);
    near.close();
    far.close();
  });

  Deno.test(`${compression}: a context begins anew when the sender says so`, async () => {
    const one = halves(new Random(1), 20_000);
    const two = halves(new Random(2), 20_000);
    const segments = [one, two].map((content) => encodeSegment("begin", compressed(compression, content), 20_000));
    const stream = await hearing(compression, segments[0]!, encodeSegment("plain", PLAIN, 100), segments[1]!);
    assertEquals(await readAll(stream, 40_100, () => 9_999), concat(one, PLAIN, two));
    stream.close();
  });

  for (
    const [what, harm] of [
      ["truncated", (bytes) => bytes.subarray(0, -20)],
      ["followed by other bytes", (bytes) => concat(bytes, PLAIN)],
      ["damaged", (bytes) => bytes.map((byte, at) => at === 9 ? byte ^ 0xff : byte)],
      ["nothing of the kind", (bytes) => new Random(3).bytes(bytes.length)],
    ] as readonly [string, (bytes: Uint8Array) => Uint8Array][]
  ) {
    Deno.test(`${compression}: a compressed segment that is ${what} is damaged, or what it says it is`, async () => {
      const content = halves(new Random(4), 50_000);
      const sound = compressed(compression, content);
      const benign = await hearing(compression, encodeSegment("begin", sound, content.length));
      assertEquals(await readAll(benign, content.length, () => 50_000), content);
      benign.close();
      const harmed = await hearing(compression, encodeSegment("begin", harm(sound), content.length));
      // Deflate has no checksum of its own: one flipped byte may be of the right length, and is for the frames to find.
      const reading = readAll(harmed, content.length, () => 50_000);
      if (compression === "deflate" && what === "damaged") {
        const isOther = await reading.then((read) => zlib.crc32(read) !== zlib.crc32(content), isDamaged);
        assert(isOther);
      } else await assertRejectsCode(() => reading, "damaged");
      harmed.close();
    });
  }

  Deno.test(`${compression}: more than a segment says is refused before it is there`, async () => {
    const bomb = compressed(compression, new Uint8Array(100_000_000));
    assert(bomb.length < 200_000, `${bomb.length}`);
    const before = Deno.memoryUsage().rss;
    for (const contentBytes of [bomb.length + 1, 262_144]) {
      const stream = await hearing(compression, encodeSegment("begin", bomb, contentBytes));
      await assertRejectsCode(() => stream.read(new Uint8Array(100)), "damaged");
      stream.close();
    }
    assert(Deno.memoryUsage().rss - before < 50_000_000, "the bomb went off");
  });

  Deno.test(`${compression}: what goes on with what never began, or ended, is refused`, async () => {
    const content = new Uint8Array(1_000);
    const begin = encodeSegment("begin", compressed(compression, content), 1_000);
    const goOn = encodeSegment("go_on", compressed(compression, content), 1_000);
    const never = await hearing(compression, goOn);
    await assertRejectsCode(() => never.read(new Uint8Array(9)), "malformed");
    const ended = compressed(compression, content, { isEnd: true });
    const after = await hearing(compression, begin, encodeSegment("begin", ended, 1_000), goOn);
    await readAll(after, 2_000, () => 1_000);
    // A stream of zstd may be followed by another one.
    if (compression === "deflate") await assertRejectsCode(() => after.read(new Uint8Array(9)), "damaged");
    never.close();
    after.close();
  });

  for (const kind of ["plain", "begin"] as const satisfies readonly SegmentKind[]) {
    Deno.test(`${compression}: an end inside a segment (${kind}) is a lost connection, and behind it an end`, async () => {
      const bytes = kind === "plain" ? PLAIN : compressed(compression, new Uint8Array(100_000));
      const segment = encodeSegment(kind, bytes, kind === "plain" ? bytes.length : 100_000);
      for (let length = 0; length <= segment.length; length++) {
        const stream = await hearing(compression, segment.subarray(0, length));
        const end = drained(stream);
        if (length === 0 || length === segment.length) await end;
        else await assertRejectsCode(() => end, "lost");
        stream.close();
      }
    });
  }

  for (const direction of DIRECTIONS) {
    Deno.test(`${compression}: a ${direction} byte by byte, and another behind it`, async () => {
      const content = halves(new Random(5), 30_000);
      const around = (stream: ByteStream) => new PackedStream(oneByteAtATime(stream), compression);
      const wire = openWire({ clientStream: around, serverStream: around });
      const job = { source: new MemorySource(content), draft: new MemoryDraft(), isEager: direction === "put" };
      assertEnds(await transfer(wire, direction, job), "done");
      assertEquals(job.draft.content, content);
      await assertUsable(wire, direction);
      wire.client.close();
      wire.server.close();
    });
  }

  Deno.test(`${compression}: whichever bit is flipped, a transfer is whole or fails`, () =>
    withSeed(async (random) => {
      const content = halves(random, 30_000);
      const outcomes = new Map<string, number>();
      for (let round = 0; round < 150; round++) {
        const flipped = { offset: random.below(15_000), bit: random.below(8) };
        const wire = openWire({
          clientStream: (stream) => new PackedStream(flipBit(stream, flipped.offset, flipped.bit), compression),
          serverStream: (stream) => new PackedStream(stream, compression),
        });
        const job = { source: new MemorySource(content), draft: new MemoryDraft(), isEager: true };
        const { received } = await transfer(wire, "put", job);
        const code = codeOf(received);
        outcomes.set(code, (outcomes.get(code) ?? 0) + 1);
        const isWhole = job.draft.state === "published";
        assert(!isWhole || zlib.crc32(job.draft.content) === zlib.crc32(content), JSON.stringify(flipped));
        assert(["damaged", "malformed", "limit", "lost", "done"].includes(code), `${code}: ${JSON.stringify(flipped)}`);
        wire.client.close();
        wire.server.close();
      }
      assert((outcomes.get("damaged") ?? 0) > 75, JSON.stringify([...outcomes]));
    }));
}

function isDamaged(error: unknown): boolean {
  return error instanceof AppError && error.code === "damaged";
}

async function drained(stream: ByteStream): Promise<void> {
  const sink = new Uint8Array(1_000);
  while (await stream.read(sink) !== null);
}

Deno.test("a segment of a segment is no frame: it is not unpacked twice", async () => {
  const inner = encodeSegment("plain", new Uint8Array(20), 20);
  const outer = encodeSegment("plain", inner, inner.length);
  const stream = await hearing("deflate", outer);
  assertEquals(await readAll(stream, inner.length, () => 100), inner);
});

Deno.test("the best kind that both have is chosen, and a client offers none to this machine unless it is told to", () => {
  assertEquals(chooseCompression("deflate,zstd", ["zstd", "deflate"]), "zstd");
  assertEquals(chooseCompression("brotli,zstd,deflate", ["deflate"]), "deflate");
  for (const offered of [undefined, "", "brotli", "zstd;deflate", "ZSTD"]) {
    assertEquals(chooseCompression(offered), undefined);
  }
  const list = own.join(",");
  for (const peer of ["127.0.0.1:6000", "[::1]:6000", "127.9.9.9:1", "[::ffff:127.0.0.1]:1"]) {
    assertEquals(offeredCompressions("auto", peer), undefined);
    assertEquals(offeredCompressions("on", peer), list);
  }
  for (const peer of ["192.0.2.1:6000", "[2001:db8::1]:127", "12.7.0.1:6000"]) {
    assertEquals(offeredCompressions("auto", peer), list);
    assertEquals(offeredCompressions("off", peer), undefined);
  }
});
