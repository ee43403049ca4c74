/** Replacing a file: what did not change in it is not sent, and whoever lies about that publishes nothing wrong. */
import { AppError } from "../../protocol/errors.ts";
import { loadBlockDigest } from "../../protocol/exchange/checksum.ts";
import { OldBlocks, ToldBlocks } from "../../protocol/exchange/comparison.ts";
import { equalBytes } from "../../protocol/exchange/proof.ts";
import { BLOCK_BYTES, COMPARED_AHEAD_MAX } from "../../protocol/limits.ts";
import { crc32 } from "../../protocol/wire/crc32.ts";
import { assert, assertEquals, assertThrowsCode } from "../support/assert.ts";
import { Random } from "../support/random.ts";
import { cutAfter } from "../support/streams.ts";
import {
  assertEnds,
  assertUsable,
  type Direction,
  DIRECTIONS,
  openWire,
  transfer,
  type WireOptions,
} from "./engines.ts";
import { type DraftOptions, MemoryDraft, MemorySource, type SourceOptions } from "./memory_files.ts";

const random = new Random(1);
const OLD = random.bytes(6 * BLOCK_BYTES + 1_000);

/** `OLD` with one bit changed at each of the offsets. */
function oldWith(...changedAt: readonly number[]): Uint8Array {
  const content = OLD.slice();
  for (const offset of changedAt) content[offset]! ^= 1;
  return content;
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  pieces.reduce((at, piece) => (all.set(piece, at), at + piece.length), 0);
  return all;
}

interface Replace {
  readonly content: Uint8Array;
  readonly draft?: Omit<DraftOptions, "old"> & { readonly old?: Uint8Array | undefined };
  readonly source?: SourceOptions;
  readonly compares?: boolean;
  readonly wire?: WireOptions;
}

/** Replaces `OLD` by `content`; how many blocks were reused, and how many resumed. */
async function replace(
  direction: Direction,
  { content, draft = {}, source, compares = true, wire = {} }: Replace,
): Promise<{ reused: number; resumed: number }> {
  const between = openWire(wire);
  const job = {
    source: new MemorySource(content, source),
    draft: new MemoryDraft({ old: OLD, ...draft } as DraftOptions),
    offer: { compares },
  };
  const ends = await transfer(between, direction, job);
  assertEnds(ends, "done");
  assert(equalBytes(job.draft.content, content), "what is published is not the source");
  assertEquals(job.draft.state, "published");
  assertEquals(ends.sent, ends.received);
  assert(!(ends.sent instanceof AppError));
  const { crc, reusedBytes, resumedBytes, sizeBytes } = ends.sent;
  assertEquals([crc, sizeBytes], [crc32(content), content.length]);
  const sender = direction === "put" ? between.client : between.server;
  assertEquals(sender.dataBytesMoved, content.length - reusedBytes - resumedBytes, "all else was sent, once");
  assertEquals(sender.dataBytesReused, reusedBytes);
  await assertUsable(between, direction);
  return { reused: reusedBytes / BLOCK_BYTES, resumed: resumedBytes / BLOCK_BYTES };
}

const CASES: readonly (readonly [name: string, content: Uint8Array, reused: number])[] = [
  ["as it is", OLD, 6],
  ["with one block changed in the middle", oldWith(3 * BLOCK_BYTES + 5), 5],
  ["with two blocks changed at the border between them", oldWith(3 * BLOCK_BYTES - 1, 3 * BLOCK_BYTES), 4],
  ["with several runs of changed blocks", oldWith(BLOCK_BYTES, 2 * BLOCK_BYTES, 4 * BLOCK_BYTES), 3],
  ["with the first block changed", oldWith(0), 5],
  ["with the last whole block changed", oldWith(6 * BLOCK_BYTES - 1), 5],
  ["with a change behind the last whole block", oldWith(OLD.length - 1), 6],
  ["grown", concat([OLD, random.bytes(2 * BLOCK_BYTES + 7)]), 6],
  ["grown by one byte", concat([OLD, Uint8Array.of(1)]), 6],
  ["shrunk", OLD.subarray(0, 4 * BLOCK_BYTES + 5), 4],
  ["shrunk to whole blocks", OLD.subarray(0, 5 * BLOCK_BYTES), 5],
  ["shrunk to less than is worth it", OLD.subarray(0, 3 * BLOCK_BYTES + 5), 0],
  ["with one byte inserted at the front", concat([Uint8Array.of(1), OLD]), 0],
  [
    "with one byte inserted in the middle",
    concat([OLD.subarray(0, 2 * BLOCK_BYTES + 9), Uint8Array.of(1), OLD.subarray(2 * BLOCK_BYTES + 9)]),
    2,
  ],
  ["by quite another file", random.bytes(OLD.length), 0],
];

for (const direction of DIRECTIONS) {
  for (const [name, content, reused] of CASES) {
    Deno.test(`${direction} replaces a file ${name}, and takes ${reused} blocks from the old one`, async () => {
      assertEquals(await replace(direction, { content }), { reused, resumed: 0 });
    });
  }

  Deno.test(`${direction} takes blocks from the old file whatever the size of frames and reads`, async () => {
    const content = oldWith(0, 3 * BLOCK_BYTES + 5);
    for (const other of [{ wire: { dataBytesMax: 100_003 } }, { source: { readMax: 99_991 } }]) {
      assertEquals(await replace(direction, { content, ...other }), { reused: 4, resumed: 0 });
    }
  });

  Deno.test(`${direction} sends all where the old file is not worth it, or one of the two cannot compare`, async () => {
    const few = OLD.subarray(0, 4 * BLOCK_BYTES - 1);
    for (
      const other of [{ compares: false }, { draft: { old: undefined } }, { draft: { old: few } }] as Partial<Replace>[]
    ) {
      assertEquals(await replace(direction, { content: OLD, ...other }), { reused: 0, resumed: 0 });
    }
    const enough = { draft: { old: OLD.subarray(0, 4 * BLOCK_BYTES) } };
    assertEquals(await replace(direction, { content: OLD, ...enough }), { reused: 4, resumed: 0 });
  });

  Deno.test(`${direction} goes on with a partial, and takes the blocks behind it from the old file`, async () => {
    const content = oldWith(BLOCK_BYTES, 4 * BLOCK_BYTES);
    const held = content.slice(0, 2 * BLOCK_BYTES + 700);
    assertEquals(await replace(direction, { content, draft: { held } }), { reused: 3, resumed: 2 });
    held[BLOCK_BYTES]! ^= 2;
    assertEquals(await replace(direction, { content, draft: { held } }), { reused: 3, resumed: 1 });
    const more = content.slice(0, 6 * BLOCK_BYTES);
    assertEquals(await replace(direction, { content, draft: { held: more } }), { reused: 0, resumed: 6 });
  });

  Deno.test(`${direction} that is cut while blocks are compared keeps what came, and ends the next time`, async () => {
    const content = oldWith(2 * BLOCK_BYTES);
    const cut = (stream: Parameters<typeof cutAfter>[0]) => cutAfter(stream, 3 * BLOCK_BYTES / 2);
    const wire = openWire(direction === "put" ? { clientStream: cut } : { serverStream: cut });
    const changed = oldWith(2 * BLOCK_BYTES, 4 * BLOCK_BYTES);
    const job = { source: new MemorySource(changed), draft: new MemoryDraft({ old: OLD }), offer: { compares: true } };
    assertEnds(await transfer(wire, direction, job), "lost");
    assertEquals(job.draft.state, "suspended");
    const held = job.draft.content;
    assert(equalBytes(held, changed.subarray(0, held.length)) && held.length > 4 * BLOCK_BYTES, String(held.length));
    assertEquals(await replace(direction, { content: changed, draft: { held } }), { reused: 1, resumed: 4 });
    assertEquals(await replace(direction, { content, draft: { held } }), { reused: 2, resumed: 4 });
  });
}

/** How many of `count` blocks are told when `isSame` says of each whether the sender has it, and answers at once. */
async function countTold(count: number, isSame: (block: number) => boolean): Promise<{ told: number; reused: number }> {
  const zeros = { readAt: (_offset: number, into: Uint8Array) => into.length };
  const old = new OldBlocks(zeros, await loadBlockDigest(), 0, count);
  const peer = new ToldBlocks(0, count);
  let [told, reused] = [0, 0];
  for (let block = 0; block < count; block++) {
    while (!peer.knows(block)) {
      const message = await old.next(block * BLOCK_BYTES);
      assert(message, `nothing is told of block ${block}, and the sender waits for it`);
      peer.add(message);
      told++;
    }
    if (!peer.take(block) || !isSame(block)) continue;
    for await (const _block of old.take(block * BLOCK_BYTES, { type: "same", blocks: 1 })) reused++;
  }
  assertEquals(await old.next(count * BLOCK_BYTES), undefined);
  return { told, reused };
}

Deno.test("receiver compares a handful of the blocks of quite another file, and all blocks of the same one", async () => {
  const { told, reused } = await countTold(1_000, () => false);
  assert(told < 20 && reused === 0, String(told));
  assertEquals(await countTold(300, () => true), { told: 300, reused: 300 });
});

Deno.test("receiver finds what is the same behind what differs, and loses at most half as much", async () => {
  const { told, reused } = await countTold(400, (block) => block >= 100);
  assert(reused >= 250 && told >= reused, String(reused));
  const gaps = await countTold(100, (block) => block % 10 !== 3);
  assertEquals(gaps, { told: 100, reused: 90 });
});

Deno.test("receiver tells few blocks ahead until one is the same, then more", async () => {
  const zeros = { readAt: (_offset: number, into: Uint8Array) => into.length };
  const old = new OldBlocks(zeros, await loadBlockDigest(), 2, 100);
  const tellAll = async (offset: number) => {
    let count = 0;
    while (await old.next(offset)) count++;
    return count;
  };
  assertEquals(await tellAll(2 * BLOCK_BYTES), 4);
  for await (const _block of old.take(2 * BLOCK_BYTES, { type: "same", blocks: 1 }));
  assertEquals(await tellAll(3 * BLOCK_BYTES), 61);
});

Deno.test("sender takes what is told of blocks up to the number that was said, and not too much of it at once", () => {
  const digests = new Uint8Array(16);
  const told = new ToldBlocks(3, 10);
  told.add({ type: "compare", skipped: 2, digests });
  assertEquals([told.knows(5), told.take(4), told.take(5), told.take(5), told.knows(6)], [
    true,
    undefined,
    digests,
    undefined,
    false,
  ]);
  assertEquals([told.concerns(9), told.concerns(10)], [true, false]);
  assertThrowsCode(() => told.add({ type: "compare", digests: new Uint8Array(0) }), "malformed");
  assertThrowsCode(() => told.add({ type: "compare", digests: new Uint8Array(17) }), "malformed");
  assertThrowsCode(() => told.add({ type: "compare", digests: new Uint8Array(5 * 16) }), "order");
  assertThrowsCode(() => told.add({ type: "compare", skipped: 4, digests }), "order");
  told.add({ type: "compare", skipped: 3, digests });
  const many = new ToldBlocks(0, 2 * COMPARED_AHEAD_MAX);
  many.add({ type: "compare", digests: new Uint8Array(COMPARED_AHEAD_MAX * 16) });
  assertThrowsCode(() => many.add({ type: "compare", digests }), "limit");
});
