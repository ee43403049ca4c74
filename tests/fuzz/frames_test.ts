/**
 * Mutated golden frames and recorded sessions, and random bytes: the decoder gives messages, or an error of its four,
 * never anything else, and the same for any chunking. Bodies are harmed behind sound checksums, too.
 */
import { FRAME_HEADER_BYTES, FRAME_TRAILER_BYTES } from "../../protocol/wire/frame.ts";
import { assert, assertEquals } from "../support/assert.ts";
import type { Random } from "../support/random.ts";
import { concat, decode, type Decoded, encode, frameOf, randomChunks, singleBytes } from "../wire/decoding.ts";
import { bytesOf, readable, readGoldenMessages } from "../wire/golden.ts";
import { type Bytes, isFrame, mutateBytes, mutateFields, mutateUnits } from "./mutations.ts";
import { assertReached, playRounds } from "./rounds.ts";
import { readSession, sessionNames } from "./transcripts.ts";

const DECLARED = ["malformed", "damaged", "limit", "unsupported"];

const golden = readGoldenMessages().map(({ hex }) => bytesOf(hex).slice());
const recorded = sessionNames().flatMap((name) =>
  (["client", "server"] as const).map((side) =>
    readSession(name).filter((unit) => unit.side === side && isFrame(unit.bytes)).map(({ bytes }) => bytes)
  )
).filter((frames) => frames.length > 0);
const streams: readonly (readonly Bytes[])[] = [...recorded, golden];

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

function outcomeOf({ error, skipped }: Decoded): string {
  return error?.code ?? (skipped > 0 ? "skipped" : "none");
}

Deno.test("mutated streams decode to messages or a declared error, the same for any chunking", async () => {
  const outcomes = await playRounds({
    name: "streams",
    rounds: 12_000,
    play({ random, describe }) {
      const stream = concat(...mutateUnits(random.pick(streams).slice(-8), streams, random));
      describe(stream.toHex());
      return outcomeOf(decodeAllWays(stream, random));
    },
  });
  assertReached(outcomes, ["damaged", "malformed", "unsupported", "limit", "none"]);
});

Deno.test("mutated bodies in sound frames are one thing each, and messages encode again", async () => {
  const outcomes = await playRounds({
    name: "bodies",
    rounds: 20_000,
    play({ random, describe }) {
      const frame = random.pick(random.pick(streams));
      let body: Bytes = frame.slice(FRAME_HEADER_BYTES, frame.length - FRAME_TRAILER_BYTES);
      for (let count = random.below(4); count > 0; count--) {
        body = random.below(2) === 0 ? mutateBytes(body, random) : mutateFields(body, random);
      }
      const type = random.below(10) > 0 ? frame[3]! : random.below(256);
      const bytes = frameOf(type, body);
      describe(bytes.toHex());
      const decoded = decodeAllWays(bytes, random);
      assertEquals(decoded.messages.length + decoded.skipped + (decoded.error ? 1 : 0), 1, "a frame is one thing");
      for (const message of decoded.messages) {
        const again = encode(message);
        assertEquals(decode(again).messages, [message]);
        // Every value has one encoding: only fields that were passed over can make a difference.
        if (again.length === bytes.length) assertEquals(again, bytes);
      }
      return outcomeOf(decoded);
    },
  });
  assertReached(outcomes, ["malformed", "unsupported", "skipped", "none"]);
});

Deno.test("every beginning of every recorded stream decodes to some of its messages, and no error", () => {
  for (const frames of recorded) {
    const stream = concat(...frames);
    const all = decode(stream).messages.length;
    for (let length = 0; length <= Math.min(stream.length, 2_000); length++) {
      const { messages, error } = decode(stream.subarray(0, length));
      assert(!error && messages.length <= all, `${length} bytes: ${error?.message}`);
    }
  }
});

Deno.test("random bytes decode to nothing or a declared error, the same for any chunking", async () => {
  await playRounds({
    name: "noise",
    rounds: 4_000,
    play({ random }) {
      const decoded = decodeAllWays(random.bytes(random.below(300)), random);
      assertEquals(decoded.messages, []);
      return outcomeOf(decoded);
    },
  });
});

Deno.test("random lengths behind a sound header stay within the limit", async () => {
  const outcomes = await playRounds({
    name: "lengths",
    rounds: 4_000,
    play({ random }) {
      const header = random.bytes(4);
      header[0]! &= random.pick([0xff, 7, 0]);
      const check = header.reduce((sum, byte) => sum ^ byte, 0xa5);
      const decoded = decodeAllWays(concat(header, Uint8Array.of(check), random.bytes(random.below(60))), random);
      const bodyBytes = header[0]! << 16 | header[1]! << 8 | header[2]!;
      if (bodyBytes > 262_144) assertEquals(decoded.error?.code, "limit");
      else if (bodyBytes > 60) assertEquals([decoded.error, decoded.isInsideFrame], [undefined, true]);
      return outcomeOf(decoded);
    },
  });
  assertReached(outcomes, ["limit", "none"]);
});
