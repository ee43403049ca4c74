/** Large files of a tree: the next one is sent before the last one is answered, and each answer is for its own file. */
import { breatheNow } from "../../protocol/breathe.ts";
import { sendTree } from "../../protocol/exchange/tree_sender.ts";
import type { MessageOf } from "../../protocol/wire/messages/mod.ts";
import { packActions } from "../../protocol/wire/plan_actions.ts";
import { TemporaryTree } from "../files/temporary_tree.ts";
import { assertEquals, assertRejectsCode } from "../support/assert.ts";
import { openRaw, type RawPeer } from "./raw_peer.ts";

const TALLY = {
  type: "tallied",
  files: 1,
  fileBytes: 1,
  unchanged: 0,
  skipped: 0,
  removed: 0,
  failed: 2,
  moved: 0,
} as const;
/** What long work breathes through is closed a little later, so each test ends with a breath. */
const NAMES = ["a", "b", "c", "d"];

/** A tree of four large files, which a receiver wants that has not answered for any of them. */
async function sendUnanswered(from: TemporaryTree) {
  for (const name of NAMES) Deno.writeFileSync(from.at(name), new Uint8Array(300_000));
  const { session, peer } = openRaw();
  const failed: string[] = [];
  let files = 0;
  const sent = sendTree(session, from.tree, "", {
    onFailed: (name, error) => failed.push(`${name}: ${error.code}`),
    onProgress: (progress) => files += progress.files ?? 0,
  });
  sent.catch(() => {}); // looked at when the receiver has spoken
  const told: string[] = [];
  for (let message = await peer.receive(); message?.type === "listed"; message = await peer.receive()) {
    if (message.facts.length > 0) told.push(...message.names.split("/"));
  }
  const actions = packActions(NAMES.map((name) => ({ number: told.indexOf(name), action: "create" })));
  await peer.send({ type: "plan", considered: told.length, actions });
  const ends: MessageOf<"end">[] = [];
  for (const name of NAMES) {
    assertEquals((await peer.expect("offer")).name, name);
    ends.push(await endOf(peer));
  }
  return { sent, peer, failed, ends, files: () => files };
}

async function endOf(peer: RawPeer): Promise<MessageOf<"end">> {
  for (let message = await peer.receive();; message = await peer.receive()) {
    if (message?.type === "end") return message;
    assertEquals(message?.type, "data");
  }
}

Deno.test("a sender of large files waits for no answer, and each answer counts for its own file", async () => {
  using from = new TemporaryTree();
  const { sent, peer, failed, ends, files } = await sendUnanswered(from);
  const { sizeBytes, crc } = ends[0]!;
  await peer.send(
    { type: "stored", sizeBytes, crc },
    { type: "error", code: 31, text: "No space" },
    { type: "stored", sizeBytes, crc: (crc ^ 1) >>> 0 },
    { type: "stored", sizeBytes, crc },
    TALLY,
  );
  assertEquals((await sent).failed, 2);
  assertEquals([failed, files()], [["b: no_space", "c: mismatch"], 2]);
  await breatheNow();
});

Deno.test("an error behind one for each file that is unanswered is that of the tree, and ends it", async () => {
  using from = new TemporaryTree();
  const { sent, peer, failed } = await sendUnanswered(from);
  const refusals = [...NAMES, ""].map(() => ({ type: "error", code: 31, text: "No space" } as const));
  await peer.send(...refusals);
  await assertRejectsCode(() => sent, "no_space");
  await peer.expect("cancel");
  assertEquals(failed, NAMES.map((name) => `${name}: no_space`));
  await breatheNow();
});

Deno.test("more answers than files are against the order", async () => {
  using from = new TemporaryTree();
  const { sent, peer, ends } = await sendUnanswered(from);
  const { sizeBytes, crc } = ends[0]!;
  for (let count = 0; count < 5; count++) await peer.send({ type: "stored", sizeBytes, crc });
  await assertRejectsCode(() => sent, "order");
  await breatheNow();
});
