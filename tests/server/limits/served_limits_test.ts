/** Limits as a real server keeps them, each with what must still pass. */
import { Client } from "../../../client/mod.ts";
import { crc32 } from "../../../protocol/wire/crc32.ts";
import { assert, assertEquals, assertRejectsCode } from "../../support/assert.ts";
import { withFastClock } from "../fast_clock.ts";
import { openSession, RawConnection, receive, type Served, soon, startServed } from "../served.ts";
import { connectTls, exchangeTls, newIdentity, writeText } from "../tls_served.ts";

const FASTER = 4;

/** Gets `name`; told of each piece. */
async function get(served: Served, name: string, onPiece: (bytes: number) => void): Promise<number> {
  using opened = await openSession(served.port);
  const { session } = opened;
  session.send({ type: "get", name, eager: true });
  await receive(session, "offer");
  let [crc, sizeBytes] = [0, 0];
  for (let message = await session.receive(); message.type === "data"; message = await session.receive()) {
    crc = crc32(message.bytes, crc);
    onPiece(sizeBytes += message.bytes.length);
  }
  session.send({ type: "stored", sizeBytes, crc });
  await session.end();
  return sizeBytes;
}

Deno.test("two connections share the speed of all, and get equal parts", async () => {
  await withFastClock(FASTER, async () => {
    await using served = startServed({ "a": new Uint8Array(2_000_000) }, {
      limits: { bytesPerSecondTotalMax: 1_000_000 },
    });
    const start = performance.now();
    const bytes = [0, 0];
    let atFirstEnd: number[] | undefined;
    await Promise.all(bytes.map(async (_, index) => {
      await get(served, "a", (moved) => bytes[index] = moved);
      atFirstEnd ??= [...bytes];
    }));
    const seconds = (performance.now() - start) / 1000;
    assert(seconds > 3.8, `4 MB took ${seconds} s at 1 MB/s`);
    assert(Math.min(...atFirstEnd!) > 1_400_000, `they had ${atFirstEnd}`);
  });
});

Deno.test("each connection has its own speed, both ways", async () => {
  await withFastClock(FASTER, async () => {
    await using served = startServed({ "a": new Uint8Array(500_000) }, { limits: { bytesPerSecondMax: 250_000 } });
    const start = performance.now();
    await Promise.all([get(served, "a", () => {}), get(served, "a", () => {})]);
    const downMs = performance.now() - start;
    assert(downMs > 1_800, `500 KB took ${downMs} ms at 250 KB/s`);
    using opened = await openSession(served.port);
    const upStart = performance.now();
    const content = new Uint8Array(200_000);
    opened.session.send({ type: "offer", name: "new", sizeBytes: 400_000, eager: true });
    for (let piece = 0; piece < 2; piece++) {
      const buffer = new Uint8Array(content.length + 9);
      await opened.session.sendData(buffer, content.length);
    }
    opened.session.send({ type: "end", sizeBytes: 400_000, crc: crc32(content, crc32(content)) });
    await receive(opened.session, "stored");
    const upMs = performance.now() - upStart;
    assert(upMs > 1_300, `400 KB took ${upMs} ms at 250 KB/s`);
  });
});

Deno.test("who is held back by its own speed is not silent", async () => {
  await withFastClock(100, async () => {
    const limits = { bytesPerSecondTotalMax: 2_000, idleTimeoutMs: 5_000 };
    await using served = startServed({ "a": new Uint8Array(60_000) }, { limits });
    assertEquals(await get(served, "a", () => {}), 60_000);
  });
});

Deno.test("wrong secrets are answered more slowly each time, and who has none does not wait", async () => {
  await withFastClock(FASTER, async () => {
    const identity = await newIdentity();
    await using served = startServed({ "a": "content" }, { identity, plain: true });
    const say = (text: string) => exchangeTls(served.port, identity.key, text);
    const start = performance.now();
    for (let count = 0; count < 6; count++) {
      assertEquals(await say("APP/1 secret=wrong\n"), "APP/1 refused=link_refused\n");
    }
    const ms = performance.now() - start;
    assert(ms >= 125 + 250 + 500, `6 took ${ms} ms`);
    await using client = served.client();
    assertEquals((await client.stat("a")).sizeBytes, 7);
    const refusals = served.records.filter(({ result }) => result === "link_refused");
    assertEquals(refusals.map(({ request, who }) => `${request} ${who}`), new Array(6).fill("opening stranger"));
  });
});

Deno.test("a server that stops does not wait until a wrong secret may be answered", async () => {
  const identity = await newIdentity();
  await using served = startServed({}, { identity });
  const say = (text: string) => exchangeTls(served.port, identity.key, text);
  for (let count = 0; count < 5; count++) await say("APP/1 secret=wrong\n");
  using waiting = await connectTls(served.port, identity.key);
  await writeText(waiting, "APP/1 secret=wrong\n");
  await say("APP/1 ping\n"); // it has been read by now
  await soon(served.server.stop(), "the stop", 5_000);
});

Deno.test("openings push out older ones, and sessions and requests under way stay", async () => {
  await using served = startServed({ "a": "content" }, { limits: { openingsMax: 4 } });
  using opened = await openSession(served.port);
  opened.session.send({ type: "get", name: "a" });
  await receive(opened.session, "offer");
  using crowd = new DisposableStack();
  const silent = [];
  for (let count = 0; count < 20; count++) silent.push(crowd.use(await RawConnection.open(served.port)));
  for (let round = 0; round < 5; round++) {
    await using client = served.client();
    assertEquals((await client.stat("a")).sizeBytes, 7);
  }
  for (const conn of silent.slice(0, 16)) assertEquals((await conn.readBytes()).length, 0);
  opened.session.send({ type: "error", code: 42, text: "No" });
  await receive(opened.session, "cancel");
  const dropped = served.records.filter(({ result }) => result === "too_many_connections");
  assert(dropped.length >= 16, `${dropped.length} were dropped`);
  const { gauges } = await served.server.status();
  const gauge = (name: string) => gauges.find((one) => one.name === name);
  assert((gauge("openings")?.used ?? 99) <= 4);
  assertEquals(gauge("total_dropped")?.used, dropped.length);
});

/** An address of this machine under which it is not itself. */
const outer = Deno.networkInterfaces().find(({ family, address }) => family === "IPv4" && !address.startsWith("127."));
if (!outer) console.log("skipped: this machine has no address but its own");

Deno.test({
  name: "an address that has its connections is refused by name, and this machine's own is not",
  ignore: !outer,
  async fn() {
    const limits = { connectionsPerAddressMax: 2 };
    await using served = startServed({ "a": "content" }, { address: "0.0.0.0", strangers: "open", limits });
    const clientAt = (host: string) => new Client({ host, port: served.port }, { retries: 0 });
    await using open = new AsyncDisposableStack();
    for (let count = 0; count < 2; count++) await open.use(clientAt(outer!.address)).stat("a");
    await using late = clientAt(outer!.address);
    const error = await assertRejectsCode(() => late.stat("a"), "address_full");
    assertEquals([error.retriable, error.by], [true, "peer"]);
    for (let count = 0; count < 5; count++) await open.use(clientAt("127.0.0.1")).stat("a");
    const refused = served.records.filter(({ request }) => request === "accept");
    assertEquals(refused.map(({ result, who }) => `${result} ${who}`), ["address_full -"]);
  },
});
