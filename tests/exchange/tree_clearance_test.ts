/** A receiver that waits for the go-ahead, beside a peer that says what the test says; and both that do not keep to it. */
import { receiveTree } from "../../protocol/exchange/tree_receiver.ts";
import { sendTree } from "../../protocol/exchange/tree_sender.ts";
import { packEntries, type ToldEntry } from "../../protocol/wire/entry_batch.ts";
import type { FieldMessage, MessageOf } from "../../protocol/wire/messages/mod.ts";
import { TemporaryTree } from "../files/temporary_tree.ts";
import { assertEquals, assertRejectsCode } from "../support/assert.ts";
import { describeTree } from "../support/random_tree.ts";
import { openRaw, type RawPeer } from "./raw_peer.ts";
import { EXACT } from "./trees.ts";

const plain = { kind: "file", sizeBytes: 1, mtimeMs: 1_000, mode: 0o644 } as const;
const GO = { type: "go", entries: 1, sizeBytes: 1 } as const;
const SCANNED = { type: "scanned" } as const;
const content = [Uint8Array.of(1)];
const FILE = { type: "file", number: 0, content } as const;
const STOP = { ...EXACT, preflight: { ifImpossible: "stop" } } as const;

function listed(entries: readonly ToldEntry[], last = true): MessageOf<"listed"> {
  return { type: "listed", ...packEntries(entries), ...(last ? { last } : {}) };
}

/** Until everything that was sent was taken: then it waits. */
async function untilTaken(peer: RawPeer): Promise<void> {
  await peer.send({ type: "ping", id: 7 });
  for (let message = await peer.receive(); message?.type !== "pong"; message = await peer.receive());
}

/** Each kind of action, and what else has to be said for it behind the go-ahead. */
const ACTIONS: Readonly<Record<string, readonly [entry: ToldEntry, ...behind: FieldMessage[]]>> = {
  "make a directory": [{ ...plain, kind: "directory", name: "new" }, listed([])],
  "make a link": [{ ...plain, kind: "link", name: "link", target: "old" }],
  "replace a file by a link": [{ ...plain, kind: "link", name: "old", target: "x" }],
  "replace a file by a directory": [{ ...plain, kind: "directory", name: "old" }, listed([])],
  "adjust a file": [{ ...plain, name: "old", sizeBytes: 3, mtimeMs: 5_000, mode: 0o600 }],
  "create a file": [{ ...plain, name: "new" }, { type: "file", number: 0, content }],
  "replace a file": [{ ...plain, name: "old" }, { type: "file", number: 0, content }],
};

for (const [what, [entry, ...behind]] of Object.entries(ACTIONS)) {
  Deno.test(`to ${what}, and to remove, the go-ahead is waited for`, async () => {
    using to = new TemporaryTree();
    to.file("old", "old");
    Deno.utimeSync(to.at("old"), 5, 5);
    Deno.chmodSync(to.at("old"), 0o644);
    to.file("zz extra");
    const before = describeTree(to.path);
    const { session, peer } = openRaw();
    const received = receiveTree(session, to.tree, "", { ...STOP, removeMax: 9 });
    await peer.expect("room");
    await peer.send(listed([entry]));
    await untilTaken(peer);
    assertEquals([describeTree(to.path), to.reserved()], [before, []]);
    // A directory that is told of comes before the end of the telling, a file behind it.
    const isDirectory = entry.kind === "directory";
    await peer.send(GO, ...(isDirectory ? [...behind, SCANNED] : [SCANNED, ...behind]));
    assertEquals((await received).removed, entry.name === "old" ? 1 : 2);
    assertEquals(Object.keys(describeTree(to.path)), [entry.kind === "directory" ? `${entry.name}/` : entry.name]);
  });
}

/** What a sender may not say, behind "listed" of the file "a". */
const SENDERS: Readonly<Record<string, readonly [messages: readonly FieldMessage[], code: string]>> = {
  "a file before the go-ahead": [[FILE, GO, SCANNED], "order"],
  "an offer before the go-ahead": [[{ type: "offer", name: "a", sizeBytes: 1 }, GO], "order"],
  "that a file is gone, before the go-ahead": [[{ type: "gone", number: 0, code: 10, text: "" }, GO, SCANNED], "order"],
  "the end without a go-ahead": [[SCANNED, FILE], "order"],
  "the go-ahead twice": [[GO, GO, SCANNED, FILE], "order"],
  "an impossible entry, and the go-ahead": [[
    { type: "impossible", name: "x", code: 15, text: "No" },
    GO,
    SCANNED,
    FILE,
  ], "bad_name"],
  "impossible entries that it does not name, and the go-ahead": [[{ ...GO, more: 1 }, SCANNED, FILE], "bad_name"],
};

for (const [what, [messages, code]] of Object.entries(SENDERS)) {
  Deno.test(`a sender that says: ${what}, gets nowhere`, async () => {
    using to = new TemporaryTree();
    const { session, peer } = openRaw();
    const received = receiveTree(session, to.tree, "", STOP);
    await peer.send(listed([{ ...plain, name: "a" }]), ...messages, { type: "cancel" });
    await assertRejectsCode(() => received, code as "order");
    assertEquals([to.visible(), to.reserved()], [{}, []]);
  });
}

Deno.test("a sender that gives the go-ahead, and then the end and the file, is heard to the end", async () => {
  using to = new TemporaryTree();
  const { session, peer } = openRaw();
  const received = receiveTree(session, to.tree, "", STOP);
  await peer.send(listed([{ ...plain, name: "a" }]), GO, SCANNED, FILE);
  assertEquals((await received).files, 1);
});

Deno.test("a sender that tells too much while the receiver waits gets nowhere, one that tells the most is heard", async () => {
  for (const [batches, isTooMuch] of [[16, false], [17, true]] as const) {
    using to = new TemporaryTree();
    const { session, peer } = openRaw();
    const received = receiveTree(session, to.tree, "", { ...STOP, isDryRun: true });
    const link = (number: number) => ({ ...plain, kind: "link", name: `l${1e6 + number}`, target: "x" }) as const;
    await peer.send(listed([{ ...plain, kind: "link", name: "a", target: "x" }], false));
    for (let batch = 0; batch < batches; batch++) {
      await peer.send(listed(Array.from({ length: 1_024 }, (_, index) => link(batch * 1_024 + index)), false));
    }
    await peer.send(listed([]), GO, SCANNED, { type: "cancel" });
    if (isTooMuch) await assertRejectsCode(() => received, "limit");
    else assertEquals((await received).failed, 0);
  }
});

/** What a receiver may not say to a sender that waits for its announcement. */
const ROOM = { type: "room", partBytesMax: 255, nameBytesMax: 4_096 } as const;
const RECEIVERS: Readonly<Record<string, readonly FieldMessage[]>> = {
  "its announcement twice": [ROOM, ROOM],
  "that it is done": [
    { type: "tallied", files: 0, fileBytes: 0, unchanged: 0, skipped: 0, removed: 0, failed: 0, moved: 0 },
  ],
};

for (const [what, messages] of Object.entries(RECEIVERS)) {
  Deno.test(`a receiver that says: ${what}, before the go-ahead, gets nowhere`, async () => {
    using from = new TemporaryTree();
    from.file("f");
    const { session, peer } = openRaw();
    const sent = sendTree(session, from.tree, "", { preflight: STOP.preflight, isDecidedHere: true });
    await peer.send(...messages);
    await assertRejectsCode(() => sent, "order");
  });
}

Deno.test("an announcement that nobody asked for is refused", async () => {
  using from = new TemporaryTree();
  const { session, peer } = openRaw();
  const sent = sendTree(session, from.tree, "", {});
  await peer.send(ROOM);
  await assertRejectsCode(() => sent, "order");
});
