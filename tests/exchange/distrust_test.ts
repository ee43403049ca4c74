/** Peers that lie or speak out of turn: nothing wrong is published, and the error says what they did. */
import { type AppError, ERRORS } from "../../protocol/errors.ts";
import { receiveFile } from "../../protocol/exchange/receiver.ts";
import { sendFile } from "../../protocol/exchange/sender.ts";
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import { crc32 } from "../../protocol/wire/crc32.ts";
import type { Message, MessageOf } from "../../protocol/wire/messages/mod.ts";
import { assertEquals, assertRejectsCode } from "../support/assert.ts";
import { outgoing } from "./engines.ts";
import { MemoryDraft, MemorySource } from "./memory_files.ts";
import { openRaw } from "./raw_peer.ts";

const HELLO = new TextEncoder().encode("hello");
const CRC = crc32(HELLO);
const DATA: Message = { type: "data", bytes: HELLO };
const END: Message = { type: "end", sizeBytes: 5, crc: CRC };

interface Lie {
  readonly name: string;
  readonly sizeBytes?: number;
  readonly messages: readonly Message[];
}

for (
  const { name, sizeBytes, messages } of [
    { name: "ends with another checksum", sizeBytes: 5, messages: [DATA, { ...END, crc: CRC ^ 1 }] },
    { name: "ends with another size", sizeBytes: 5, messages: [DATA, { ...END, sizeBytes: 6 }] },
    { name: "sends less than it offered", sizeBytes: 6, messages: [DATA, END] },
    {
      name: "sends less than it offered and ends with the offered size",
      sizeBytes: 6,
      messages: [DATA, { ...END, sizeBytes: 6 }],
    },
    { name: "sends more than it offered", sizeBytes: 4, messages: [DATA, END] },
    { name: "offers nothing and sends something", sizeBytes: 0, messages: [DATA, END] },
    { name: "sends nothing of what it offered", sizeBytes: 5, messages: [{ type: "end", sizeBytes: 0, crc: 0 }] },
    { name: "ends a stream with another size", messages: [DATA, { ...END, sizeBytes: 4 }] },
    { name: "ends a stream with another checksum", messages: [DATA, { ...END, crc: 0 }] },
  ] satisfies readonly Lie[] as readonly Lie[]
) {
  Deno.test(`receiver publishes nothing of a sender that ${name}, and tells it "mismatch"`, async () => {
    const { session, peer } = openRaw();
    const draft = new MemoryDraft();
    const offer: MessageOf<"offer"> = { type: "offer", name: "file", sizeBytes, eager: true };
    const receiving = receiveFile(session, offer, () => Promise.resolve(draft));
    await peer.send(...messages, { type: "stat", name: "next" });
    await assertRejectsCode(() => receiving, "mismatch");
    assertEquals([draft.state, draft.calls.includes("publish")], ["discarded", false]);
    await session.flush();
    assertEquals((await peer.expect("error")).code, ERRORS.mismatch.number);
    assertEquals(await session.nextRequest(), { type: "stat", name: "next" }, "the session goes on");
  });
}

Deno.test("receiver publishes what an honest sender says in the same way", async () => {
  const { session, peer } = openRaw();
  const draft = new MemoryDraft();
  const offer: MessageOf<"offer"> = { type: "offer", name: "file", sizeBytes: 5, eager: true };
  const receiving = receiveFile(session, offer, () => Promise.resolve(draft));
  await peer.send(DATA, END);
  assertEquals((await receiving).crc, CRC);
  await session.flush();
  assertEquals(await peer.expect("stored"), { type: "stored", sizeBytes: 5, crc: CRC });
  assertEquals([draft.state, draft.content], ["published", HELLO]);
});

/** A sender of "hello" against a receiver that says `answers`; what the sender ends with. */
async function sendTo(isEager: boolean, ...answers: readonly Message[]) {
  const { session, peer } = openRaw();
  const source = new MemorySource(HELLO);
  const sending = sendFile(session, () => outgoing({ source, draft: new MemoryDraft(), isEager }));
  await peer.send(...answers);
  return { session, peer, source, sending };
}

for (
  const [name, answer] of [
    ["another size", { type: "stored", sizeBytes: 4, crc: CRC }],
    ["another checksum", { type: "stored", sizeBytes: 5, crc: CRC ^ 1 }],
  ] as const
) {
  Deno.test(`sender does not believe a receiver that stored ${name}`, async () => {
    const { peer, source, sending } = await sendTo(false, { type: "accept", blocks: 0 });
    const failing = assertRejectsCode(() => sending, "mismatch");
    await peer.expect("offer");
    assertEquals((await peer.expect("from")).offset, 0);
    assertEquals((await peer.expect("data")).bytes, HELLO);
    assertEquals(await peer.expect("end"), { type: "end", sizeBytes: 5, crc: CRC });
    await peer.send(answer);
    await failing;
    assertEquals(source.disposals, 1);
  });
}

for (
  const [name, isEager, answers] of [
    ["stored at once", false, [{ type: "stored", sizeBytes: 5, crc: CRC }]],
    ["data", false, [DATA]],
    ["digests before accept", false, [{ type: "digests", digests: new Uint8Array(16) }]],
    ["accept twice", false, [{ type: "accept", blocks: 0 }, { type: "accept", blocks: 0 }]],
    ["accept of an eager offer", true, [{ type: "accept", blocks: 0 }]],
    ["hello", false, [{ type: "hello", sent: "", received: "" }]],
    ["done", true, [{ type: "done" }]],
    ["cancel", false, [{ type: "cancel" }]],
  ] as const satisfies readonly (readonly [string, boolean, readonly Message[]])[]
) {
  Deno.test(`sender ends with "order" when the receiver says ${name}`, async () => {
    const { sending, source } = await sendTo(isEager, ...answers);
    await assertRejectsCode(() => sending, "order");
    assertEquals(source.disposals, 1);
  });
}

Deno.test('sender ends with "malformed" when digests are cut off', async () => {
  const { session, peer } = openRaw();
  const job = { source: new MemorySource(new Uint8Array(2 * BLOCK_BYTES)), draft: new MemoryDraft() };
  const sending = sendFile(session, () => outgoing(job));
  await peer.send({ type: "accept", blocks: 2 }, { type: "digests", digests: new Uint8Array(17) });
  await assertRejectsCode(() => sending, "malformed");
});

for (const [sizeBytes, blocks] of [[5, 1], [undefined, 1], [BLOCK_BYTES - 1, 1], [2 * BLOCK_BYTES, 3]] as const) {
  Deno.test(`sender ends with "order" when the receiver holds ${blocks} blocks of a file of ${sizeBytes} bytes`, async () => {
    const { session, peer } = openRaw();
    const job = { source: new MemorySource(HELLO), draft: new MemoryDraft(), offer: { sizeBytes } };
    const sending = sendFile(session, () => outgoing(job));
    await peer.send({ type: "accept", blocks });
    await assertRejectsCode(() => sending, "order");
  });
}

Deno.test('sender ends with "order" when more digests come than were announced', async () => {
  const { session, peer } = openRaw();
  const job = { source: new MemorySource(new Uint8Array(2 * BLOCK_BYTES)), draft: new MemoryDraft() };
  const sending = sendFile(session, () => outgoing(job));
  await peer.send({ type: "accept", blocks: 1 }, { type: "digests", digests: new Uint8Array(32) });
  await assertRejectsCode(() => sending, "order");
});

for (
  const [name, isEager, messages] of [
    ["data before it was accepted", false, [DATA]],
    ["end before it was accepted", false, [END]],
    ["from after an eager offer", true, [{ type: "from", offset: 0 }]],
    ["from in the middle of data", true, [DATA, { type: "from", offset: 0 }]],
    ["another offer", true, [{ type: "offer", name: "b" }]],
    ["stored", true, [{ type: "stored", sizeBytes: 0, crc: 0 }]],
    ["entries", true, [{ type: "entries", entries: [] }]],
  ] as const satisfies readonly (readonly [string, boolean, readonly Message[]])[]
) {
  Deno.test(`receiver ends with "order" and publishes nothing when the sender says ${name}`, async () => {
    const { session, peer } = openRaw({ requestsAheadMax: 0 });
    const draft = new MemoryDraft();
    const offer: MessageOf<"offer"> = { type: "offer", name: "file", sizeBytes: 5, eager: isEager };
    const receiving = receiveFile(session, offer, () => Promise.resolve(draft));
    await peer.send(...messages);
    const error = await assertRejectsCode(() => receiving, "order");
    assertEquals([draft.state, error.by], ["suspended", "us"]);
  });
}

for (const type of ["error", "cancel"] as const) {
  Deno.test(`receiver keeps what it has when the sender says "${type}" in the middle`, async () => {
    const { session, peer } = openRaw();
    const draft = new MemoryDraft();
    const offer: MessageOf<"offer"> = { type: "offer", name: "file", sizeBytes: 2 * BLOCK_BYTES, eager: true };
    const receiving = receiveFile(session, offer, () => Promise.resolve(draft));
    const word: Message = type === "cancel"
      ? { type }
      : { type, code: ERRORS.denied.number, text: "No", advice: "Ask" };
    await peer.send(DATA, word, { type: "stat", name: "next" });
    const error: AppError = await assertRejectsCode(() => receiving, type === "cancel" ? "cancelled" : "denied");
    assertEquals([error.by, draft.state, draft.content], ["peer", "suspended", HELLO]);
    if (type === "error") assertEquals([error.message, error.advice], ["No", "Ask"]);
    assertEquals(await session.nextRequest(), { type: "stat", name: "next" });
  });
}

Deno.test('an error with a number that is not known yet is "internal", and keeps its text', async () => {
  const { sending } = await sendTo(false, { type: "error", code: 9_999, text: "From the future" });
  const error = await assertRejectsCode(() => sending, "internal");
  assertEquals([error.message, error.by], ["From the future", "peer"]);
});
