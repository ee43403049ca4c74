/** Servers that lie: a client trusts them no more than they trust it. */
import { Client, getFile, intoTree, LocalTree } from "../../client/mod.ts";
import type { Session } from "../../protocol/exchange/session.ts";
import { crc32 } from "../../protocol/wire/crc32.ts";
import { assertEquals, assertRejectsCode, assertStringIncludes } from "../support/assert.ts";
import { temporaryDirectory } from "../support/program.ts";
import { answering, answeringText, type FakeServer, sendData } from "./fake_server.ts";

function clientOf(server: FakeServer): Client {
  return new Client(server, { retries: 0, timeoutMs: 5_000 });
}

Deno.test("names that break the rule are left out of a list and counted", async () => {
  const bad = [
    "../x",
    "a/b",
    "\u001b[31m",
    "",
    ".",
    "..",
    "/etc",
    "a\\b",
    "con",
    ".app-x",
    "a\nb",
    "x".repeat(256),
    "e\u0301",
  ];
  await using server = answering((session) => {
    session.send({ type: "entries", entries: ["good", ...bad, "fine"].map((name) => ({ name, kind: 0 })) });
    session.send({ type: "done", hidden: 2 });
  });
  await using client = clientOf(server);
  const batches = await Array.fromAsync(client.list(""));
  assertEquals(batches.flatMap(({ entries }) => entries.map(({ name }) => name)), ["good", "fine"]);
  assertEquals(batches.reduce((sum, { hidden }) => sum + hidden, 0), bad.length + 2);
});

Deno.test("entries of an unknown kind are something else, and stat keeps the name that was asked for", async () => {
  await using server = answering((session) => {
    session.send({ type: "entries", entries: [{ name: "../evil", kind: 99 }] });
    session.send({ type: "done" });
  });
  await using client = clientOf(server);
  assertEquals(await client.stat("a"), { name: "a", kind: "other", sizeBytes: 0, mtimeMs: 0, mode: 0 });
});

Deno.test("an answer of another type is an error of order", async () => {
  const blake2b = new Uint8Array(64);
  const wrong: [answer: Parameters<Session["send"]>[0], ask: (client: Client) => Promise<unknown>][] = [
    [{ type: "done" }, (client) => client.stat("a")],
    [{ type: "done" }, (client) => client.digest("a")],
    [{ type: "entries", entries: [] }, (client) => client.remove("a")],
    [{ type: "checksum", sizeBytes: 1, crc: 1, blake2b }, (client) => client.makeDirectory("a")],
    [{ type: "stored", sizeBytes: 1, crc: 1 }, (client) => Array.fromAsync(client.list(""))],
    [{ type: "get", name: "a" }, (client) => client.stat("a")],
  ];
  for (const [answer, ask] of wrong) {
    await using server = answering((session) => session.send(answer));
    await using client = clientOf(server);
    const error = await assertRejectsCode(() => ask(client), "order");
    assertEquals([error.exit, error.retriable], [1, false], answer.type);
  }
});

Deno.test("a file that is offered under another name is stored under the one that was asked for", async () => {
  const bytes = new TextEncoder().encode("content");
  await using server = answering(async (session) => {
    session.send({ type: "offer", name: "../../evil", sizeBytes: bytes.length, eager: true });
    await sendData(session, bytes);
    session.send({ type: "end", sizeBytes: bytes.length, crc: crc32(bytes) });
    assertEquals((await session.receive()).type, "stored");
  });
  using here = temporaryDirectory();
  await using client = clientOf(server);
  const { name } = await getFile(client, "asked.txt", intoTree(new LocalTree(here.path), "asked.txt", "error"));
  assertEquals(name, "asked.txt");
  assertEquals(Array.from(Deno.readDirSync(here.path), (entry) => entry.name), ["asked.txt"]);
  assertEquals(Deno.readTextFileSync(`${here.path}/asked.txt`), "content");
});

Deno.test("a file with a wrong length or checksum never gets its name", async () => {
  const bytes = new TextEncoder().encode("content");
  const lies = [
    { sizeBytes: bytes.length, crc: (crc32(bytes) ^ 1) >>> 0 },
    { sizeBytes: bytes.length + 1, crc: crc32(bytes) },
  ];
  for (const end of lies) {
    await using server = answering(async (session) => {
      session.send({ type: "offer", name: "a", sizeBytes: bytes.length, eager: true });
      await sendData(session, bytes);
      session.send({ type: "end", ...end });
      assertEquals((await session.receive()).type, "error");
    });
    using here = temporaryDirectory();
    await using client = clientOf(server);
    const destination = intoTree(new LocalTree(here.path), "a", "error");
    await assertRejectsCode(() => getFile(client, "a", destination), "mismatch");
    assertEquals(Array.from(Deno.readDirSync(here.path), (entry) => entry.name), []);
  }
});

Deno.test("servers of other kinds are named as what they are", async () => {
  const texts = [
    "HTTP/1.1 400 Bad Request\r\n\r\n",
    "SSH-2.0-OpenSSH_9.6\r\n",
    "\x15\x03\x01\x00\x02\x02\x46",
    "220 smtp\r\n",
    "HTTP",
  ];
  for (const text of texts) {
    await using server = answeringText(text);
    await using client = clientOf(server);
    const error = await assertRejectsCode(() => client.stat("a"), "not_app");
    assertEquals(error.exit, 1);
    assertStringIncludes(error.message, `127.0.0.1:${server.port}`);
  }
});

Deno.test("openings of our format that are broken are malformed, and refusals are told", async () => {
  for (const text of ["APP/1 data-max=1\n", "APP/1 hello\n", `APP/1 x=${"y".repeat(2_000)}`, "APP/1 a=b c\n"]) {
    await using server = answeringText(text);
    await using client = clientOf(server);
    await assertRejectsCode(() => client.stat("a"), "malformed");
  }
  await using server = answeringText("APP/1 refused=too_many_connections\n");
  await using client = clientOf(server);
  assertEquals((await assertRejectsCode(() => client.stat("a"), "too_many_connections")).by, "peer");
  await using strange = answeringText("APP/1 refused=constructor\n");
  await using other = clientOf(strange);
  await assertRejectsCode(() => other.stat("a"), "internal");
});
