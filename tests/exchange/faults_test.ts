/**
 * Connections that break off or lie about a bit, at seeded places: what is visible is complete and right, what was
 * interrupted is kept, and no side waits forever.
 */
import { AppError } from "../../protocol/errors.ts";
import { equalBytes } from "../../protocol/exchange/proof.ts";
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import type { ByteStream } from "../../protocol/exchange/byte_stream.ts";
import { assert, assertEquals, assertInstanceOf } from "../support/assert.ts";
import { Random, withSeed } from "../support/random.ts";
import { cutAfter, flipBit, recorded } from "../support/streams.ts";
import { assertEnds, codeOf, type Direction, DIRECTIONS, type Ends, type Job, openWire, transfer } from "./engines.ts";
import { MemoryDraft, MemorySource } from "./memory_files.ts";

const CONTENT = new Random(4).bytes(BLOCK_BYTES + 6_000);
const SHORT = CONTENT.subarray(0, 5_000);

/** Transfers with few bytes on the wire: one that is eager, and one with a proof. */
const JOBS: readonly (readonly [name: string, job: () => Job])[] = [
  ["eager", () => ({ source: new MemorySource(SHORT), draft: new MemoryDraft(), isEager: true })],
  ["resumed", () => ({
    source: new MemorySource(CONTENT),
    draft: new MemoryDraft({ held: CONTENT.slice(0, BLOCK_BYTES) }),
  })],
];

const SIDES = ["clientStream", "serverStream"] as const;
type Side = typeof SIDES[number];

/** Whether the bytes that are written on that side are those of the sender of the file. */
function isSender(side: Side, direction: Direction): boolean {
  return (side === "clientStream") === (direction === "put");
}

async function run(
  direction: Direction,
  side: Side,
  fault: (stream: ByteStream) => ByteStream,
  job: Job,
): Promise<Ends> {
  return await transfer(openWire({ [side]: fault }), direction, job);
}

/** How many bytes that side writes when all goes well. */
async function bytesWritten(direction: Direction, side: Side, job: Job): Promise<number> {
  let count = 0;
  const counting = (stream: ByteStream) => recorded(stream, (bytes) => count += bytes.length);
  assertEnds(await run(direction, side, counting, job), "done");
  return count;
}

/** Some offsets below `count`: the first, the last, and others at random. */
function offsetsBelow(count: number, wanted: number, random: Random): number[] {
  return [0, count - 1, ...Array.from({ length: wanted - 2 }, () => random.below(count))];
}

/** What must hold however a transfer ended: what can be seen is what was sent. */
function assertHonest({ draft, source }: Job, where: string): void {
  if (draft.state === "published") assert(equalBytes(draft.content, source.content), `wrong bytes, ${where}`);
  const ends = draft.calls.filter((call) => call === "publish" || call === "suspend" || call === "discard");
  assertEquals(ends.length, 1, `the draft was ended by ${ends}, ${where}`);
}

for (const direction of DIRECTIONS) {
  for (const [name, make] of JOBS) {
    for (const side of SIDES) {
      const who = isSender(side, direction) ? "sender" : "receiver";

      Deno.test(`${direction}, ${name}, cut anywhere in what the ${who} says: both sides end with an error, nothing half is published`, () =>
        withSeed(async (random) => {
          const total = await bytesWritten(direction, side, make());
          for (const offset of offsetsBelow(total, 25, random)) {
            const job = make();
            const ends = await run(direction, side, (stream) => cutAfter(stream, offset), job);
            const where = `cut at ${offset} of ${total}`;
            assertEquals([codeOf(ends.sent), codeOf(ends.received)], ["lost", "lost"], where);
            if (job.draft.calls.length === 0) {
              assert(offset < total - 1, `no draft, ${where}`);
              continue; // before the offer had come
            }
            assertHonest(job, where);
            if (who === "sender") assertEquals(job.draft.state, "suspended", where);
          }
        }));

      Deno.test(`${direction}, ${name}, a bit flipped anywhere in what the ${who} says: it is found, and nothing wrong is published`, () =>
        withSeed(async (random) => {
          const total = await bytesWritten(direction, side, make());
          for (const offset of offsetsBelow(total, 50, random)) {
            const job = make();
            const ends = await run(direction, side, (stream) => flipBit(stream, offset, random.below(8)), job);
            const where = `flipped at ${offset} of ${total}`;
            const finder = who === "sender" ? ends.received : ends.sent;
            assertInstanceOf(finder, AppError, where);
            assertEquals([finder.code, finder.by], ["damaged", "us"], where);
            if (job.draft.calls.length === 0) {
              assert(offset < total - 1, `no draft, ${where}`);
              continue; // before the offer was read
            }
            assertHonest(job, where);
            if (who === "sender") assertEquals(job.draft.state, "suspended", where);
          }
        }));
    }
  }

  Deno.test(`${direction}: what was kept when the connection was cut is what the next attempt goes on with`, async () => {
    const first = { source: new MemorySource(CONTENT), draft: new MemoryDraft() };
    const side = direction === "put" ? "clientStream" : "serverStream";
    await run(direction, side, (stream) => cutAfter(stream, BLOCK_BYTES + 3_000), first);
    assertEquals(first.draft.state, "suspended");
    assert(first.draft.content.length >= BLOCK_BYTES);

    const second = { source: new MemorySource(CONTENT), draft: new MemoryDraft({ held: first.draft.content }) };
    const ends = await transfer(openWire(), direction, second);
    assertEnds(ends, "done");
    assertEquals((ends.sent as { resumedBytes: number }).resumedBytes, BLOCK_BYTES);
    assert(equalBytes(second.draft.content, CONTENT));
  });
}
