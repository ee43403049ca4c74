/** A receiver that ends a tree while files are offered: both sides hear of it, whatever crossed on the way. */
import { AppError } from "../../protocol/errors.ts";
import { receiveTree } from "../../protocol/exchange/tree_receiver.ts";
import { FILE_SYSTEM } from "../../protocol/files/file_system.ts";
import { sendTree } from "../../protocol/exchange/tree_sender.ts";
import { BODY_BYTES_MAX } from "../../protocol/limits.ts";
import { unpackEntries } from "../../protocol/wire/entry_batch.ts";
import { TemporaryTree } from "../files/temporary_tree.ts";
import { assert, assertEquals, assertInstanceOf, assertRejectsCode } from "../support/assert.ts";
import { openRaw } from "./raw_peer.ts";
import { EXACT, runTree } from "./trees.ts";

/** A tree whose directories cannot be flushed. */
function unflushable(): TemporaryTree {
  return new TemporaryTree({
    openSync(path, options) {
      if (path === ".") throw Object.assign(new Error("I/O error"), { code: "EIO" });
      return FILE_SYSTEM.openSync(path, options);
    },
  });
}

for (const sizeBytes of [BODY_BYTES_MAX, 3 * BODY_BYTES_MAX, 9 * BODY_BYTES_MAX]) {
  Deno.test(`what goes wrong before files of ${sizeBytes} bytes that are offered ends the tree on both sides`, async () => {
    using from = new TemporaryTree();
    using to = unflushable();
    from.file("a", "small");
    for (const name of ["b", "c", "d"]) from.file(name, new Uint8Array(sizeBytes));
    from.file("e", "small");
    const { sent, received } = await runTree({ from, to });
    assertInstanceOf(received, AppError);
    assertInstanceOf(sent, AppError);
    assertEquals([received.code, sent.by, to.reserved()], ["failed", "peer", []]);
  });
}

Deno.test("an error that crosses an offer is the answer to that, and is said once more for the tree", async () => {
  using to = new TemporaryTree();
  const { session, peer } = openRaw();
  const refuses = () => new AppError("not_allowed", "No");
  const receiving = assertRejectsCode(() => receiveTree(session, to.tree, "", { ...EXACT, refuses }), "not_allowed");
  for (const lastWord of ["cancel", "end", "error"] as const) {
    await peer.expect("error");
    await peer.send({ type: "file", number: 0, content: [] }, { type: "offer", name: "b" }, LAST_WORDS[lastWord]);
  }
  await peer.expect("error");
  await peer.send({ type: "cancel" });
  await receiving;
  assertEquals(session.hasEnded, false);
});

Deno.test("a receiver that ends a tree is heard while everything is looked at", async () => {
  using from = new TemporaryTree();
  for (let index = 0; index < 6_000; index++) from.file(`d${index % 20}/${"long ".repeat(12)}${index}`, "");
  const { session, peer } = openRaw();
  const sent = sendTree(session, from.tree, "", { preflight: { ifImpossible: "stop" }, isDecidedHere: true });
  const ended = assertRejectsCode(() => sent, "no_space");
  await peer.send({ type: "room", partBytesMax: 255, nameBytesMax: 4_096 });
  let told = unpackEntries(await peer.expect("listed")).length;
  await peer.send({ type: "error", code: 31, text: "No" });
  for (let message = await peer.receive(); message?.type !== "cancel"; message = await peer.receive()) {
    assert(message?.type === "listed", message?.type);
    told += unpackEntries(message).length;
  }
  await ended;
  assert(told < 3_000, `${told} entries were told`);
});

/** What a sender says last about a file. */
const LAST_WORDS = {
  cancel: { type: "cancel" },
  end: { type: "end", sizeBytes: 0, crc: 0 },
  error: { type: "error", code: 1, text: "" },
} as const;
