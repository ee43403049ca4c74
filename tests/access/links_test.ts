/** Links over time: taken away, expired, unreadable; and what is kept of them. */
import { AppError } from "../../protocol/errors.ts";
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import { changeLinkFile, readLinkFile } from "../../server/access/link_file.ts";
import { forgetStart, noteStart, revokeLinks } from "../../server/access/make_link.ts";
import { Links } from "../../server/access/links.ts";
import { assert, assertEquals, assertRejectsCode, assertThrowsCode } from "../support/assert.ts";
import { temporaryDirectory } from "../support/program.ts";
import { receive, soon } from "../server/served.ts";
import { CHANNELS, KEY, type Linked, startLinked } from "./linked.ts";

const QUICK = { lookEveryMs: 5 };
const BIG = new Uint8Array(8 * BLOCK_BYTES).fill(7);
const WEEK_MS = 7 * 24 * 3_600_000;

async function open(linked: Linked, secret: string) {
  const target = { host: "127.0.0.1", port: linked.served.port, secret };
  return await CHANNELS[0].dial({ target, agent: "test", timeoutMs: 10_000 });
}

/** The code that a session ends with. */
async function endOf(dialed: Awaited<ReturnType<typeof open>>): Promise<string> {
  const end = (async () => {
    for (;;) await dialed.session.receive();
  })().catch((error) => error);
  return (await soon(end, "the end of the session")).code;
}

Deno.test("an idle session ends when its link is revoked, with the reason, and others go on", async () => {
  await using linked = startLinked({ "a.txt": "content" }, {}, QUICK);
  const [one, other] = [await linked.link({ label: "one" }), await linked.link({ label: "other" })];
  using revoked = await open(linked, one);
  using kept = await open(linked, other);
  revoked.session.send({ type: "stat", name: "a.txt" });
  await receive(revoked.session, "entries");
  await receive(revoked.session, "done");
  await revokeLinks(linked.file, ["one"]);
  assertEquals(await endOf(revoked), "link_refused");
  kept.session.send({ type: "stat", name: "a.txt" });
  await receive(kept.session, "entries");
  const { message } = await assertRejectsCode(() => stat(linked, one), "link_refused");
  assertEquals(message, `May not list "a.txt": the link was revoked`);
});

async function stat(linked: Linked, secret: string): Promise<void> {
  await using client = linked.client(secret);
  await client.stat("a.txt");
}

Deno.test("a get and a put end when their link is revoked, and nothing of the put is visible", async () => {
  await using linked = startLinked({ "big.bin": BIG }, {}, QUICK);
  const secret = await linked.link({ label: "one", right: "write" });
  using getting = await open(linked, secret);
  using putting = await open(linked, secret);
  getting.session.send({ type: "get", name: "big.bin", eager: true });
  await receive(getting.session, "offer");
  putting.session.send({ type: "offer", name: "new.bin", sizeBytes: BIG.length, mtimeMs: 1 });
  await receive(putting.session, "accept");
  await revokeLinks(linked.file, ["one"]);
  await linked.logged("get", 1);
  await linked.logged("put", 1);
  assertEquals(linked.served.records.map(({ result }) => result), ["link_refused", "link_refused"]);
  assertEquals(Array.from(Deno.readDirSync(linked.root), ({ name }) => name), ["big.bin"]);
});

Deno.test("a link expires between requests, and a transfer that is under way may end", async () => {
  let nowMs = Date.now();
  await using linked = startLinked({ "big.bin": BIG, "a.txt": "content" }, {}, { ...QUICK, now: () => nowMs });
  const secret = await linked.link({ forMs: 3_600_000 });
  using dialed = await open(linked, secret);
  const { session } = dialed;
  session.send({ type: "get", name: "big.bin" });
  await receive(session, "offer");
  nowMs += 3_500_000;
  await stat(linked, secret);
  nowMs += 200_000;
  await assertRejectsCode(() => stat(linked, secret), "link_refused");
  session.send({ type: "accept", blocks: 0 });
  let message = await session.receive();
  for (; message.type !== "end"; message = await session.receive());
  session.send({ type: "stored", sizeBytes: message.sizeBytes, crc: message.crc });
  session.send({ type: "stat", name: "a.txt" });
  assertEquals((await session.receive()).type, "error");
  await linked.logged("get", 1);
  assertEquals(linked.served.records.find(({ request }) => request === "get")?.result, "done");
});

Deno.test("an unreadable file of links lets nobody in, throws nobody out, and is not overwritten", async () => {
  await using linked = startLinked({ "a.txt": "content" }, { limits: { secretWaitMaxMs: 1 } }, QUICK);
  const secret = await linked.link({ label: "one" });
  const text = Deno.readTextFileSync(linked.file);
  await using client = linked.client(secret);
  await client.stat("a.txt");
  const record = text.slice(text.indexOf("[") + 1, text.lastIndexOf("]"));
  const damages = [
    "",
    text.slice(0, -20),
    text.replace('"version": 1', '"version": 2'),
    text.replace('"read"', '"everything"'),
    text.replace('"createdMs"', '"createdMinutes"'),
    text.replace(/"digest": "../, '"digest": "'),
    text.replace(record, record + ", null"),
    "[]",
    "null",
  ];
  for (const damaged of damages) {
    Deno.writeTextFileSync(linked.file, damaged);
    await client.stat("a.txt");
    await assertRejectsCode(() => stat(linked, secret), "link_refused");
    await assertRejectsCode(() => linked.link(), "failed");
    await assertRejectsCode(() => revokeLinks(linked.file, ["one"]), "failed");
    assertEquals(Deno.readTextFileSync(linked.file), damaged);
    assertThrowsCode(() => new Links({ file: linked.file, root: linked.root }), "failed");
  }
  assertEquals(linked.faults.length, damages.length);
  Deno.writeTextFileSync(linked.file, text);
  await stat(linked, secret);
});

Deno.test("no file is no links: who is in is out", async () => {
  await using linked = startLinked({ "a.txt": "content" }, {}, QUICK);
  using dialed = await open(linked, await linked.link());
  Deno.removeSync(linked.file);
  assertEquals(await endOf(dialed), "link_refused");
});

Deno.test("the file has no secret in it, is its owner's alone, and forgets what ended a week ago", async () => {
  await using linked = startLinked();
  const secrets = [await linked.link(), await linked.link({ right: "drop", isOnce: true }), await linked.link()];
  const text = Deno.readTextFileSync(linked.file);
  for (const secret of secrets) assert(!text.includes(secret.slice(0, 8)));
  assertEquals(Deno.statSync(linked.file).mode! & 0o777, 0o600);
  assertEquals(readLinkFile(linked.file).links.map(({ label }) => label), ["read", "drop", "read-2"]);
  const ages = [WEEK_MS + 1, WEEK_MS - 60_000, 0];
  await changeLinkFile(linked.file, (file) => ({
    ...file,
    links: file.links.map((link, index) => ({ ...link, expiresMs: Date.now() - ages[index]! })),
  }));
  assertEquals(readLinkFile(linked.file).links.map(({ label }) => label), ["drop", "read-2"]);
});

Deno.test("a label is taken by a link that is good, and free behind one that is not", async () => {
  await using linked = startLinked();
  await linked.link({ label: "kim" });
  await assertRejectsCode(() => linked.link({ label: "kim" }), "exists");
  await revokeLinks(linked.file, ["kim"]);
  await linked.link({ label: "kim", right: "drop" });
  assertEquals(readLinkFile(linked.file).links.map(({ label, right }) => [label, right]), [["kim", "drop"]]);
  await assertRejectsCode(() => revokeLinks(linked.file, ["kim", "none"]), "not_found");
  assertEquals(readLinkFile(linked.file).links[0]!.revokedMs, undefined);
});

Deno.test("writers in different places take turns: no link is lost", async () => {
  await using linked = startLinked();
  await Promise.all(Array.from({ length: 10 }, () => linked.link()));
  const labels = readLinkFile(linked.file).links.map(({ label }) => label);
  assertEquals(new Set(labels).size, 10);
});

Deno.test("the link of a start takes the place of the last one, and goes with its server", async () => {
  using state = temporaryDirectory();
  const file = `${state.path}/links.json`;
  const starts = (...more: string[]) => {
    assertEquals(readLinkFile(file).links.map(({ label, root, start }) => `${label} ${root} ${start?.run}`), more);
  };
  const place = (port: number) => ({ host: "h", port, key: KEY });
  const first = await noteStart(file, "/a", place(1), "run1");
  await noteStart(file, "/a", place(1), "run2");
  await noteStart(file, "/b", place(1), "run3");
  await noteStart(file, "/a", place(2), "run4");
  assertEquals(await noteStart(file, "/c", place(3)), undefined);
  starts("start-1 /a run2", "start-1-2 /b run3", "start-2 /a run4");
  assertEquals(readLinkFile(file).places, { "/a": place(2), "/b": place(1), "/c": place(3) });
  using links = new Links({ file, root: "/a", run: "run2" });
  await assertRejectsCode(() => links.redeem(first!, "peer"), "link_refused");
  await forgetStart(file, "run2");
  starts("start-1-2 /b run3", "start-2 /a run4");
});

Deno.test("the link of a start is good for the server that made it alone", async () => {
  using state = temporaryDirectory();
  const file = `${state.path}/links.json`;
  const secret = (await noteStart(file, "/a", { host: "h", port: 1, key: KEY }, "run1"))!;
  for (
    const [run, root, fault] of [
      ["run1", "/a", undefined],
      ["run2", "/a", "the link was for a server that has ended"],
      [undefined, "/a", "the link was for a server that has ended"],
      ["run1", "/b", "the link is for another directory"],
    ] as const
  ) {
    using links = new Links({ file, root, ...(run ? { run } : {}) });
    assertEquals((await links.redeem(secret, "peer")).fault!(), fault);
  }
});

Deno.test("a change that cannot be written leaves what was there", async () => {
  await using linked = startLinked();
  await linked.link({ label: "one" });
  const text = Deno.readTextFileSync(linked.file);
  Deno.mkdirSync(`${linked.file}.new/x`, { recursive: true });
  const error = await linked.link().catch((error) => error);
  assert(error instanceof AppError);
  assertEquals(Deno.readTextFileSync(linked.file), text);
});
