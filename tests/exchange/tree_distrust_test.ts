/** A sender and a receiver of trees that do not keep to the rules: they get nowhere, and nothing is stored for them. */
import { receiveTree } from "../../protocol/exchange/tree_receiver.ts";
import { sendTree } from "../../protocol/exchange/tree_sender.ts";
import { packEntries, type ToldEntry } from "../../protocol/wire/entry_batch.ts";
import type { FieldMessage, MessageOf } from "../../protocol/wire/messages/mod.ts";
import { packActions } from "../../protocol/wire/plan_actions.ts";
import { TemporaryTree } from "../files/temporary_tree.ts";
import { assertEquals, assertRejectsCode } from "../support/assert.ts";
import { openRaw } from "./raw_peer.ts";
import { EXACT } from "./trees.ts";

const plain = { kind: "file", sizeBytes: 1, mtimeMs: 1_000, mode: 0o644 } as const;

const listed = (entries: readonly ToldEntry[], last = true): MessageOf<"listed"> => (
  { type: "listed", ...packEntries(entries), ...(last ? { last } : {}) }
);
const content = [Uint8Array.of(1)];

const BAD_NAMES = ["..", ".", "a\\b", "con", ".app-x", "a\n", "x ", "", "e\u0301"];

/** What a sender may not say, and the error that it is. */
const SENDERS: Readonly<Record<string, readonly [messages: readonly FieldMessage[], code: string]>> = {
  ...Object.fromEntries(
    BAD_NAMES.map((name) => [`the name ${JSON.stringify(name)}`, [[listed([{ ...plain, name }])], "malformed"]]),
  ),
  "names out of order": [[listed([{ ...plain, name: "b" }, { ...plain, name: "a" }])], "malformed"],
  "a name twice": [[listed([{ ...plain, name: "b" }], false), listed([{ ...plain, name: "b" }])], "malformed"],
  "a link that leads out": [[listed([{ ...plain, kind: "link", name: "l", target: "../x" }])], "malformed"],
  "an absolute link": [[listed([{ ...plain, kind: "link", name: "l", target: "/etc" }])], "malformed"],
  "a directory that nobody told of": [[listed([]), listed([])], "order"],
  "an end before everything is told": [
    [listed([{ ...plain, kind: "directory", name: "d" }]), { type: "scanned" }],
    "order",
  ],
  "a file that was not wanted": [[listed([]), { type: "file", number: 0, content }], "order"],
  "files in another order": [
    [listed([{ ...plain, name: "a" }, { ...plain, name: "b" }]), { type: "file", number: 1, content }],
    "order",
  ],
  "a file of another size": [
    [listed([{ ...plain, name: "a", sizeBytes: 2 }]), { type: "file", number: 0, content }],
    "malformed",
  ],
  "an offer of another name": [
    [listed([{ ...plain, name: "a", sizeBytes: 2 ** 30 }]), { type: "offer", name: "b", sizeBytes: 2 ** 30 }],
    "order",
  ],
  "something else": [[{ type: "done" }], "order"],
};

for (const [what, [messages, code]] of Object.entries(SENDERS)) {
  Deno.test(`a sender of ${what} gets nowhere`, async () => {
    using to = new TemporaryTree();
    const { session, peer } = openRaw();
    await peer.send(...messages);
    await assertRejectsCode(() => receiveTree(session, to.tree, "", EXACT), code as "order");
    assertEquals([to.visible(), to.reserved()], [{}, []]);
  });
}

Deno.test("a sender that keeps to the rules is heard to the end", async () => {
  using to = new TemporaryTree();
  const { session, peer } = openRaw();
  await peer.send(
    listed([{ ...plain, name: "a" }, { ...plain, kind: "directory", name: "d" }]),
    listed([{ ...plain, kind: "link", name: "l", target: "../a" }]),
    { type: "scanned" },
    { type: "file", number: 0, content },
  );
  assertEquals((await receiveTree(session, to.tree, "", EXACT)).files, 1);
  assertEquals(Deno.readLinkSync(to.at("d/l")), "../a");
});

Deno.test("a file is stored where a link stood, and not where that leads; nothing is stored through a linked directory", async () => {
  using to = new TemporaryTree();
  Deno.symlinkSync(to.outside, to.at("d"));
  Deno.symlinkSync(`${to.outside}/target`, to.at("f"));
  const { session, peer } = openRaw();
  await peer.send(
    listed([{ ...plain, kind: "directory", name: "d" }, { ...plain, name: "f" }]),
    listed([{ ...plain, name: "x" }]),
    { type: "scanned" },
    { type: "file", number: 1, content },
    { type: "file", number: 2, content },
  );
  assertEquals((await receiveTree(session, to.tree, "", EXACT)).files, 2);
  assertEquals([...Deno.readDirSync(to.outside)], []);
  assertEquals(Object.keys(to.visible()), ["d/x", "f"]);
});

/** What a receiver may not say to a sender that has told of the directory "d" and the file "f". */
const RECEIVERS: Readonly<Record<string, FieldMessage>> = {
  "more was considered than was told": { type: "plan", considered: 99 },
  "an entry that was not told": {
    type: "plan",
    considered: 0,
    actions: packActions([{ number: 5, action: "create" }]),
  },
  "the content of a directory": {
    type: "plan",
    considered: 1,
    actions: packActions([{ number: 0, action: "create" }]),
  },
  "an entry twice": {
    type: "plan",
    considered: 2,
    actions: packActions([{ number: 1, action: "create" }, { number: 1, action: "create" }]),
  },
  "an entry that it has not considered": {
    type: "plan",
    considered: 0,
    actions: packActions([{ number: 1, action: "create" }]),
  },
  "something else": { type: "stored", sizeBytes: 0, crc: 0 },
};

for (const [what, message] of Object.entries(RECEIVERS)) {
  Deno.test(`a receiver that says: ${what}, gets nowhere`, async () => {
    using from = new TemporaryTree();
    from.file("f");
    Deno.mkdirSync(from.at("d"));
    const { session, peer } = openRaw();
    const sent = sendTree(session, from.tree, "", {});
    await peer.expect("listed");
    await peer.send(message);
    await assertRejectsCode(() => sent, "order");
  });
}

Deno.test("a sender tells no more ahead than the window holds", async () => {
  using from = new TemporaryTree();
  for (let index = 0; index < 17_500; index++) Deno.writeFileSync(from.at(`${index}`), new Uint8Array());
  const { session, peer } = openRaw();
  const sent = sendTree(session, from.tree, "", {});
  let told = 0;
  while (told < 15_000) told += (await peer.expect("listed")).facts.length / 16;
  // Nothing more comes until we say what has become of these.
  await peer.send({ type: "ping", id: 1 });
  for (let message = await peer.receive(); message?.type !== "pong"; message = await peer.receive()) {
    if (message?.type === "listed") told += message.facts.length / 16;
  }
  assertEquals(told <= 16_384, true, `${told} were told`);
  await peer.send({ type: "error", code: 50, text: "enough" });
  await assertRejectsCode(() => sent, "internal");
  await peer.expect("cancel");
});
