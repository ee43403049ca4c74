/** Links that are good for one transfer. */
import { getFile, LocalTree, pullTree, pushTree, putFile } from "../../client/mod.ts";
import type { Client } from "../../client/mod.ts";
import { MemoryDestination } from "../../client/image/memory.ts";
import type { AppError } from "../../protocol/errors.ts";
import { BLOCK_BYTES, PARTIAL_SILENCE_MAX_MS } from "../../protocol/limits.ts";
import type { MessageOf } from "../../protocol/wire/messages/mod.ts";
import { readLinkFile } from "../../server/access/link_file.ts";
import { Links } from "../../server/access/links.ts";
import { Turns } from "../../server/access/turn.ts";
import { assert, assertEquals, assertRejectsCode, assertStringIncludes, assertThrowsCode } from "../support/assert.ts";
import { temporaryDirectory } from "../support/program.ts";
import { receive } from "../server/served.ts";
import { CHANNELS, type Linked, startLinked } from "./linked.ts";

const TWO = new Uint8Array(2 * BLOCK_BYTES + 5).map((_, index) => index % 251);

async function get(linked: Linked, secret: string, name: string): Promise<Uint8Array> {
  await using client = linked.client(secret);
  const destination = new MemoryDestination();
  await getFile(client, name, destination);
  return await destination.bytes();
}

async function put(linked: Linked, secret: string, name: string, content = "new"): Promise<void> {
  using here = temporaryDirectory();
  Deno.writeTextFileSync(`${here.path}/file`, content);
  await using client = linked.client(secret);
  await putFile(client, `${here.path}/file`, name);
}

function dial(linked: Linked, secret: string) {
  const target = { host: "127.0.0.1", port: linked.served.port, secret };
  return CHANNELS[0].dial({ target, agent: "test", timeoutMs: 10_000 });
}

Deno.test("a link for one transfer is used up by a get, durably, and by nothing before it", async () => {
  await using linked = startLinked({ "a.txt": "content", "b.txt": "other" });
  const secret = await linked.link({ isOnce: true, label: "one" });
  await using client = linked.client(secret);
  for (let round = 0; round < 2; round++) await client.stat("a.txt");
  await client.digest("a.txt");
  await assertRejectsCode(() => get(linked, secret, "none.txt"), "not_found");
  assertEquals(new TextDecoder().decode(await get(linked, secret, "a.txt")), "content");
  await linked.logged("get", 2);

  const { message } = await assertRejectsCode(() => client.stat("a.txt"), "link_refused");
  assertStringIncludes(message, "good for one transfer, and is used up");
  await assertRejectsCode(() => get(linked, secret, "a.txt"), "link_refused");
  assert(readLinkFile(linked.file).links[0]!.usedMs !== undefined);
  using restarted = new Links({ file: linked.file, root: linked.root });
  assertStringIncludes((await restarted.redeem(secret, "peer")).fault!()!, "used up");
});

Deno.test("a link for one transfer is used up by a put that was stored, and by none that was refused", async () => {
  await using linked = startLinked({ "a.txt": "content" });
  const secret = await linked.link({ isOnce: true, right: "drop" });
  await assertRejectsCode(() => put(linked, secret, "a.txt"), "exists");
  await put(linked, secret, "new.txt");
  assertEquals(Deno.readTextFileSync(`${linked.root}/new.txt`), "new");
  await assertRejectsCode(() => put(linked, secret, "more.txt"), "link_refused");
  assertEquals([...Deno.readDirSync(linked.root)].length, 2);
  const many = await linked.link({ right: "drop" });
  for (const name of ["1", "2"]) await put(linked, many, name);
});

Deno.test("a put is told as stored only when its link is marked", async () => {
  await using linked = startLinked();
  const secret = await linked.link({ isOnce: true, right: "drop" });
  using dialed = await dial(linked, secret);
  const { session } = dialed;
  session.send({ type: "offer", name: "a", sizeBytes: 0, eager: true });
  session.send({ type: "end", sizeBytes: 0, crc: 0 });
  await receive(session, "stored");
  assert(readLinkFile(linked.file).links[0]!.usedMs !== undefined);
});

Deno.test("a transfer that broke off may be resumed, and is the only one from its beginning on", async () => {
  await using linked = startLinked({ "big.bin": TWO, "b.txt": "other" });
  const secret = await linked.link({ isOnce: true });
  using dialed = await dial(linked, secret);
  dialed.session.send({ type: "get", name: "big.bin" });
  await receive(dialed.session, "offer");
  dialed.session.send({ type: "accept", blocks: 0 });
  await receive(dialed.session, "from");
  await receive(dialed.session, "data");
  await assertRejectsCode(() => get(linked, secret, "big.bin"), "busy");
  dialed[Symbol.dispose]();
  await linked.logged("get", 2);

  const { message } = await assertRejectsCode(() => get(linked, secret, "b.txt"), "not_allowed");
  assertStringIncludes(message, `begun as get "big.bin"`);
  const right = await linked.link({ isOnce: true, right: "write" });
  await get(linked, right, "b.txt");
  await linked.logged("get", 4);
  await assertRejectsCode(() => put(linked, right, "b2.txt"), "link_refused");
  assertEquals(await get(linked, secret, "big.bin"), TWO);
  await linked.logged("get", 5);
  await assertRejectsCode(() => get(linked, secret, "big.bin"), "link_refused");
});

Deno.test("a link that cannot be marked is good for nothing more all the same", async () => {
  await using linked = startLinked({ "a.txt": "content" });
  const secret = await linked.link({ isOnce: true });
  using dialed = await dial(linked, secret);
  dialed.session.send({ type: "get", name: "a.txt", eager: true });
  const offer = await receive(dialed.session, "offer") as MessageOf<"offer">;
  await receive(dialed.session, "data");
  const { crc } = await receive(dialed.session, "end") as MessageOf<"end">;
  Deno.mkdirSync(`${linked.file}.new/in the way`, { recursive: true });
  dialed.session.send({ type: "stored", sizeBytes: offer.sizeBytes!, crc });
  await dialed.session.flush();
  await linked.logged("get", 1);
  assertEquals(linked.faults.length, 1);
  Deno.removeSync(`${linked.file}.new`, { recursive: true });
  await assertRejectsCode(() => get(linked, secret, "a.txt"), "link_refused");
});

Deno.test("a turn is lost by who moved nothing for a while, and by nobody else", () => {
  let now = 0;
  const turns = new Turns(() => now);
  const ends: string[] = [];
  const user = (name: string) => ({
    dataBytesMoved: 0,
    dataBytesReused: 0,
    close: ({ code }: AppError) => void ends.push(`${name} ${code}`),
  });
  const [one, two, three] = [user("one"), user("two"), user("three")];
  const first = turns.take(one);
  assertThrowsCode(() => turns.take(two), "busy");
  now += PARTIAL_SILENCE_MAX_MS;
  one.dataBytesMoved = 1;
  assertThrowsCode(() => turns.take(two), "busy");
  now += PARTIAL_SILENCE_MAX_MS;
  one.dataBytesReused = 1;
  assertThrowsCode(() => turns.take(two), "busy");
  now += PARTIAL_SILENCE_MAX_MS - 1;
  assertThrowsCode(() => turns.take(two), "busy");
  assertEquals([first.isHeld(), ends], [true, []]);
  now += 1;
  const second = turns.take(two);
  assertEquals([first.isHeld(), second.isHeld(), ends], [false, true, ["one busy"]]);
  first.release();
  assertThrowsCode(() => turns.take(three), "busy");
  second.release();
  turns.take(three);
  assertEquals(ends.length, 1);
});

Deno.test("a link for one transfer moves no tree, and is as good for a file after that; another link moves it", async () => {
  await using linked = startLinked({ "in/a.txt": "content", "in/b.txt": "other" });
  using here = temporaryDirectory();
  Deno.writeTextFileSync(`${here.path}/mine`, "new");
  const once = await linked.link({ isOnce: true, right: "write" });
  const often = await linked.link({ right: "write" });
  const movers = [
    (client: Client) => pullTree(client, "in", new LocalTree(here.path)),
    (client: Client) => pushTree(client, new LocalTree(here.path), "new"),
  ];
  for (const move of movers) {
    await using client = linked.client(once);
    const { message } = await assertRejectsCode(() => move(client), "not_allowed");
    assertStringIncludes(message, "good for one file");
  }
  assertEquals([...Deno.readDirSync(here.path)].map(({ name }) => name), ["mine"]);
  assertEquals([...Deno.readDirSync(linked.root)].map(({ name }) => name), ["in"]);
  assertEquals(new TextDecoder().decode(await get(linked, once, "in/a.txt")), "content");
  for (const move of movers) {
    await using client = linked.client(often);
    assertEquals((await move(client)).failed, 0);
  }
  assertEquals(Deno.readTextFileSync(`${linked.root}/new/mine`), "new");
});
