/** Senders and receivers of trees that do not keep to the rules about files that were moved, and one that lies about one. */
import { AppError } from "../../protocol/errors.ts";
import { Later } from "../../protocol/exchange/tree_later.ts";
import { receiveTree } from "../../protocol/exchange/tree_receiver.ts";
import { sendTree } from "../../protocol/exchange/tree_sender.ts";
import type { Told } from "../../protocol/exchange/tree_walk.ts";
import { TREE_LATER_MAX } from "../../protocol/limits.ts";
import { packEntries } from "../../protocol/wire/entry_batch.ts";
import type { FieldMessage } from "../../protocol/wire/messages/mod.ts";
import { packActions, packIndices, packPlan } from "../../protocol/wire/plan_actions.ts";
import { TemporaryTree } from "../files/temporary_tree.ts";
import { assertEquals, assertRejectsCode, assertThrowsCode } from "../support/assert.ts";
import { openRaw } from "./raw_peer.ts";
import { EXACT } from "./trees.ts";

const file = { name: "new", kind: "file", sizeBytes: 7, mtimeMs: 1_000, mode: 0o644 } as const;
const listed = { type: "listed", ...packEntries([file]), last: true } as const;
const ERROR = new AppError("denied", "No");
const DELETING = { ...EXACT, removeMax: 9 };

async function blake2b(text: string): Promise<Uint8Array> {
  const { createHash } = await import("node:crypto");
  return new Uint8Array(createHash("blake2b512").update(text).digest().subarray(0, 16));
}

/** What a sender may not answer to the question which file "new" is, and the error that it is. */
const ANSWERS: Readonly<Record<string, readonly [answer: FieldMessage, code: string]>> = {
  "no digest": [{ type: "proof", digests: new Uint8Array() }, "malformed"],
  "half of one": [{ type: "proof", digests: new Uint8Array(8) }, "malformed"],
  "two of them": [{ type: "proof", digests: new Uint8Array(32) }, "malformed"],
  "something else": [{ type: "spare", indices: new Uint8Array() }, "order"],
  "that it gives up": [{ type: "error", code: 50, text: "enough" }, "internal"],
};

for (const [what, [answer, code]] of Object.entries(ANSWERS)) {
  Deno.test(`a sender that is asked which file it is and says: ${what}, gets nowhere, and nothing is moved`, async () => {
    using to = new TemporaryTree();
    to.file("old", "content");
    const { session, peer } = openRaw();
    const received = receiveTree(session, to.tree, "", DELETING);
    await peer.send(listed, { type: "scanned" });
    await peer.expect("plan");
    assertEquals((await peer.expect("probe")).numbers, packIndices([0]));
    await peer.send(answer);
    await assertRejectsCode(() => received, code as "order");
    assertEquals(Object.keys(to.visible()), ["old"]);
  });
}

Deno.test("a proof that nobody asked for is out of order", async () => {
  using to = new TemporaryTree();
  const { session, peer } = openRaw();
  await peer.send(listed, { type: "proof", digests: new Uint8Array(16) });
  await assertRejectsCode(() => receiveTree(session, to.tree, "", DELETING), "order");
});

Deno.test("a digest is believed: what it claims to be is what the new name gets", async () => {
  using to = new TemporaryTree();
  to.file("old", "content");
  const { session, peer } = openRaw();
  const received = receiveTree(session, to.tree, "", DELETING);
  await peer.send(listed, { type: "scanned" });
  await peer.expect("plan");
  await peer.expect("probe");
  await peer.send({ type: "proof", digests: await blake2b("content") });
  assertEquals((await received).moved, 1);
  assertEquals([Object.keys(to.visible()), to.read("new")], [["new"], "content"]);
});

const plan = (...planned: Parameters<typeof packPlan>[0]): FieldMessage => (
  { type: "plan", considered: 2, ...packPlan(planned) }
);

/** What a receiver may not say to a sender that has told of the directory "d" and the file "f". */
const RECEIVERS: Readonly<Record<string, readonly [messages: readonly FieldMessage[], code: string]>> = {
  "which file that is, of one that was not put off": [[{ type: "probe", numbers: packIndices([1]) }], "order"],
  "which file that is, of a directory": [
    [plan({ number: 0, action: "later" }), { type: "probe", numbers: packIndices([0]) }],
    "order",
  ],
  "which file that is, twice": [
    [
      plan({ number: 1, action: "later" }),
      { type: "probe", numbers: packIndices([1]) },
      { type: "probe", numbers: packIndices([1]) },
    ],
    "order",
  ],
  "that it wants a file, and in a later plan once more": [
    [plan({ number: 1, action: "create" }), plan({ number: 1, action: "create" })],
    "order",
  ],
  "that a file is moved which was not put off": [[plan({ number: 1, action: "move", from: "x" })], "order"],
  "that a file is moved, and not from where": [
    [plan({ number: 1, action: "later" }), {
      type: "plan",
      considered: 2,
      actions: packActions([{ number: 1, action: "move" }]),
    }],
    "malformed",
  ],
  "more names than there are moves": [
    [{ type: "plan", considered: 2, actions: packActions([{ number: 1, action: "later" }]), sources: "x" }],
    "malformed",
  ],
};

for (const [what, [messages, code]] of Object.entries(RECEIVERS)) {
  Deno.test(`a receiver that says: ${what}, gets nowhere`, async () => {
    using from = new TemporaryTree();
    from.file("f");
    Deno.mkdirSync(from.at("d"));
    const { session, peer } = openRaw();
    const sent = sendTree(session, from.tree, "", {});
    await peer.expect("listed");
    await peer.send(...messages);
    await assertRejectsCode(() => sent, code as "order");
  });
}

Deno.test("a receiver that asks once about a file that it has put off is answered, and may say that it was moved", async () => {
  using from = new TemporaryTree();
  from.file("d", "other");
  from.file("f", "content");
  const { session, peer } = openRaw();
  const moves: string[] = [];
  const onPlanned = (action: string, name: string, _: unknown, old?: string) => moves.push(`${action} ${old} ${name}`);
  const sent = sendTree(session, from.tree, "", { onPlanned });
  await peer.expect("listed");
  await peer.send(plan({ number: 0, action: "later" }, { number: 1, action: "later" }), {
    type: "probe",
    numbers: packIndices([0, 1]),
  });
  for (let message = await peer.receive(); message?.type !== "scanned" && message?.type !== "proof";) {
    message = await peer.receive();
  }
  await peer.send(plan({ number: 0, action: "move", from: "x" }, { number: 1, action: "move", from: "y/z" }));
  const tally = { files: 0, fileBytes: 0, unchanged: 0, skipped: 0, removed: 0, failed: 0, moved: 2 };
  await peer.send({ type: "tallied", ...tally });
  assertEquals([await sent, moves], [tally, ["move x d", "move y/z f"]]);
});

Deno.test("a sender answers with zeros for what it may not read, and what is not any more as it was told", async () => {
  using from = new TemporaryTree();
  ["a", "b", "c"].forEach((name) => from.file(name, "content"));
  const { session, peer } = openRaw();
  const refuses = (action: string, name: string) => action === "read" && name === "b" ? ERROR : undefined;
  const sent = sendTree(session, from.tree, "", { refuses });
  await peer.expect("listed");
  from.file("c", "CONTENT");
  Deno.utimeSync(from.at("c"), 1, 1);
  const putOff = [0, 1, 2].map((number) => ({ number, action: "later" as const }));
  await peer.send({ type: "plan", considered: 3, ...packPlan(putOff) }, {
    type: "probe",
    numbers: packIndices([0, 1, 2]),
  });
  let message = await peer.receive();
  while (message?.type !== "proof") message = await peer.receive();
  const expected = new Uint8Array(48);
  expected.set(await blake2b("content"));
  assertEquals(message.digests, expected);
  await peer.send({ type: "error", code: 50, text: "enough" });
  await assertRejectsCode(() => sent, "internal");
});

Deno.test("a sender keeps no more in mind than it says", () => {
  const { session } = openRaw();
  const later = new Later(session, { top: "" });
  for (let number = 0; number < TREE_LATER_MAX; number++) later.add(number, {} as Told);
  later.delete(0);
  later.add(0, {} as Told);
  assertThrowsCode(() => later.add(TREE_LATER_MAX, {} as Told), "limit");
});
