/** What somebody learns who may put files and not look at any: that a name is taken, and nothing else. */
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import type { MessageOf } from "../../protocol/wire/messages/mod.ts";
import { peerError } from "../../protocol/exchange/transfer.ts";
import type { ErrorName } from "../../protocol/errors.ts";
import { assert, assertEquals, assertRejectsCode } from "../support/assert.ts";
import { CHANNELS, type Linked, startLinked } from "./linked.ts";

const OFFER = { type: "offer", name: "big.bin", sizeBytes: 3 * BLOCK_BYTES, mtimeMs: 1_000 } as const;
const FILES = { "a.txt": "content", "d/b.txt": "more" };

/** Offers `OFFER` and what `more` says; the answer, and the session. Throws what the offer is refused for. */
async function offer(linked: Linked, secret: string, more: Partial<MessageOf<"offer">> = {}) {
  const target = { host: "127.0.0.1", port: linked.served.port, secret };
  const dialed = await CHANNELS[0].dial({ target, agent: "test", timeoutMs: 10_000 });
  dialed.session.send({ ...OFFER, ...more });
  const answer = await dialed.session.receive();
  if (answer.type === "accept") return { answer, session: dialed.session, [Symbol.dispose]: dialed[Symbol.dispose] };
  dialed[Symbol.dispose]();
  assert(answer.type === "error");
  throw peerError(answer);
}

/** Puts the first half and breaks off. */
async function breakOff(linked: Linked, secret: string, count: number): Promise<void> {
  using begun = await offer(linked, secret);
  begun.session.send({ type: "from", offset: 0 });
  const frame = new Uint8Array(65_536 + 64);
  for (let sent = 0; sent < 1.5 * BLOCK_BYTES; sent += 65_536) await begun.session.sendData(frame, 65_536);
  await begun.session.end();
  await linked.logged("put", count);
}

Deno.test("a drop link goes on with what it began, and sees nothing of what others began", async () => {
  await using linked = startLinked();
  const [one, two] = [await linked.link({ right: "drop" }), await linked.link({ right: "drop" })];
  const writer = await linked.link({ right: "write" });
  await breakOff(linked, one, 1);
  for (const [secret, blocks] of [[two, 0], [one, 1], [two, 0], [writer, 1]] as const) {
    using again = await offer(linked, secret);
    assertEquals([again.answer.blocks, again.answer.restarted ?? false], [blocks, false]);
    again.session.close();
    await linked.logged("put", linked.served.records.length + 1);
  }
});

Deno.test("a drop link is not told that what others began was thrown away", async () => {
  await using linked = startLinked();
  const [one, two] = [await linked.link({ right: "drop" }), await linked.link({ right: "drop" })];
  const writer = await linked.link({ right: "write" });
  for (const [secret, restarted] of [[two, false], [writer, true]] as const) {
    await breakOff(linked, one, linked.served.records.length + 1);
    using other = await offer(linked, secret, { sizeBytes: OFFER.sizeBytes + 1 });
    assertEquals([other.answer.blocks, other.answer.restarted ?? false], [0, restarted]);
    other.session.close();
    await linked.logged("put", linked.served.records.length + 1);
  }
});

Deno.test("what stands in the way of a drop link is taken, whatever it is", async () => {
  await using linked = startLinked(FILES);
  Deno.symlinkSync("/", `${linked.root}/out`);
  const [drop, write] = [await linked.link({ right: "drop" }), await linked.link({ right: "write" })];
  const cases: readonly (readonly [name: string, forWriter: ErrorName])[] = [
    ["a.txt", "exists"],
    ["d", "exists"],
    ["a.txt/x", "not_a_directory"],
    ["out/x", "outside"],
  ];
  for (const [name, code] of cases) {
    await assertRejectsCode(() => offer(linked, write, { name }), code);
    const error = await assertRejectsCode(() => offer(linked, drop, { name }), "exists");
    assertEquals(error.message, `Cannot store "${name}": the name is taken`);
  }
  await using client = linked.client(drop);
  await assertRejectsCode(() => client.makeDirectory("a.txt/x"), "exists");
  await client.makeDirectory("d/new");
  assert(Deno.statSync(`${linked.root}/d/new`).isDirectory);
});
