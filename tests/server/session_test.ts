/** Requests of one session and of several: in order, and none harms another. */
import { getFile, intoTree, LocalTree, putFile } from "../../client/mod.ts";
import { crc32 } from "../../protocol/wire/crc32.ts";
import type { FieldMessage } from "../../protocol/wire/messages/mod.ts";
import { Random } from "../support/random.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { temporaryDirectory } from "../support/program.ts";
import { exchange, openSession, RawConnection, receive, soon, startServed } from "./served.ts";

const FILES = { "a.txt": "content", "b.txt": "bb", "dir/c.txt": "c" };

/** What a test looks at of a message. */
function brief(message: Record<string, unknown>): string {
  const { type, code, entries, name } = message;
  const names = (entries as { name: string }[] | undefined)?.map((entry) => entry.name).join(",");
  return [type, code, names ?? name].filter((part) => part !== undefined).join(" ");
}

Deno.test("requests that are sent all at once are answered in order, errors included", async () => {
  await using served = startServed(FILES, { allowRemove: true });
  using opened = await openSession(served.port);
  const requests: FieldMessage[] = [
    { type: "list", name: "" },
    { type: "stat", name: "nowhere" },
    { type: "stat", name: "a.txt" },
    { type: "remove", name: "b.txt" },
    { type: "stat", name: "b.txt" },
    { type: "mkdir", name: "../out" },
    { type: "move", from: "a.txt", to: "dir/a.txt" },
    { type: "list", name: "dir" },
    { type: "digest", name: "dir/a.txt" },
  ];
  for (const request of requests) opened.session.send(request);
  const answers: string[] = [];
  while (answers.at(-1) !== "checksum") answers.push(brief({ ...await soon(opened.session.receive(), "an answer") }));
  assertEquals(answers, [
    "entries a.txt,b.txt,dir",
    "done",
    "error 10",
    "entries a.txt",
    "done",
    "done",
    "error 10",
    "error 15",
    "done",
    "entries a.txt,c.txt",
    "done",
    "checksum",
  ]);
});

Deno.test("requests that come while a file is put wait for its end", async () => {
  await using served = startServed(FILES);
  using opened = await openSession(served.port);
  const { session } = opened;
  const bytes = new TextEncoder().encode("new content");
  session.send({ type: "offer", name: "new.txt", sizeBytes: bytes.length, eager: true });
  session.send({ type: "stat", name: "new.txt" });
  const buffer = new Uint8Array(bytes.length + 9);
  buffer.set(bytes, 5);
  await session.sendData(buffer, bytes.length);
  session.send({ type: "end", sizeBytes: bytes.length, crc: crc32(bytes) });
  await receive(session, "stored");
  const entries = await receive(session, "entries");
  assertEquals(brief({ ...entries }), "entries new.txt");
});

Deno.test("an error in one request leaves the session usable for every other", async () => {
  await using served = startServed(FILES);
  using here = temporaryDirectory();
  Deno.writeTextFileSync(`${here.path}/a.txt`, "other");
  await using client = served.client();
  const failing: (() => Promise<unknown>)[] = [
    () => client.stat("nowhere"),
    () => client.digest("dir"),
    () => client.remove("a.txt"),
    () => client.move("a.txt", "b.txt"),
    () => client.makeDirectory("a.txt/x"),
    () => Array.fromAsync(client.list("nowhere")),
    () => putFile(client, `${here.path}/a.txt`, "a.txt"),
    () => putFile(client, `${here.path}/a.txt`, "b.txt/x"),
    () => getFile(client, "nowhere", intoTree(new LocalTree(here.path), "nowhere", "error")),
    () => getFile(client, "dir", intoTree(new LocalTree(here.path), "dir", "error")),
  ];
  const peers = new Set<string>();
  for (const fail of failing) {
    const failed = await fail().then(() => false, () => true);
    assert(failed);
    assertEquals((await client.stat("a.txt")).sizeBytes, 7);
    served.records.forEach(({ peer }) => peers.add(peer));
  }
  assertEquals(peers.size, 1, "it is still the first connection");
});

Deno.test("one connection's garbage does not disturb another in the middle of a transfer", async () => {
  const bytes = new Random(4).bytes(6_000_000);
  await using served = startServed({ ...FILES, "large.bin": bytes });
  using here = temporaryDirectory();
  await using client = served.client();
  let strangers = 0;
  const pending: Promise<unknown>[] = [];
  const onProgress = () => {
    if (strangers++ >= 20) return;
    pending.push(
      exchange(served.port, "garbage".repeat(1_000)),
      exchange(served.port, "GET / HTTP/1.1\r\n\r\n"),
      cutOff(),
    );
  };
  const result = await getFile(client, "large.bin", intoTree(new LocalTree(here.path), "large.bin", "error"), {
    onProgress,
  });
  await Promise.all(pending);
  assertEquals([result.crc, result.resumedBytes], [crc32(bytes), 0]);
  assertEquals(Deno.readFileSync(`${here.path}/large.bin`), bytes);
  assert(pending.length > 10);

  async function cutOff(): Promise<void> {
    using opened = await openSession(served.port);
    opened.session.send({ type: "get", name: "large.bin", eager: true });
    await opened.session.flush();
    await opened.stream.write(new Uint8Array(1_000));
  }
});

Deno.test("a client that does not read what it asked for does not hold up another", async () => {
  await using served = startServed({ ...FILES, "large.bin": new Uint8Array(20_000_000) });
  using stuck = await openSession(served.port);
  stuck.session.send({ type: "get", name: "large.bin", eager: true });
  await stuck.session.flush();
  await using client = served.client();
  for (let round = 0; round < 20; round++) assertEquals((await client.stat("a.txt")).sizeBytes, 7);
});

Deno.test("every request leaves one record: peer, request, name, bytes and result", async () => {
  await using served = startServed(FILES, { allowRemove: true });
  using here = temporaryDirectory();
  Deno.writeTextFileSync(`${here.path}/file`, "12345");
  await using client = served.client();
  await Array.fromAsync(client.list(""));
  await client.stat("a.txt");
  await getFile(client, "a.txt", intoTree(new LocalTree(here.path), "a.txt", "error"));
  await putFile(client, `${here.path}/file`, "b.txt", { ifExists: "rename" });
  await client.makeDirectory("x");
  await client.move("a.txt", "x/a.txt");
  await client.move("b.txt", "x/a.txt", "rename");
  await client.remove("x/a.txt");
  await client.digest("dir/c.txt");
  await client.stat("gone").catch(() => {});
  const rows = served.records.map(({ request, name, bytes, result }) => [request, name, bytes, result]);
  assertEquals(rows, [
    ["list", "", 0, "done"],
    ["stat", "a.txt", 0, "done"],
    ["get", "a.txt", 7, "done"],
    ["put", "b (2).txt", 5, "done"],
    ["mkdir", "x", 0, "done"],
    ["move", "a.txt -> x/a.txt", 0, "done"],
    ["move", "b.txt -> x/a (2).txt", 0, "done"],
    ["remove", "x/a.txt", 0, "done"],
    ["digest", "dir/c.txt", 0, "done"],
    ["stat", "gone", 0, "not_found"],
  ]);
  for (const { peer, durationMs, time } of served.records) {
    assert(/^127\.0\.0\.1:\d+$/.test(peer) && durationMs >= 0 && Math.abs(Date.now() - time.getTime()) < 60_000);
  }
});

Deno.test("a transfer that breaks off leaves a record, and its connection too", async () => {
  await using served = startServed({ "large.bin": new Uint8Array(20_000_000) });
  const opened = await openSession(served.port);
  opened.session.send({ type: "get", name: "large.bin", eager: true });
  await receive(opened.session, "offer");
  opened[Symbol.dispose]();
  await soon(served.server.stop(), "the end");
  assertEquals(served.records.map(({ request, result }) => [request, result]), [["get", "lost"]]);
});

Deno.test("a connection with two openings in one packet is served from the bytes that came early", async () => {
  await using served = startServed(FILES);
  using conn = await RawConnection.open(served.port);
  await conn.write("APP/1 list dir\nAPP/1 list\n");
  assertEquals(await conn.readAll(), "APP/1 ok\nc.txt\n");
});

for (const request of [{ type: "list", name: "" }, { type: "digest", name: "a.txt" }] as const) {
  Deno.test(`what is no part of a reply ends the session that asked for a ${request.type}, and a cancel only the reply`, async () => {
    await using served = startServed(FILES);
    using wrong = await openSession(served.port);
    wrong.session.send(request);
    wrong.session.send({ type: "from", offset: 0 });
    const failure = await soon(
      (async () => {
        for (;;) await wrong.session.receive();
      })().catch((error) => error),
      "a goodbye",
    );
    assertEquals([failure.code, failure.by], ["order", "peer"]);
    using right = await openSession(served.port);
    right.session.send(request);
    right.session.send({ type: "cancel" });
    right.session.send({ type: "stat", name: "a.txt" });
    const answers: string[] = [];
    while (answers.at(-1) !== "entries a.txt") {
      answers.push(brief({ ...await soon(right.session.receive(), "an answer") }));
    }
    assert(answers.length > 1);
  });
}
