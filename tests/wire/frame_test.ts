/** Frames: any chunking, every size, the limits, and the buffer that the decoder lends. */
import { crc32 as zlibCrc32 } from "node:zlib";
import { BODY_BYTES_MAX } from "../../protocol/limits.ts";
import { crc32 } from "../../protocol/wire/crc32.ts";
import { ByteWriter } from "../../protocol/wire/fields.ts";
import {
  appendFrame,
  FRAME_HEADER_BYTES,
  FRAME_TRAILER_BYTES,
  FrameDecoder,
  sealFrame,
} from "../../protocol/wire/frame.ts";
import { assert, assertEquals, assertThrows, assertThrowsCode } from "../support/assert.ts";
import { type Random, withSeed } from "../support/random.ts";
import { concat, feed, frameOf, randomChunks, singleBytes } from "./decoding.ts";

const OVERHEAD = FRAME_HEADER_BYTES + FRAME_TRAILER_BYTES;
/** The buffer of an idle decoder, and that of one that takes file data. */
const IDLE_BYTES = 4_096;
const DATA_BYTES = BODY_BYTES_MAX + 9;

/** The five bytes of a sound header. */
function header(bodyBytes: number, type: number): Uint8Array {
  const bytes = [bodyBytes >> 16, bodyBytes >> 8 & 255, bodyBytes & 255, type];
  return Uint8Array.of(...bytes, bytes.reduce((check, byte) => check ^ byte, 0xa5));
}

/** Frames as text, since a body is a view that the next one overwrites. */
function takeAll(decoder: FrameDecoder, chunks: Iterable<Uint8Array>): string[] {
  const taken: string[] = [];
  for (const chunk of chunks) {
    for (const { type, body } of feed(decoder, chunk)) taken.push(`${type} ${body.length} ${zlibCrc32(body)}`);
  }
  return taken;
}

function randomFrames(random: Random): { stream: Uint8Array; frames: string[] } {
  const idle = IDLE_BYTES - OVERHEAD;
  const sizes = [0, 1, 100, idle - 1, idle, idle + 1, 2 * IDLE_BYTES, BODY_BYTES_MAX - 1, BODY_BYTES_MAX];
  const bodies = Array.from({ length: 6 }, () => random.bytes(random.pick([...sizes, random.below(1_000)])));
  const frames = bodies.map((body, index) => `${index} ${body.length} ${zlibCrc32(body)}`);
  return { stream: concat(...bodies.map((body, index) => frameOf(index, body))), frames };
}

Deno.test("a frame is length, type, check, body and CRC-32", () => {
  const frame = frameOf(0x15, new TextEncoder().encode("hello"));
  assertEquals(frame.subarray(0, 10).toHex(), "000005" + "15" + "b5" + "68656c6c6f");
  assertEquals(frame.subarray(10).toHex(), zlibCrc32(frame.subarray(0, 10)).toString(16).padStart(8, "0"));
});

Deno.test("decoder gives the same frames for any chunking", () =>
  withSeed((random) => {
    for (let run = 0; run < 60; run++) {
      const { stream, frames } = randomFrames(random);
      const lengthMax = random.pick([7_000, 20_000, 70_000, 300_000, stream.length]);
      const decoder = new FrameDecoder(zlibCrc32 as typeof crc32);
      assertEquals(takeAll(decoder, randomChunks(stream, random, lengthMax)), frames);
      assertEquals(decoder.isInsideFrame, false);
    }
  }));

Deno.test("decoder gives the same frames byte by byte, also around the edges of its buffer", () => {
  const bodies = [IDLE_BYTES - OVERHEAD - 3, 3, IDLE_BYTES - OVERHEAD, 0, IDLE_BYTES, 1].map((size) =>
    new Uint8Array(size).fill(size)
  );
  const stream = concat(...bodies.map((body) => frameOf(1, body)));
  const frames = bodies.map((body) => `1 ${body.length} ${zlibCrc32(body)}`);
  assertEquals(takeAll(new FrameDecoder(crc32), singleBytes(stream)), frames);
});

Deno.test("many small frames in one piece come out in order", () => {
  const count = 5_000;
  const stream = concat(
    ...Array.from({ length: count }, (_, index) => frameOf(index & 127, Uint8Array.of(index & 255))),
  );
  const expected = Array.from(
    { length: count },
    (_, index) => `${index & 127} 1 ${zlibCrc32(Uint8Array.of(index & 255))}`,
  );
  assertEquals(takeAll(new FrameDecoder(crc32), [stream]), expected);
});

Deno.test("decoder takes the largest frame and rejects a length above the limit from the header alone", () => {
  const decoder = new FrameDecoder(crc32);
  assertEquals(takeAll(decoder, [header(BODY_BYTES_MAX, 1)]), []);
  assertEquals(decoder.room().length, BODY_BYTES_MAX + FRAME_TRAILER_BYTES);
  for (const size of [BODY_BYTES_MAX + 1, 0xffffff]) {
    const error = assertThrowsCode(() => takeAll(new FrameDecoder(crc32), [header(size, 1)]), "limit");
    assert(error.message.includes(String(size)), error.message);
  }
});

Deno.test("decoder finds a wrong header before the body has come", () => {
  const sound = header(1_000, 1);
  for (let bit = 0; bit < 40; bit++) {
    const wrong = sound.slice();
    wrong[bit >> 3]! ^= 1 << (bit & 7);
    assertThrowsCode(() => takeAll(new FrameDecoder(crc32), [wrong]), "damaged");
  }
  assertEquals(takeAll(new FrameDecoder(crc32), [sound]), []);
});

Deno.test("decoder finds every wrong byte of a CRC-32", () => {
  const frame = frameOf(1, Uint8Array.of(1, 2, 3));
  for (let at = frame.length - FRAME_TRAILER_BYTES; at < frame.length; at++) {
    const wrong = frame.slice();
    wrong[at]! ^= 0x80;
    assertThrowsCode(() => takeAll(new FrameDecoder(crc32), [wrong]), "damaged");
  }
});

Deno.test("decoder takes the sound frames that stand before a damaged one", () => {
  const good = frameOf(1, Uint8Array.of(1));
  const bad = frameOf(2, Uint8Array.of(2));
  bad[5]! ^= 1;
  const decoder = new FrameDecoder(crc32);
  decoder.push(concat(good, bad));
  assertEquals(decoder.next()?.type, 1);
  assertThrowsCode(() => decoder.next(), "damaged");
});

Deno.test("body is a view into the buffer that was lent, not a copy", () => {
  const decoder = new FrameDecoder(crc32);
  const frame = frameOf(1, new Uint8Array(100_000).fill(7));
  decoder.push(frame.subarray(0, 1_000));
  const room = decoder.room();
  assertEquals(room.length, frame.length - 1_000, "within a large frame, room ends where the frame ends");
  room.set(frame.subarray(1_000));
  decoder.filled(room.length);
  const { body } = decoder.next()!;
  assert(body.buffer === room.buffer);
  assertEquals(body.length, 100_000);
  assert(body.every((byte) => byte === 7));
});

Deno.test("decoder gives its large buffer back and keeps the bytes of an unfinished frame", () => {
  const decoder = new FrameDecoder(crc32);
  const next = frameOf(2, new Uint8Array(300).fill(9));
  assertEquals(takeAll(decoder, [frameOf(1, new Uint8Array(BODY_BYTES_MAX)), next.subarray(0, 200)]).length, 1);
  assert(decoder.room().buffer.byteLength > BODY_BYTES_MAX);
  decoder.shrink();
  assertEquals(decoder.room().buffer.byteLength, IDLE_BYTES);
  assertEquals(decoder.isInsideFrame, true);
  assertEquals(takeAll(decoder, [next.subarray(200)]), [`2 300 ${zlibCrc32(new Uint8Array(300).fill(9))}`]);
});

Deno.test("decoder keeps its large buffer while more stands in it than the small one holds", () => {
  const decoder = new FrameDecoder(crc32);
  const large = frameOf(1, new Uint8Array(100_000).fill(3));
  assertEquals(takeAll(decoder, [large.subarray(0, 50_000)]), []);
  decoder.shrink();
  assert(decoder.room().buffer.byteLength > BODY_BYTES_MAX);
  assertEquals(takeAll(decoder, [large.subarray(50_000)]).length, 1);
});

Deno.test("decoder grows for a message, further for file data, and then takes what was there already", () => {
  const decoder = new FrameDecoder(crc32);
  for (const [bodyBytes, bufferBytes] of [[4_000, 4_096], [5_000, 16_384], [17_000, DATA_BYTES], [10, DATA_BYTES]]) {
    const frame = frameOf(1, new Uint8Array(bodyBytes!).fill(5));
    assertEquals(takeAll(decoder, [frame.subarray(0, 5), frame.subarray(5)]).length, 1);
    assertEquals(decoder.room().buffer.byteLength, bufferBytes);
  }
});

Deno.test("decoder is inside a frame from its first byte to its last", () => {
  const decoder = new FrameDecoder(crc32);
  const frame = frameOf(1, Uint8Array.of(1, 2));
  assertEquals(decoder.isInsideFrame, false);
  for (const byte of frame.subarray(0, -1)) {
    assertEquals(takeAll(decoder, [Uint8Array.of(byte)]), []);
    assertEquals(decoder.isInsideFrame, true);
  }
  assertEquals(takeAll(decoder, [frame.subarray(-1)]).length, 1);
  assertEquals(decoder.isInsideFrame, false);
});

Deno.test("decoder refuses to be pushed more than it has room for", () => {
  const decoder = new FrameDecoder(crc32);
  const large = frameOf(1, new Uint8Array(BODY_BYTES_MAX));
  assertThrowsCode(() => decoder.push(concat(large, large)), "limit");
});

Deno.test("the checksum can be exchanged between two frames", () => {
  const decoder = new FrameDecoder(crc32);
  const calls: number[] = [];
  assertEquals(takeAll(decoder, [frameOf(1, Uint8Array.of(1))]).length, 1);
  decoder.crc32 = (bytes, crc) => {
    calls.push(bytes.length);
    return zlibCrc32(bytes, crc);
  };
  assertEquals(takeAll(decoder, [frameOf(2, Uint8Array.of(1, 2))]).length, 1);
  assertEquals(calls, [FRAME_HEADER_BYTES + 2]);
});

Deno.test("encoder seals the largest body and refuses a larger one", () => {
  const buffer = new Uint8Array(BODY_BYTES_MAX + 1 + OVERHEAD);
  assertEquals(sealFrame(buffer, 0, 1, BODY_BYTES_MAX, crc32).length, BODY_BYTES_MAX + OVERHEAD);
  assertThrows(() => sealFrame(buffer, 0, 1, BODY_BYTES_MAX + 1, crc32), RangeError);
});

Deno.test("encoder seals a frame where it stands, without touching what is around it", () => {
  const writer = new ByteWriter();
  writer.bytes[writer.reserve(1)] = 0x77;
  appendFrame(writer, 3, () => writer.bytes[writer.reserve(1)] = 0x42, crc32);
  assertEquals(writer.written(), concat(Uint8Array.of(0x77), frameOf(3, Uint8Array.of(0x42))));
});
