/** Connections that begin as no client does: something else, nothing, or too slowly. Others are served meanwhile. */
import { Client } from "../../../client/mod.ts";
import { SERVER_LIMITS } from "../../../protocol/limits.ts";
import { crc32 } from "../../../protocol/wire/crc32.ts";
import { withFastClock } from "../../server/fast_clock.ts";
import { exchange, openSession, RawConnection, receive, startServed } from "../../server/served.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "../../support/assert.ts";
import { ServerProcess, temporaryDirectory } from "../../support/program.ts";
import { Random } from "../../support/random.ts";
import { encode } from "../../wire/decoding.ts";
import { assertNoDefect } from "./refusals.ts";

const READABLE = /^This is app, which speaks APP\/1: try app list HOST PORT\n$/;

/** What comes first, and what its sender can read. */
const FIRST: readonly (readonly [what: string, content: string | Uint8Array, answer: RegExp])[] = [
  ["a line of text", "hello\n", READABLE],
  ["zeros", new Uint8Array(100_000), READABLE],
  ["garbage", Uint8Array.of(0xff, ...new Random(5).bytes(100_000)), READABLE],
  ["an SSH client", "SSH-2.0-OpenSSH_9.6\r\n", READABLE],
  ["a later version", "APP/2 agent=x\n", READABLE],
  ["a TLS hello", Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, ...new Array(500).fill(7)), READABLE],
  ["an HTTP request", "GET /file HTTP/1.1\r\nHost: x\r\n\r\n", /^HTTP\/1\.1 400 [^]*\r\n\r\nThis is app/],
  ["an HTTP request with a body", "PUT /file HTTP/1.1\r\n\r\n" + "y".repeat(200_000), /^HTTP\/1\.1 400 /],
  ["a line without an end", "APP/1 agent=" + "x".repeat(500_000), /^APP\/1 refused=malformed\n$/],
  ["abilities that are none", "APP/1 data-max=-1\n", /^APP\/1 refused=malformed\n$/],
  ["half of a line", "APP/1 agent=x", /^$/],
  ["nothing", "", /^$/],
];

async function assertServes(port: number): Promise<void> {
  await using client = new Client({ host: "127.0.0.1", port }, { retries: 0 });
  assertEquals((await client.stat("file")).sizeBytes, 7);
}

Deno.test("strangers get an answer that they can read from a real server, and others are served", async () => {
  using shared = temporaryDirectory();
  Deno.writeTextFileSync(`${shared.path}/file`, "content");
  await using server = await ServerProcess.start(shared.path);
  const port = Number(server.port);
  for (const [what, content, answer] of FIRST) {
    assertMatch(await exchange(port, content), answer, what);
    await assertServes(port);
  }
  assertEquals(await exchange(port, "APP/1 ping\n"), "APP/1 ok\nbeat\n");
  const { code, log } = await server.stop();
  assertEquals(code, 0);
  assertNoDefect(log);
});

Deno.test("browsers and TLS clients are answered, and the connection ends", async () => {
  using shared = temporaryDirectory();
  Deno.writeTextFileSync(`${shared.path}/file`, "content");
  await using server = await ServerProcess.start(shared.path);
  const port = Number(server.port);
  const response = await fetch(`http://127.0.0.1:${port}/file`);
  assertEquals(response.status, 400);
  assertMatch(await response.text(), READABLE);
  await assertRejects(async () => {
    using tls = await Deno.connectTls({ hostname: "127.0.0.1", port });
    await tls.handshake();
  });
  await assertServes(port);
  assertNoDefect((await server.stop()).log);
});

/** How much faster the clock runs where a default limit is waited for. */
const FASTER = 50;

/** A second on that clock. */
function second(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1_000));
}

Deno.test("who says nothing, or one byte a second, is closed when the opening's time is over", async () => {
  await withFastClock(FASTER, async () => {
    await using served = startServed({ "file": "content" });
    const start = performance.now();
    using silent = await RawConnection.open(served.port);
    using slow = await RawConnection.open(served.port);
    const line = new TextEncoder().encode("APP/1 agent=slowly data-max=262144\n");
    const writing = writeSlowly(slow, line);
    const patience = SERVER_LIMITS.openingTimeoutMs * 10;
    assertEquals((await silent.readBytes(patience)).length, 0);
    assertEquals((await slow.readBytes(patience).catch(() => [])).length, 0, "reset, or ended without a word");
    assert(performance.now() - start > 0.9 * SERVER_LIMITS.openingTimeoutMs, "they had all of their time");
    assert(await writing < line.length, "the slow one was not waited for");
    assertEquals(served.records.map(({ request, result }) => `${request} ${result}`), ["opening idle", "opening idle"]);
    await assertServes(served.port);
  });
});

/** Writes a byte a second until all are written, or the connection is gone; how many were. */
async function writeSlowly(conn: RawConnection, bytes: Uint8Array): Promise<number> {
  for (let count = 0; count < bytes.length; count++) {
    try {
      await conn.write(bytes.subarray(count, count + 1));
    } catch {
      return count;
    }
    await second();
  }
  return bytes.length;
}

Deno.test("a file that comes one byte a second is taken, however long that lasts, and others are served", async () => {
  await withFastClock(FASTER, async () => {
    await using served = startServed({ "file": "content" }, { limits: { idleTimeoutMs: 20_000 } });
    using opened = await openSession(served.port);
    const bytes = new TextEncoder().encode("twenty-five seconds long.");
    opened.session.send({ type: "offer", name: "slow", sizeBytes: bytes.length, eager: true });
    await opened.session.flush();
    for (const byte of bytes) {
      await opened.stream.write(encode({ type: "data", bytes: Uint8Array.of(byte) }));
      await second();
    }
    await assertServes(served.port);
    opened.session.send({ type: "end", sizeBytes: bytes.length, crc: crc32(bytes) });
    await receive(opened.session, "stored");
    assertEquals(Deno.readFileSync(`${served.root}/slow`), bytes);
  });
});

Deno.test("a message that comes one byte a second ends its connection when the idle limit is over", async () => {
  await withFastClock(FASTER, async () => {
    await using served = startServed({ "file": "content" }, { limits: { idleTimeoutMs: 20_000 } });
    using opened = await openSession(served.port);
    opened.session.send({ type: "offer", name: "slow", sizeBytes: 100_000, eager: true });
    await opened.session.flush();
    const frame = encode({ type: "data", bytes: new Uint8Array(100_000) });
    const start = performance.now();
    let sent = 0;
    for (; served.records.length === 0 && sent < 1_000; sent++) {
      await opened.stream.write(frame.subarray(sent, sent + 1)).catch(() => {});
      await second();
    }
    assert(performance.now() - start >= 20_000, "it had its time");
    assertEquals(served.records.map(({ request, result }) => `${request} ${result}`), ["put idle"]);
    await assertServes(served.port);
  });
});
