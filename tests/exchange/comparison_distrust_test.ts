/** Peers that lie about the blocks of a file that is replaced: nothing wrong is published, and the error says why. */
import { loadBlockDigest } from "../../protocol/exchange/checksum.ts";
import { equalBytes } from "../../protocol/exchange/proof.ts";
import { receiveFile } from "../../protocol/exchange/receiver.ts";
import { sendFile } from "../../protocol/exchange/sender.ts";
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import { crc32 } from "../../protocol/wire/crc32.ts";
import type { Message, MessageOf } from "../../protocol/wire/messages/mod.ts";
import { assert, assertEquals, assertRejectsCode } from "../support/assert.ts";
import { Random } from "../support/random.ts";
import { outgoing } from "./engines.ts";
import { MemoryDraft, MemorySource } from "./memory_files.ts";
import { openRaw, type RawPeer } from "./raw_peer.ts";

const OLD = new Random(1).bytes(4 * BLOCK_BYTES);
const FROM: Message = { type: "from", offset: 0 };
const BLOCK_OF_DATA: readonly Message[] = Array.from({ length: 4 }, (_, index) => {
  return { type: "data", bytes: OLD.subarray(index * BLOCK_BYTES / 4, (index + 1) * BLOCK_BYTES / 4) };
});

function same(blocks: number): Message {
  return { type: "same", blocks };
}

function end(content: Uint8Array): Message {
  return { type: "end", sizeBytes: content.length, crc: crc32(content) };
}

/** A receiver that replaces `OLD` by a file of that size, until it has told of its blocks. */
async function receive({ sizeBytes = OLD.length, old = OLD, compares = true } = {}) {
  const { session, peer } = openRaw();
  const draft = new MemoryDraft({ old });
  const offer: MessageOf<"offer"> = { type: "offer", name: "file", sizeBytes, compares };
  const receiving = receiveFile(session, offer, () => Promise.resolve(draft));
  const accept = await peer.expect("accept");
  for (let told = 0; told < (accept.oldBlocks ?? 0); told++) await peer.expect("compare");
  return { session, peer, draft, receiving, accept };
}

Deno.test("receiver takes from the old file what an honest sender says is the same, however it says so", async () => {
  const ways: readonly (readonly Message[])[] = [
    [same(4)],
    [same(1), same(1), same(2)],
    [...BLOCK_OF_DATA, same(3)],
  ];
  for (const messages of ways) {
    const { session, peer, draft, receiving, accept } = await receive();
    assertEquals(accept.oldBlocks, 4);
    await peer.send(FROM, ...messages, end(OLD));
    assertEquals((await receiving).crc, crc32(OLD));
    await session.flush();
    assertEquals((await peer.expect("stored")).sizeBytes, OLD.length);
    assert(draft.state === "published" && equalBytes(draft.content, OLD));
  }
});

for (
  const [name, messages] of [
    ["of more blocks than the old file has", [same(5)]],
    ["of no block", [same(0)]],
    ["of very many blocks", [same(2 ** 53 - 1)]],
    ["in the middle of a block", [BLOCK_OF_DATA[0]!, same(1)]],
    ["of blocks that it has sent", [same(4), same(1)]],
  ] as const
) {
  Deno.test(`receiver refuses a sender that says "same" ${name}`, async () => {
    const { peer, draft, receiving } = await receive();
    await peer.send(FROM, ...messages);
    await assertRejectsCode(() => receiving, "order");
    assertEquals([draft.state, draft.calls.includes("publish")], ["suspended", false]);
  });
}

Deno.test('receiver refuses "same" where nothing is compared', async () => {
  const few = OLD.subarray(0, 2 * BLOCK_BYTES);
  for (const other of [{ compares: false }, { old: few }, { sizeBytes: few.length }]) {
    const { peer, draft, receiving, accept } = await receive(other);
    assertEquals(accept, { type: "accept", blocks: 0 });
    await peer.send(FROM, same(1));
    await assertRejectsCode(() => receiving, "order");
    assertEquals(draft.calls.includes("publish"), false);
  }
});

Deno.test('receiver refuses "same" of a block that it did not compare', async () => {
  const { session, peer } = openRaw();
  const draft = new MemoryDraft({ old: new Random(2).bytes(20 * BLOCK_BYTES) });
  const offer: MessageOf<"offer"> = { type: "offer", name: "file", sizeBytes: 20 * BLOCK_BYTES, compares: true };
  const receiving = receiveFile(session, offer, () => Promise.resolve(draft));
  await peer.expect("accept");
  await peer.send(FROM, same(5)); // 4 are told ahead
  await assertRejectsCode(() => receiving, "order");
});

for (
  const [name, messages, sizeBytes] of [
    ["ends with another checksum", [same(4), { ...end(OLD), crc: 1 }], OLD.length],
    ["sends less than it offered", [same(3), end(OLD.subarray(0, 3 * BLOCK_BYTES))], OLD.length],
    ["sends more than it offered", [same(4), { type: "data", bytes: Uint8Array.of(1) }, end(OLD)], OLD.length],
    ["sends more than the data that was missing", [same(4), ...BLOCK_OF_DATA, end(OLD)], OLD.length + 1],
  ] as const
) {
  Deno.test(`receiver publishes nothing of a sender that reuses blocks and ${name}`, async () => {
    const { peer, draft, receiving } = await receive({ sizeBytes });
    await peer.send(FROM, ...messages as readonly Message[]);
    await assertRejectsCode(() => receiving, "mismatch");
    assertEquals([draft.state, draft.calls.includes("publish")], ["discarded", false]);
  });
}

Deno.test("receiver publishes nothing when the old file changes, or becomes shorter, after it was compared", async () => {
  for (const change of ["none", "another byte", "shorter"]) {
    const content = new Random(2).bytes(20 * BLOCK_BYTES);
    const finish = end(content);
    const draft = new MemoryDraft({ old: content });
    const { session, peer } = openRaw();
    const offer: MessageOf<"offer"> = { type: "offer", name: "file", sizeBytes: content.length, compares: true };
    const receiving = receiveFile(session, offer, () => Promise.resolve(draft));
    await peer.expect("accept");
    await peer.send(FROM, same(1));
    for (let told = 0; told < 20; told++) await peer.expect("compare"); // the first are not in memory any more
    if (change === "another byte") content[5 * BLOCK_BYTES]! ^= 1;
    if (change === "shorter") draft.old!.readAt = () => 0;
    await peer.send(same(19), finish);
    if (change === "none") await receiving;
    else await assertRejectsCode(() => receiving, "mismatch");
    assertEquals(draft.state, change === "none" ? "published" : "discarded", change);
  }
});

/** A sender of `OLD` that compares, or not, until it waits for an `accept`. */
async function send(compares = true) {
  const { session, peer } = openRaw();
  const job = { source: new MemorySource(OLD), draft: new MemoryDraft(), offer: { compares } };
  const sending = sendFile(session, () => outgoing(job));
  await peer.expect("offer");
  return { session, peer, sending };
}

async function digestOf(block: number): Promise<Uint8Array> {
  return (await loadBlockDigest())(OLD.subarray(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES)).slice();
}

async function untilEnd(peer: RawPeer): Promise<{ said: string[]; dataBytes: number }> {
  const said: string[] = [];
  let dataBytes = 0;
  for (;;) {
    const message = await peer.receive();
    assert(message, "the session ended too early");
    if (message.type === "data") dataBytes += message.bytes.length;
    else said.push(message.type);
    if (message.type === "end") return { said, dataBytes };
  }
}

Deno.test("sender leaves out the blocks that it has in the same place, and sends what is skipped or another", async () => {
  const { peer, sending } = await send();
  const digests = await digestOf(3);
  await peer.send(
    { type: "accept", blocks: 0, oldBlocks: 4 },
    { type: "compare", digests: await digestOf(0) },
    { type: "compare", skipped: 1, digests: await digestOf(1) },
    { type: "compare", digests },
  );
  assertEquals(await untilEnd(peer), { said: ["from", "same", "same", "end"], dataBytes: 2 * BLOCK_BYTES });
  await peer.send({ type: "stored", sizeBytes: OLD.length, crc: crc32(OLD) });
  assertEquals((await sending).reusedBytes, 2 * BLOCK_BYTES);
});

Deno.test("sender does not believe a receiver that told digests of blocks that it does not have", async () => {
  const { peer, sending } = await send();
  const failing = assertRejectsCode(() => sending, "mismatch");
  await peer.send({ type: "accept", blocks: 0, oldBlocks: 4 });
  for (let block = 0; block < 4; block++) await peer.send({ type: "compare", digests: await digestOf(block) });
  assertEquals((await untilEnd(peer)).dataBytes, 0);
  await peer.send({ type: "stored", sizeBytes: OLD.length, crc: 5 });
  await failing;
});

const DIGEST = new Uint8Array(16);
for (
  const [name, code, compares, answers] of [
    ["compares more blocks than the file has", "order", true, [{ type: "accept", blocks: 0, oldBlocks: 5 }]],
    ["compares what cannot be left out", "order", false, [{ type: "accept", blocks: 0, oldBlocks: 4 }]],
    ["tells of blocks that it did not say it would", "order", true, [
      { type: "accept", blocks: 0 },
      { type: "compare", digests: DIGEST },
    ]],
    ["tells of more blocks than it said", "order", true, [
      { type: "accept", blocks: 0, oldBlocks: 4 },
      { type: "compare", skipped: 4, digests: DIGEST },
    ]],
    ["tells half a digest", "malformed", true, [
      { type: "accept", blocks: 0, oldBlocks: 4 },
      { type: "compare", digests: DIGEST.subarray(8) },
    ]],
    ["compares before it has told what it holds", "order", true, [
      { type: "accept", blocks: 1, oldBlocks: 4 },
      { type: "compare", digests: DIGEST },
    ]],
    ["stores the file before it has all of it", "order", true, [
      { type: "accept", blocks: 0, oldBlocks: 4 },
      { type: "stored", sizeBytes: OLD.length, crc: crc32(OLD) },
    ]],
  ] as const satisfies readonly (readonly [string, string, boolean, readonly Message[]])[]
) {
  Deno.test(`sender ends with "${code}" when the receiver ${name}`, async () => {
    const { peer, sending } = await send(compares);
    const failing = assertRejectsCode(() => sending, code);
    await peer.send(...answers);
    await failing;
  });
}
