/** How transfers end that come to nothing: each side says its last word, once, and hears that of the other. */
import { ERRORS } from "../../protocol/errors.ts";
import { receiveFile } from "../../protocol/exchange/receiver.ts";
import { sendFile } from "../../protocol/exchange/sender.ts";
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import type { Message, MessageOf } from "../../protocol/wire/messages/mod.ts";
import { assertEquals, assertRejectsCode } from "../support/assert.ts";
import { recorded } from "../support/streams.ts";
import { outgoing } from "./engines.ts";
import { MemoryDraft, MemorySource } from "./memory_files.ts";
import { openRaw } from "./raw_peer.ts";

/** The offer is the first write, `from` the second, the first data the third. */
const DATA_WRITE = 3;

const HELLO = new TextEncoder().encode("hello");
const DATA: Message = { type: "data", bytes: HELLO };
const NEXT: Message = { type: "stat", name: "next" };
const OFFER: MessageOf<"offer"> = { type: "offer", name: "file", sizeBytes: 2 * BLOCK_BYTES, eager: true };

const no = (code: "exists" | "denied" | "no_space"): Message => ({
  type: "error",
  code: ERRORS[code].number,
  text: "No",
});

function startSending() {
  const { session, peer } = openRaw();
  const job = { source: new MemorySource(HELLO), draft: new MemoryDraft() };
  return { session, peer, sending: sendFile(session, () => outgoing(job)) };
}

function startReceiving() {
  const { session, peer } = openRaw();
  const draft = new MemoryDraft();
  return { session, peer, draft, receiving: receiveFile(session, OFFER, () => Promise.resolve(draft)) };
}

Deno.test("a sender whose offer is declined says cancel, and goes on to the next request", async () => {
  const { session, peer, sending } = startSending();
  const failing = assertRejectsCode(() => sending, "exists");
  await peer.expect("offer");
  await peer.send(no("exists"), NEXT);
  assertEquals((await failing).by, "peer");
  await session.flush();
  assertEquals(await peer.receive(), { type: "cancel" });
  assertEquals<unknown>(await session.nextRequest(), NEXT);
});

Deno.test("a sender that hears no behind its end says nothing more", async () => {
  const { session, peer, sending } = startSending();
  const failing = assertRejectsCode(() => sending, "no_space");
  await peer.send({ type: "accept", blocks: 0 });
  for (const type of ["offer", "from", "data", "end"] as const) await peer.expect(type);
  await peer.send(no("no_space"));
  await failing;
  await session.end();
  assertEquals(await peer.receive(), { type: "goodbye" });
});

for (const word of [no("denied"), { type: "cancel" }] as const) {
  Deno.test(`a receiver that hears "${word.type}" says error as its last word, and goes on to the next request`, async () => {
    const { session, peer, draft, receiving } = startReceiving();
    await peer.send(DATA, word, NEXT);
    await assertRejectsCode(() => receiving, word.type === "cancel" ? "cancelled" : "denied");
    await session.flush();
    await peer.expect("error");
    assertEquals([draft.state, draft.content], ["suspended", HELLO]);
    assertEquals<unknown>(await session.nextRequest(), NEXT);
    await session.end();
    assertEquals(await peer.receive(), { type: "goodbye" }, "its last word comes once");
  });
}

for (const code of ["internal", "shutting_down"] as const) {
  const goodbye: Message = { type: "goodbye", code: ERRORS[code].number, text: "Sorry" };

  Deno.test(`goodbye for "${code}" is what a sender ends with`, async () => {
    const { peer, sending } = startSending();
    const failing = assertRejectsCode(() => sending, code);
    await peer.send({ type: "accept", blocks: 0 }, goodbye);
    await peer.stream.closeWrite();
    await failing;
  });

  Deno.test(`goodbye for "${code}" is what a receiver ends with`, async () => {
    const { peer, draft, receiving } = startReceiving();
    await peer.send(DATA, goodbye);
    await peer.stream.closeWrite();
    await assertRejectsCode(() => receiving, code);
    assertEquals(draft.state, "suspended");
  });
}

for (const isAtOnce of [false, true]) {
  const when = isAtOnce ? "right behind a frame" : "while the next frame waits to be taken";

  Deno.test(`a sender gives up when the receiver ends its side ${when} and takes nothing any more`, async () => {
    const second = Promise.withResolvers<void>();
    let writes = 0;
    const { session, peer } = openRaw({
      stream: (stream) => recorded(stream, () => ++writes === DATA_WRITE + 1 && second.resolve()),
    });
    const source = new MemorySource(new Uint8Array(BLOCK_BYTES));
    const sending = sendFile(session, () => outgoing({ source, draft: new MemoryDraft() }));
    const failing = assertRejectsCode(() => sending, "lost");
    await peer.send({ type: "accept", blocks: 0 });
    for (const type of ["offer", "from", "data"] as const) await peer.expect(type);
    if (!isAtOnce) await second.promise;
    await peer.stream.closeWrite();
    await failing;
    assertEquals(source.disposals, 1);
  });
}
