/** TLS on the one port: what begins as TLS is served inside it, what does not is told, and every end arrives as it was. */
import { Client, getFile, intoTree, LocalTree, putFile } from "../../client/mod.ts";
import { encodeAlert } from "../../protocol/tls/client_hello.ts";
import { assert, assertEquals, assertMatch, assertRejectsCode, assertStringIncludes } from "../support/assert.ts";
import { HAS_OPENSSL } from "../support/openssl.ts";
import { temporaryDirectory } from "../support/program.ts";
import { HarmfulProxy } from "../support/proxy.ts";
import { Random } from "../support/random.ts";
import { exchange, RawConnection, type Served, soon, startServed } from "./served.ts";
import { connectTls, exchangeTls, newIdentity, readText, writeText } from "./tls_served.ts";

const identity = await newIdentity();
const { key } = identity;
const BLOCK = 1_048_576;
const CONTENT = new Random(5).bytes(12 * BLOCK + 777);
const REFUSED = `APP/1 refused=tls_required key=${key}\n`;
const CLIENT_HELLO = (() => {
  const hellos = JSON.parse(Deno.readTextFileSync(new URL("../../fixtures/tls/client_hellos.json", import.meta.url)));
  const bytesOf = (name: string) => Uint8Array.from(hellos[name].match(/../g), (byte: string) => parseInt(byte, 16));
  return { good: bytesOf("openssl 3.0, TLS 1.3"), old: bytesOf("openssl 3.0, TLS 1.2") };
})();

function clientOf({ port }: { readonly port: number | string }, retries = 0): Client {
  return new Client({ host: "127.0.0.1", port: Number(port), key }, { retries, retryWaitMs: 0, timeoutMs: 10_000 });
}

async function assertStillServes(served: Served): Promise<void> {
  await using client = clientOf(served);
  await client.ping();
}

Deno.test("one port serves all formats inside TLS, and says in plain what it wants", async () => {
  const formats = ["app", "share", "packet", "greeting", "image"] as const;
  await using served = startServed({ "a.txt": "content" }, { identity, formats });
  assertEquals(await exchangeTls(served.port, key, "APP/1 ping\n"), "APP/1 ok\nbeat\n");
  assertEquals(await exchangeTls(served.port, key, "list"), "a.txt, ");
  assertEquals(await exchangeTls(served.port, key, "get,a.txt"), "passcontent");
  assertEquals(await exchangeTls(served.port, key, "a.txt"), "file-existscontent");
  assertMatch(await exchangeTls(served.port, key, "Client of me: 7"), /^Server of app: 42/);
  assertMatch(await exchangeTls(served.port, key, "GET / HTTP/1.1\r\n\r\n"), /^HTTP\/1\.1 400 /);
  await assertStillServes(served);
  assertEquals(await exchange(served.port, "APP/1 agent=x\n"), REFUSED);
  const words = await exchange(served.port, "APP/1 list\n");
  assert(words.startsWith(REFUSED), words);
  assertMatch(words, /\nThe server only speaks TLS, and this connection is not encrypted\nAsk the server's owner/);
  assertEquals(await exchange(served.port, "list"), "a.txt, ", "old formats were asked for, and know no TLS");
});

Deno.test("with a key only our own format is served, unless others are named", async () => {
  await using served = startServed({ "a.txt": "content" }, { identity });
  assertMatch(await exchange(served.port, "list"), /^This is app/);
  assertMatch(await exchangeTls(served.port, key, "list"), /^This is app/);
});

Deno.test("a server that allows plain connections serves both", async () => {
  await using served = startServed({ "a.txt": "content" }, { identity, plain: true });
  assertEquals(await exchange(served.port, "APP/1 ping\n"), "APP/1 ok\nbeat\n");
  await using plain = served.client();
  assertEquals((await plain.stat("a.txt")).sizeBytes, 7);
  await assertStillServes(served);
});

Deno.test("TLS inside TLS is refused, and so is TLS where there is no key", async () => {
  await using served = startServed({}, { identity });
  using conn = await connectTls(served.port, key);
  await conn.write(CLIENT_HELLO.good);
  await conn.closeWrite();
  assertMatch(await readText(conn), /^This is app/);
  await using open = startServed();
  assertMatch(await exchange(open.port, CLIENT_HELLO.good), /^This is app/);
});

Deno.test("the log has the client's own address", async () => {
  await using served = startServed({ "a.txt": "content" }, { identity });
  using conn = await connectTls(served.port, key);
  await writeText(conn, "APP/1 list\n");
  await readText(conn);
  assertEquals(served.records.map(({ peer }) => peer), [`127.0.0.1:${(conn.localAddr as Deno.NetAddr).port}`]);
});

Deno.test("a hello that comes one byte at a time begins TLS, and its answer comes before it is complete at no time", async () => {
  await using served = startServed({}, { identity });
  using conn = await RawConnection.open(served.port);
  for (const byte of CLIENT_HELLO.good) await conn.write(Uint8Array.of(byte));
  assertEquals((await conn.readExactly(3))[0], 22);
});

Deno.test("a client that has no TLS 1.3, or none at all behind its first bytes, gets the alert that says so", async () => {
  await using served = startServed({ "a.txt": "content" }, { identity });
  const cases = [
    [CLIENT_HELLO.old, "protocol_version"],
    [Uint8Array.of(0x16, 3, 1, 0, 0), "decode_error"],
    [Uint8Array.of(...CLIENT_HELLO.good, 1), "decode_error"],
    [new Uint8Array(50_000).map((_, index) => index < 2 ? [0x16, 3][index]! : 1), "decode_error"],
  ] as const;
  for (const [bytes, alert] of cases) {
    using conn = await RawConnection.open(served.port);
    await conn.write(bytes);
    assertEquals(await conn.readBytes(), encodeAlert(alert));
    await assertStillServes(served);
  }
  await soon(served.server.stop(), "the end of the server");
  const results = served.records.filter(({ request }) => request === "opening").map(({ result }) => result);
  assertEquals(results, ["unsupported", "malformed", "malformed", "malformed"]);
});

Deno.test({
  name: "openssl with TLS 1.2 is refused by version, and with TLS 1.3 is served",
  ignore: !HAS_OPENSSL,
  async fn() {
    await using served = startServed({ "a.txt": "content" }, { identity });
    const client = async (version: string) => {
      const args = ["s_client", "-connect", `127.0.0.1:${served.port}`, version, "-quiet"];
      const child = new Deno.Command("openssl", { args, stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode("APP/1 list\n")).catch(() => {}); // it may have ended
      const { stdout, stderr } = await child.output();
      await writer.close().catch(() => {});
      return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    };
    assertStringIncludes(await client("-tls1_2"), "alert protocol version");
    assertStringIncludes(await client("-tls1_3"), "APP/1 ok\na.txt\n");
  },
});

Deno.test("a handshake has no longer than an opening, wherever it stops", async () => {
  await using served = startServed({}, { identity, limits: { openingTimeoutMs: 100 } });
  using inHello = await RawConnection.open(served.port);
  await inHello.write(CLIENT_HELLO.good.subarray(0, 50));
  using behindHello = await RawConnection.open(served.port);
  await behindHello.write(CLIENT_HELLO.good);
  using inside = await connectTls(served.port, key);
  await writeText(inside, "APP/1 li");
  const ends = [inHello.readBytes(), behindHello.readBytes(), readText(inside).catch(() => {})];
  await soon(Promise.all(ends), "the end of slow handshakes");
  await soon(served.server.stop(), "the end of the server");
  assertEquals(served.records.map(({ request, result }) => [request, result]), new Array(3).fill(["opening", "idle"]));
});

Deno.test("what connects to the inside, and is nothing of ours, is never served, and is in nobody's way", async () => {
  const listen = Deno.listenTls;
  let inner = 0;
  try {
    Deno.listenTls = ((options: Parameters<typeof listen>[0]) => {
      const listener = listen(options);
      inner = (listener.addr as Deno.NetAddr).port;
      return listener;
    }) as typeof listen;
    await using served = startServed({ "a.txt": "content" }, { identity });
    await Promise.all(Array.from({ length: 20 }, async (_, index) => {
      if (index % 2 === 0) return await assertStillServes(served);
      assertEquals(await exchangeTls(inner, key, "APP/1 list\n").catch(() => ""), "");
    }));
  } finally {
    Deno.listenTls = listen;
  }
});

Deno.test("half an end goes through: who has said all still hears all", async () => {
  const big = "x".repeat(3_000_000);
  await using served = startServed({ "big.txt": big }, {
    identity,
    formats: ["app", "share"],
    limits: { codeGapMs: 0 },
  });
  using conn = await connectTls(served.port, key);
  await writeText(conn, "get,big.txt");
  await conn.closeWrite();
  assertEquals((await readText(conn)).length, big.length + "pass".length);
});

Deno.test("a put that is cut without TLS's own end stores nothing, also in a format whose end is the stream's", async () => {
  await using served = startServed({}, { identity, formats: ["app", "share"], limits: { codeGapMs: 0 } });
  for (const [name, isCut] of [["cut.txt", true], ["whole.txt", false]] as const) {
    await using proxy = new HarmfulProxy(served.port, {
      direction: "to server",
      offset: 100_000,
      kind: isCut ? "cut" : "tell",
    });
    using conn = await connectTls(Number(proxy.port), key);
    await writeText(conn, `put,${name}`);
    assertEquals(await conn.read(new Uint8Array(4)), 4);
    await writeText(conn, "y".repeat(200_000)).catch(() => {}); // it may be cut already
    await proxy.harmed;
    if (!isCut) await conn.closeWrite();
    await readText(conn).catch(() => {}); // to the end, of whatever kind
  }
  await soon(served.server.stop(), "the end of the server");
  assertEquals(Array.from(Deno.readDirSync(served.root), ({ name }) => name), ["whole.txt"]);
});

for (const way of ["get", "put"] as const) {
  Deno.test(`a ${way} that is cut in its middle is an error, goes on, and is whole`, async () => {
    using here = temporaryDirectory();
    await using served = startServed(way === "get" ? { "big.bin": CONTENT } : {}, { identity });
    if (way === "put") Deno.writeFileSync(`${here.path}/big.bin`, CONTENT);
    const transfer = (client: Client) =>
      way === "get"
        ? getFile(client, "big.bin", intoTree(new LocalTree(here.path), "big.bin", "error"))
        : putFile(client, `${here.path}/big.bin`, "big.bin");
    const direction = way === "get" ? "to client" : "to server";
    await using proxy = new HarmfulProxy(served.port, { direction, offset: 8 * BLOCK, kind: "cut" });
    {
      await using client = clientOf(proxy);
      await assertRejectsCode(() => transfer(client), "lost");
    }
    await using client = clientOf(proxy, 50); // the server may still hold the partial for the one that was cut
    const { resumedBytes } = await transfer(client);
    assert(resumedBytes >= BLOCK, `${resumedBytes} bytes were resumed`);
    assertEquals(Deno.readFileSync(`${way === "get" ? here.path : served.root}/big.bin`), CONTENT);
  });
}

Deno.test("a client that takes nothing does not hold up the end of a server", async () => {
  await using served = startServed({ "big.bin": new Uint8Array(64 * BLOCK) }, { identity, limits: { drainMs: 50 } });
  using conn = await connectTls(served.port, key);
  await writeText(conn, "APP/1 agent=x\n");
  assert((await conn.read(new Uint8Array(1_000)))! > 0);
  using opened = await openTlsSession(served.port);
  opened.session.send({ type: "get", name: "big.bin", eager: true });
  await opened.session.flush();
  await soon(served.server.stop(), "the end of the server");
});

Deno.test("a stop lets what runs inside TLS finish, and says goodbye to who is idle", async () => {
  using here = temporaryDirectory();
  await using served = startServed({ "big.bin": CONTENT }, { identity });
  await using proxy = new HarmfulProxy(served.port, { direction: "to client", offset: 2 * BLOCK, kind: "hold" });
  using idle = await openTlsSession(served.port);
  await using client = clientOf(proxy);
  const got = getFile(client, "big.bin", intoTree(new LocalTree(here.path), "big.bin", "error"));
  await proxy.harmed;
  const stopped = served.server.stop();
  const error = await idle.session.receive().catch((reason) => reason);
  assertEquals([error.code, error.by], ["shutting_down", "peer"]);
  proxy.release();
  assertEquals((await got).sizeBytes, CONTENT.length);
  await soon(stopped, "the end of the server");
});

Deno.test("two hundred connections at once count as two hundred, and the next is refused", async () => {
  await using served = startServed({ "a.txt": "content" }, { identity, limits: { connectionsMax: 200 } });
  const clients = Array.from({ length: 200 }, () => clientOf(served));
  await Promise.all(clients.map((client) => client.ping()));
  assertMatch(await exchange(served.port, ""), /^APP\/1 refused=too_many_connections\n$/);
  await Promise.all(clients.map((client) => client.ping()));
  await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
});

/** A session inside TLS that the test drives message by message. */
async function openTlsSession(port: number) {
  const { TcpStream } = await import("../../protocol/exchange/byte_stream.ts");
  const { openAsClient } = await import("../../protocol/exchange/opening.ts");
  const stream = new TcpStream(await connectTls(port, key));
  const { session } = await openAsClient(stream, "test");
  return { session, [Symbol.dispose]: () => stream.close() };
}
