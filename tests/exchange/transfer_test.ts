/** Transfers that go well: sizes, directions, eager and not, streams of unknown size. */
import { AppError } from "../../protocol/errors.ts";
import type { TransferProgress } from "../../protocol/exchange/transfer.ts";
import { BLOCK_BYTES, BODY_BYTES_MAX } from "../../protocol/limits.ts";
import { crc32 } from "../../protocol/wire/crc32.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { Random } from "../support/random.ts";
import { oneByteAtATime } from "../support/streams.ts";
import { assertEnds, assertUsable, DIRECTIONS, openWire, transfer } from "./engines.ts";
import { MemoryDraft, MemorySource } from "./memory_files.ts";

const SIZES: readonly (readonly [name: string, sizeBytes: number])[] = [
  ["an empty file", 0],
  ["one byte", 1],
  ["one frame exactly", BODY_BYTES_MAX],
  ["one frame and a byte", BODY_BYTES_MAX + 1],
  ["one block exactly", BLOCK_BYTES],
  ["three blocks and a bit", 3 * BLOCK_BYTES + 77],
];

for (const direction of DIRECTIONS) {
  for (const isEager of [false, true]) {
    for (const [name, sizeBytes] of SIZES) {
      Deno.test(`${direction}${isEager ? ", eager," : ""} of ${name} publishes exactly that`, async () => {
        const content = new Random(sizeBytes).bytes(sizeBytes);
        const job = { source: new MemorySource(content), draft: new MemoryDraft(), isEager };
        const wire = openWire();
        const ends = await transfer(wire, direction, job);
        const result = { name: "file", sizeBytes, crc: crc32(content), resumedBytes: 0, reusedBytes: 0 };
        assertEquals(ends, { sent: result, received: result });
        assertEquals(job.draft.content, content);
        assertEquals(job.draft.calls, ["startAt 0", ...(sizeBytes > 0 ? ["write"] : []), "publish"]);
        assertEquals([job.source.bytesRead, job.source.disposals], [sizeBytes, 1], "every byte is read once");
        await assertUsable(wire, direction);
      });
    }

    Deno.test(`${direction}${isEager ? ", eager," : ""} of a stream of unknown size ends where the stream ends`, async () => {
      const content = new Random(7).bytes(300_000);
      const job = {
        source: new MemorySource(content, { readMax: 10_000 }),
        draft: new MemoryDraft(),
        isEager,
        offer: { sizeBytes: undefined, mtimeMs: undefined },
      };
      const wire = openWire();
      assertEnds(await transfer(wire, direction, job), "done");
      assertEquals(job.draft.state, "published");
      assertEquals(job.draft.content, content);
      await assertUsable(wire, direction);
    });
  }

  Deno.test(`${direction} of an empty stream of unknown size publishes an empty file`, async () => {
    const job = {
      source: new MemorySource(new Uint8Array()),
      draft: new MemoryDraft(),
      offer: { sizeBytes: undefined },
    };
    assertEnds(await transfer(openWire(), direction, job), "done");
    assertEquals([job.draft.state, job.draft.content.length], ["published", 0]);
  });

  Deno.test(`${direction} keeps to the frames that the peer takes`, async () => {
    const content = new Random(8).bytes(10_000);
    const reads: number[] = [];
    const source = new MemorySource(content, { onRead: (offset) => reads.push(offset) });
    const job = { source, draft: new MemoryDraft() };
    assertEnds(await transfer(openWire({ dataBytesMax: 4_096 }), direction, job), "done");
    assertEquals(reads, [0, 4_096, 8_192, 10_000]); // the last one looks whether the file is longer than it said
    assertEquals(job.draft.content, content);
  });

  Deno.test(`${direction} goes well when every read gives one byte`, async () => {
    const content = new Random(9).bytes(3_000);
    const job = { source: new MemorySource(content), draft: new MemoryDraft() };
    const wire = openWire({ clientStream: oneByteAtATime, serverStream: oneByteAtATime });
    assertEnds(await transfer(wire, direction, job), "done");
    assertEquals(job.draft.content, content);
    await assertUsable(wire, direction);
  });

  Deno.test(`${direction} tells both sides the name that the file got`, async () => {
    const job = { source: new MemorySource(Uint8Array.of(1)), draft: new MemoryDraft({ publishedName: "file (2)" }) };
    const { sent, received } = await transfer(openWire(), direction, job);
    assert(!(sent instanceof AppError) && !(received instanceof AppError));
    assertEquals([sent.name, received.name], ["file (2)", "file (2)"]);
  });
}

Deno.test("progress never goes back, and ends with all of it in both engines", async () => {
  const told: Record<"sending" | "receiving", TransferProgress[]> = { sending: [], receiving: [] };
  const sizeBytes = BODY_BYTES_MAX * 2 + 5;
  let sentBytes: number | undefined;
  await transfer(openWire(), "put", {
    source: new MemorySource(new Random(1).bytes(sizeBytes)),
    draft: new MemoryDraft(),
    sending: { onProgress: (progress) => told.sending.push(progress), onSent: (sent) => sentBytes = sent.sizeBytes },
    receiving: { onProgress: (progress) => told.receiving.push(progress) },
  });
  assertEquals(sentBytes, sizeBytes);
  for (const [side, progress] of Object.entries(told)) {
    const bytes = progress.map((one) => one.bytes);
    assertEquals(bytes, bytes.toSorted((a, b) => a - b), side);
    assertEquals(progress.at(-1), { phase: "flushing", bytes: sizeBytes, sizeBytes }, side);
    assert(progress.filter(({ phase }) => phase === "moving").length >= 3, side);
  }
});

Deno.test("many files go one after the other through one session, in both directions", async () => {
  const wire = openWire();
  for (let index = 0; index < 20; index++) {
    const content = new Random(index).bytes(index * 5_000);
    const job = { source: new MemorySource(content), draft: new MemoryDraft(), isEager: index % 3 === 0 };
    assertEnds(await transfer(wire, DIRECTIONS[index % 2]!, job), "done");
    assertEquals(job.draft.content, content);
  }
});
