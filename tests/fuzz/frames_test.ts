/**
 * What a stranger may send: mutated golden frames and random bytes. The decoder gives messages, or an error of its
 * four, never anything else, and the same for any chunking. Bounded in time, seeded (`SEED=` runs one again).
 */
import { FRAME_HEADER_BYTES, FRAME_TRAILER_BYTES } from "../../protocol/wire/frame.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { type Random, withSeed } from "../support/random.ts";
import { concat, decode, type Decoded, encode, frameOf, randomChunks, singleBytes } from "./decoding.ts";
import { bytesOf, readable, readGoldenMessages } from "./golden.ts";

const DECLARED = ["malformed", "damaged", "limit", "unsupported"];
const TIME_MAX_MS = 450;

const golden = readGoldenMessages().map(({ hex }) => bytesOf(hex));

/** Runs `body` with fresh randomness until the time is over, a hundred times at least. */
function untilTimeIsOver(body: (random: Random) => void): Promise<void> {
  return withSeed((random) => {
    const end = performance.now() + TIME_MAX_MS;
    for (let run = 0; run < 100 || performance.now() < end; run++) body(random);
  });
}

function summary({ messages, skipped, error, isInsideFrame }: Decoded): unknown {
  return { messages: messages.map(readable), skipped, code: error?.code, text: error?.message, isInsideFrame };
}

/** Decodes in three ways, which must agree; what came of it. */
function decodeAllWays(stream: Uint8Array, random: Random): Decoded {
  const whole = decode(stream);
  if (whole.error) assert(DECLARED.includes(whole.error.code), `the code ${whole.error.code}`);
  const expected = summary(whole);
  assertEquals(summary(decode(...singleBytes(stream))), expected, stream.toHex());
  assertEquals(summary(decode(...randomChunks(stream, random, 40))), expected, stream.toHex());
  return whole;
}

/** One small harm: a byte changed, lost, doubled or put in, a piece swapped with another, the end cut off. */
function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.below(bytes.length + 1);
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (random.below(6)) {
    case 0:
      return concat(before, Uint8Array.of(random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)])), after.subarray(1));
    case 1:
      return concat(before, after.subarray(1 + random.below(4)));
    case 2:
      return concat(before, after.subarray(0, 8), after);
    case 3:
      return concat(before, random.bytes(1 + random.below(8)), after);
    case 4:
      return concat(after, before);
    default:
      return before;
  }
}

Deno.test("mutated frames decode to messages or a declared error, the same for any chunking", async () => {
  const seen = new Set<string>();
  await untilTimeIsOver((random) => {
    let stream: Uint8Array = concat(...Array.from({ length: 1 + random.below(4) }, () => random.pick(golden)));
    for (let count = 1 + random.below(3); count > 0; count--) stream = mutated(stream, random);
    seen.add(decodeAllWays(stream, random).error?.code ?? "none");
  });
  assert(seen.has("damaged") && seen.has("none"), `only ${[...seen]} came of it: the mutations are of no use`);
});

Deno.test("mutated bodies in sound frames decode to messages or a declared error, and messages encode again", async () => {
  const seen = new Set<string>();
  await untilTimeIsOver((random) => {
    const frame = random.pick(golden);
    let body = frame.subarray(FRAME_HEADER_BYTES, frame.length - FRAME_TRAILER_BYTES);
    for (let count = random.below(4); count > 0; count--) body = mutated(body, random);
    const type = random.below(10) > 0 ? frame[3]! : random.below(256);
    const decoded = decodeAllWays(frameOf(type, body), random);
    seen.add(decoded.error?.code ?? (decoded.skipped ? "skipped" : "none"));
    assertEquals(decoded.messages.length + decoded.skipped + (decoded.error ? 1 : 0), 1, "a frame is one thing");
    for (const message of decoded.messages) {
      const again = encode(message);
      assertEquals(decode(again).messages, [message]);
      // Every value has one encoding: only fields that were passed over can make a difference.
      if (again.length === frameOf(type, body).length) assertEquals(again, frameOf(type, body));
    }
  });
  for (const outcome of ["malformed", "unsupported", "none"]) {
    assert(seen.has(outcome), `only ${[...seen]} came of it: the mutations are of no use`);
  }
});

Deno.test("random bytes decode to nothing or a declared error, the same for any chunking", () =>
  untilTimeIsOver((random) => {
    const decoded = decodeAllWays(random.bytes(random.below(300)), random);
    assertEquals(decoded.messages, []);
  }));

Deno.test("random lengths behind a sound header stay within the limit", () =>
  untilTimeIsOver((random) => {
    const header = random.bytes(4);
    const check = header.reduce((sum, byte) => sum ^ byte, 0xa5);
    const decoded = decodeAllWays(concat(header, Uint8Array.of(check), random.bytes(random.below(60))), random);
    const bodyBytes = header[0]! << 16 | header[1]! << 8 | header[2]!;
    if (bodyBytes > 262_144) assertEquals(decoded.error?.code, "limit");
    else if (bodyBytes > 60) assertEquals([decoded.error, decoded.isInsideFrame], [undefined, true]);
  }));
