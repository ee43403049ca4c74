/** What a server does with those who speak something else, too much, too slowly, or not at all. */
import { crc32 } from "../../protocol/wire/crc32.ts";
import { ByteWriter } from "../../protocol/wire/fields.ts";
import { FrameDecoder } from "../../protocol/wire/frame.ts";
import { decodeMessage, encodeMessage, type FieldMessage, type Message } from "../../protocol/wire/messages/mod.ts";
import { Random } from "../support/random.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../support/assert.ts";
import { withFastClock } from "./fast_clock.ts";
import { exchange, openSession, RawConnection, receive, type Served, soon, startServed } from "./served.ts";

const READABLE = /^This is app, which speaks APP\/1: try app list HOST PORT\n$/;

async function assertStillServes(served: Served): Promise<void> {
  await using client = served.client();
  assertEquals((await client.stat("a.txt")).sizeBytes, 7);
}

function frameOf(message: FieldMessage): Uint8Array {
  const writer = new ByteWriter();
  encodeMessage(message, writer, crc32);
  return writer.written().slice();
}

/** The messages in `bytes`, which are whole frames and nothing else. */
function messagesOf(bytes: Uint8Array): Message[] {
  const decoder = new FrameDecoder(crc32);
  decoder.push(bytes);
  const messages: Message[] = [];
  for (let frame = decoder.next(); frame; frame = decoder.next()) messages.push(decodeMessage(frame)!);
  assert(!decoder.isInsideFrame, "bytes are left over");
  return messages;
}

Deno.test("garbage, HTTP and TLS get an answer that their senders can read, and do no harm", async () => {
  await using served = startServed({ "a.txt": "content" }, { formats: ["app"] });
  const tls = Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03);
  const garbage = new Random(3).bytes(100_000);
  garbage[0] = 0;
  const cases: readonly (readonly [content: string | Uint8Array, answer: RegExp])[] = [
    ["hello\n", READABLE],
    ["\n", READABLE],
    ["app/1 list\n", READABLE],
    ["APP/2 list\n", READABLE],
    ["APP", READABLE],
    ["SSH-2.0-x\r\n", READABLE],
    [garbage, READABLE],
    [tls, READABLE],
    ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", /^HTTP\/1\.1 400 [^]*\r\n\r\nThis is app, which speaks APP\/1/],
    ["POST /x HTTP/1.1\r\n\r\n" + "y".repeat(50_000), /^HTTP\/1\.1 400 /],
    ["PRI * HTTP/2.0\r\n\r\n", /^HTTP\/1\.1 400 /],
  ];
  for (const [content, answer] of cases) {
    assertMatch(await exchange(served.port, content), answer);
    await assertStillServes(served);
  }
  const results = served.records.filter(({ request }) => request === "opening").map(({ result }) => result);
  assertEquals(results, new Array(cases.length).fill("not_app"));
});

Deno.test("the log names an old format that is not served, where it is sure", async () => {
  await using served = startServed({}, { formats: ["app", "greeting"], limits: { quietMs: 20 } });
  const cases: readonly (readonly [content: string | Uint8Array, named: string | undefined])[] = [
    [Uint8Array.of(0x78, 0x9c, 0x4b, 0xb6), "packet"],
    ["get,img.jpg", "share"],
    ["put,img.jpg", "share"],
    ["list", "share"],
    ["img.jpg", undefined],
    ["get img.jpg", undefined],
    [Uint8Array.of(0, 1), undefined],
  ];
  for (const [content] of cases) await exchange(served.port, content);
  const details = served.records.map(({ detail }) => /format (\w+), which is not served/.exec(detail!)?.[1]);
  assertEquals(details, cases.map(([, named]) => named));
  assertEquals(new Set(served.records.map(({ result }) => result)), new Set(["not_app"]));
});

Deno.test("an answer to HTTP has the length that it says", async () => {
  await using served = startServed();
  const [head, body] = (await exchange(served.port, "GET / HTTP/1.1\r\n\r\n")).split("\r\n\r\n");
  assertStringIncludes(head!, `Content-Length: ${body!.length}`);
});

Deno.test("a connection that says nothing and ends leaves no trace", async () => {
  await using served = startServed({ "a.txt": "content" });
  assertEquals(await exchange(served.port, ""), "");
  await assertStillServes(served);
  assertEquals(served.records.map(({ request }) => request), ["stat"]);
});

Deno.test("an opening line of 1,024 bytes is taken, and one byte more is not", async () => {
  await using served = startServed({ "a.txt": "content" });
  const lineOf = (length: number) => "APP/1 ping " + "x".repeat(length - 12) + "\n";
  assertEquals(await exchange(served.port, lineOf(1_024)), "APP/1 ok\nbeat\n");
  assertMatch(await exchange(served.port, lineOf(1_025)), /^APP\/1 refused=malformed\n$/);
  assertMatch(await exchange(served.port, "APP/1 " + "x".repeat(500_000)), /^APP\/1 refused=malformed\n$/);
  assertEquals(served.records.map(({ result }) => result), ["done", "malformed", "malformed"]);
  await assertStillServes(served);
});

Deno.test("an opening that comes one byte at a time is taken", async () => {
  await using served = startServed();
  using conn = await RawConnection.open(served.port);
  for (const letter of "APP/1 ping\n") await conn.write(letter);
  assertEquals(await conn.readAll(), "APP/1 ok\nbeat\n");
});

Deno.test("an opening that does not come in time ends the connection, and one that comes does not", async () => {
  await using served = startServed({ "a.txt": "content" }, { limits: { openingTimeoutMs: 100 } });
  using opened = await openSession(served.port);
  await opened.session.flush(); // `hello` belongs to the opening
  using silent = await RawConnection.open(served.port);
  using slow = await RawConnection.open(served.port);
  await slow.write("APP/1 pi");
  await soon(Promise.all([silent.readBytes(), slow.readBytes()]), "the end of slow openings");
  assertEquals(served.records.map(({ request, result }) => [request, result]), new Array(2).fill(["opening", "idle"]));
  opened.session.send({ type: "stat", name: "a.txt" });
  await receive(opened.session, "entries");
});

Deno.test("an idle session is closed, and one that pings is not", async () => {
  await withFastClock(50, async () => {
    await using served = startServed({ "a.txt": "content" }, { limits: { idleTimeoutMs: 20_000 } });
    using lively = await openSession(served.port);
    using silent = await openSession(served.port);
    lively.session.send({ type: "stat", name: "a.txt" });
    await receive(lively.session, "entries");
    await receive(lively.session, "done");
    using _alive = lively.session.keepAlive();
    const failure = await soon(silent.session.receive().catch((error) => error), "the end", 500_000);
    assertEquals(failure.name, "AppError");
    lively.session.send({ type: "stat", name: "a.txt" });
    await receive(lively.session, "entries");
  });
});

Deno.test("a client that falls silent under its request is closed, although the server sends pings", async () => {
  await withFastClock(50, async () => {
    await using served = startServed({ "a.txt": "content" }, { limits: { idleTimeoutMs: 20_000 } });
    using opened = await openSession(served.port);
    opened.session.send({ type: "get", name: "a.txt" });
    await receive(opened.session, "offer");
    const sink = new Uint8Array(1_024);
    const ended = (async () => {
      while (await opened.stream.read(sink).catch(() => null) !== null);
    })();
    try {
      await soon(ended, "the end of an idle limit of 20 s, after 100 s", 100_000);
    } finally {
      opened.stream.close();
      await ended;
    }
  });
});

Deno.test("an opening that was damaged on its way is told in a goodbye", async () => {
  await using served = startServed({ "a.txt": "content" });
  using conn = await RawConnection.open(served.port);
  await conn.write("APP/1 agent=x\n");
  const received = await conn.readLine();
  assertMatch(received, /^APP\/1 agent=app data-max=262144$/);
  await conn.write(frameOf({ type: "hello", sent: "APP/1 agent=y", received }));
  await conn.end();
  assertEquals(messagesOf(await conn.readBytes()).map((message) => "code" in message && message.code), [2]);
});

Deno.test("garbage behind the opening is told in a goodbye, and leaves a line in the log", async () => {
  await using served = startServed({ "a.txt": "content" });
  using conn = await RawConnection.open(served.port);
  await conn.write("APP/1 agent=x\n");
  await conn.readLine();
  await conn.write("this is no frame at all");
  await conn.end();
  assertEquals(messagesOf(await conn.readBytes()).map(({ type }) => type), ["goodbye"]);
  assertEquals(served.records.map(({ result }) => result), ["damaged"]);
  await assertStillServes(served);
});

Deno.test("garbage between two requests is told in a goodbye, and leaves a line in the log", async () => {
  await using served = startServed({ "a.txt": "content" });
  using opened = await openSession(served.port);
  opened.session.send({ type: "stat", name: "a.txt" });
  await receive(opened.session, "entries");
  await receive(opened.session, "done");
  await opened.stream.write(new TextEncoder().encode("this is no frame at all"));
  const failure = await soon(opened.session.receive().catch((error) => error), "a goodbye");
  assertEquals([failure.code, failure.by], ["damaged", "peer"]);
  opened.stream.close();
  await assertStillServes(served);
  assertEquals(served.records.map(({ result }) => result), ["done", "damaged", "done"]);
});
