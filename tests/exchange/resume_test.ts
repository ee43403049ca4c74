/** Going on with what an earlier attempt left: all, some or none of it belongs to the source. */
import { AppError } from "../../protocol/errors.ts";
import { equalBytes, splitDigests } from "../../protocol/exchange/proof.ts";
import { receiveFile } from "../../protocol/exchange/receiver.ts";
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import { crc32 } from "../../protocol/wire/crc32.ts";
import { assert, assertEquals, assertRejectsCode, assertThrowsCode } from "../support/assert.ts";
import { Random } from "../support/random.ts";
import { assertEnds, assertUsable, type Direction, DIRECTIONS, type End, openWire, transfer } from "./engines.ts";
import { MemoryDraft, MemorySource } from "./memory_files.ts";
import { openRaw } from "./raw_peer.ts";

const CONTENT = new Random(1).bytes(3 * BLOCK_BYTES + 1_000);

function heldWith(blocks: number, ...wrongAt: readonly number[]): Uint8Array {
  const held = CONTENT.slice(0, blocks * BLOCK_BYTES);
  for (const offset of wrongAt) held[offset]! ^= 1;
  return held;
}

function resumedBytes(end: End): number {
  assert(!(end instanceof AppError), String(end));
  return end.resumedBytes;
}

async function resume(direction: Direction, held: Uint8Array, content = CONTENT): Promise<number> {
  const job = { source: new MemorySource(content), draft: new MemoryDraft({ held }) };
  const wire = openWire();
  const ends = await transfer(wire, direction, job);
  assertEnds(ends, "done");
  assert(equalBytes(job.draft.content, content), "what is published is not the source");
  assertEquals(job.draft.state, "published");
  const start = resumedBytes(ends.sent);
  assertEquals(resumedBytes(ends.received), start);
  assertEquals(job.draft.calls[0], `startAt ${start}`);
  for (const end of Object.values(ends)) assertEquals((end as { crc: number }).crc, crc32(content));
  await assertUsable(wire, direction);
  return start;
}

for (const direction of DIRECTIONS) {
  Deno.test(`${direction} goes on behind all held blocks when they are the source's`, async () => {
    assertEquals(await resume(direction, heldWith(3)), 3 * BLOCK_BYTES);
  });

  Deno.test(`${direction} goes on at the first held block that differs`, async () => {
    assertEquals(await resume(direction, heldWith(3, 2 * BLOCK_BYTES)), 2 * BLOCK_BYTES);
    assertEquals(await resume(direction, heldWith(3, 2 * BLOCK_BYTES - 1)), BLOCK_BYTES);
    assertEquals(await resume(direction, heldWith(2, BLOCK_BYTES + 500)), BLOCK_BYTES);
  });

  Deno.test(`${direction} starts anew when no held block is the source's, or only a later one`, async () => {
    assertEquals(await resume(direction, heldWith(3, 0, BLOCK_BYTES, 2 * BLOCK_BYTES)), 0);
    assertEquals(await resume(direction, heldWith(3, BLOCK_BYTES - 1)), 0);
    assertEquals(await resume(direction, new Uint8Array(2 * BLOCK_BYTES)), 0);
  });

  Deno.test(`${direction} of a file of whole blocks that are all held sends no data`, async () => {
    assertEquals(await resume(direction, heldWith(2), CONTENT.subarray(0, 2 * BLOCK_BYTES)), 2 * BLOCK_BYTES);
  });

  Deno.test(`${direction} proves blocks of a source that reads in small pieces`, async () => {
    const job = {
      source: new MemorySource(CONTENT, { readMax: 100_003 }),
      draft: new MemoryDraft({ held: heldWith(2) }),
    };
    const ends = await transfer(openWire(), direction, job);
    assertEquals(resumedBytes(ends.sent), 2 * BLOCK_BYTES);
    assert(equalBytes(job.draft.content, CONTENT));
  });

  Deno.test(`${direction}, eager, takes nothing of what is held`, async () => {
    const job = { source: new MemorySource(CONTENT), draft: new MemoryDraft({ held: heldWith(3) }), isEager: true };
    const ends = await transfer(openWire(), direction, job);
    assertEquals([resumedBytes(ends.sent), resumedBytes(ends.received)], [0, 0]);
    assert(equalBytes(job.draft.content, CONTENT));
  });

  Deno.test(`${direction} with blocks for more than one message of digests goes on behind all of them`, async () => {
    const content = new Uint8Array(18 * BLOCK_BYTES + 1).fill(5);
    const wrong = content.slice(0, 18 * BLOCK_BYTES);
    wrong[17 * BLOCK_BYTES + 3]! ^= 1;
    assertEquals(await resume(direction, wrong, content), 17 * BLOCK_BYTES);
  });
}

Deno.test("receiver tells that an earlier attempt was thrown away, and only then", async () => {
  for (const restarted of [true, false]) {
    let told = 0;
    const job = {
      source: new MemorySource(Uint8Array.of(1)),
      draft: new MemoryDraft({ restarted }),
      receiving: { onRestart: () => told++ },
    };
    assertEnds(await transfer(openWire(), "get", job), "done");
    assertEquals(told, restarted ? 1 : 0);
  }
});

for (
  const [name, blocks, offset] of [
    ["behind what is held", 2, 3 * BLOCK_BYTES],
    ["inside a block", 2, BLOCK_BYTES + 1],
    ["behind nothing", 0, 1],
    ["at a block of a file that is not held", 0, BLOCK_BYTES],
  ] as const
) {
  Deno.test(`receiver refuses a sender that would go on ${name}`, async () => {
    const { session, peer } = openRaw();
    const draft = new MemoryDraft({ held: heldWith(blocks) });
    const offer = { type: "offer", name: "file", sizeBytes: CONTENT.length } as const;
    const receiving = receiveFile(session, offer, () => Promise.resolve(draft));
    assertEquals(await peer.expect("accept"), { type: "accept", blocks });
    if (blocks > 0) await peer.expect("digests");
    await peer.send({ type: "from", offset });
    await assertRejectsCode(() => receiving, "order");
    assertEquals(draft.calls, ["suspend"]);
  });
}

Deno.test("digests of any whole number are split, and nothing else is", () => {
  const bytes = new Random(3).bytes(48);
  assertEquals(splitDigests(bytes), [bytes.subarray(0, 16), bytes.subarray(16, 32), bytes.subarray(32)]);
  for (const length of [0, 1, 15, 17, 47]) assertThrowsCode(() => splitDigests(bytes.subarray(0, length)), "malformed");
});
