/** Large files of which nothing can be held: their data follows the offer at once; all others are asked about. */
import { breatheNow } from "../../protocol/breathe.ts";
import { receiveTree } from "../../protocol/exchange/tree_receiver.ts";
import { sendTree } from "../../protocol/exchange/tree_sender.ts";
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import { packEntries } from "../../protocol/wire/entry_batch.ts";
import { packPlan, unpackPlan } from "../../protocol/wire/plan_actions.ts";
import { TemporaryTree } from "../files/temporary_tree.ts";
import { assertEquals } from "../support/assert.ts";
import { openRaw } from "./raw_peer.ts";
import { EXACT, runTree, twoTrees } from "./trees.ts";

const LARGE = 2 * BLOCK_BYTES;

Deno.test("a receiver says that large files of new directories are fresh, and no others", async () => {
  using to = new TemporaryTree();
  Deno.mkdirSync(to.at("old"));
  const { session, peer } = openRaw();
  const received = receiveTree(session, to.tree, "", EXACT);
  received.catch(() => {}); // it is left in its middle
  const file = (name: string, sizeBytes: number) =>
    ({ name, kind: "file", sizeBytes, mtimeMs: 1, mode: 0o644 }) as const;
  const directory = (name: string) => ({ name, kind: "directory", sizeBytes: 0, mtimeMs: 1, mode: 0o755 }) as const;
  const [large, small] = [file("large", LARGE), file("small", BLOCK_BYTES - 1)];
  await peer.send(
    { type: "listed", ...packEntries([large, directory("new"), directory("old"), small]), last: true },
    { type: "listed", ...packEntries([large, small]), last: true },
    { type: "listed", ...packEntries([large, small]), last: true },
  );
  const told: boolean[][] = [];
  for (let count = 0; count < 3; count++) {
    const files = unpackPlan(await peer.expect("plan")).filter(({ action }) => action === "create");
    told.push(files.map(({ isFresh = false }) => isFresh));
  }
  assertEquals(told, [[false, false], [true, false], [false, false]]);
  peer.stream.close();
  await received.catch(() => {});
  await breatheNow();
});

Deno.test("a sender sends what is fresh behind its offer, and waits with what is not", async () => {
  for (const isFresh of [true, false]) {
    using from = new TemporaryTree();
    from.file("large", new Uint8Array(LARGE));
    const { session, peer } = openRaw();
    const sent = sendTree(session, from.tree, "", {});
    sent.catch(() => {}); // it is left in its middle
    await peer.expect("listed");
    await peer.send({ type: "plan", considered: 1, ...packPlan([{ number: 0, action: "create", isFresh }]) });
    let message = await peer.receive();
    while (message?.type === "listed" || message?.type === "scanned") message = await peer.receive();
    assertEquals(message?.type === "offer" && message.eager, isFresh || undefined);
    if (isFresh) await peer.expect("data");
    await peer.send({ type: "error", code: 31, text: "No" });
    peer.stream.close();
    await sent.catch(() => {});
    await breatheNow();
  }
});

Deno.test("large files of new directories are stored, and refused when they are too large, with those behind them", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  for (const name of ["d/1", "d/3"]) from.file(name, new Uint8Array(LARGE).fill(7));
  from.file("d/2", new Uint8Array(3 * LARGE));
  const end = await runTree({ from, to, receiving: { sizeBytesMax: LARGE } });
  assertEquals(end.receiveFailures, ["d/2: too_large"]);
  assertEquals(to.visible(), { "d/1": from.visible()["d/1"]!, "d/3": from.visible()["d/3"]! });
});
