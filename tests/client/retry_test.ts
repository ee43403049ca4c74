/** What a client does about servers that break off: it tries again, and says the truth when it gives up. */
import { Client, getFile, intoTree, LocalTree } from "../../client/mod.ts";
import type { AppError, ErrorName } from "../../client/mod.ts";
import { ERRORS } from "../../protocol/errors.ts";
import { DATA_OVERHEAD, type Session } from "../../protocol/exchange/session.ts";
import { assertEquals, assertRejectsCode, assertStringIncludes } from "../support/assert.ts";
import { temporaryDirectory } from "../support/program.ts";
import { withFastClock } from "../server/fast_clock.ts";
import { soon, startServed } from "../server/served.ts";
import { type FakeServer, startFakeServer, startFakeSessions, untilEnd } from "./fake_server.ts";

function clientOf(server: FakeServer, options: ConstructorParameters<typeof Client>[1] = {}): Client {
  return new Client(server, { retries: 3, retryWaitMs: 0, ...options });
}

function answerStat(session: Session): void {
  session.send({ type: "entries", entries: [{ name: "a", kind: 0, sizeBytes: 7 }] });
  session.send({ type: "done" });
}

function refuse(session: Session, code: ErrorName): void {
  session.send({ type: "error", code: ERRORS[code].number, text: `No: ${code}` });
}

Deno.test("a request whose answer was lost is made again", async () => {
  await using server = startFakeSessions(async (session, number) => {
    await session.nextRequest();
    if (number === 2) answerStat(session);
  });
  const retries: [ErrorName, number][] = [];
  await using client = clientOf(server, { onRetry: (error, attempt) => retries.push([error.code, attempt]) });
  assertEquals((await client.stat("a")).sizeBytes, 7);
  assertEquals(retries, [["lost", 1], ["lost", 2]]);
  assertEquals(server.connections, 3);
});

Deno.test("a client gives up after its retries, and none are made when none are wanted", async () => {
  for (const retries of [0, 3]) {
    await using server = startFakeSessions(async (session) => void await session.nextRequest());
    await using client = clientOf(server, { retries });
    const error = await assertRejectsCode(() => client.stat("a"), "lost");
    assertEquals([error.exit, server.connections], [4, retries + 1]);
  }
});

Deno.test("waits between attempts double, up to their limit", async () => {
  await using server = startFakeSessions(async (session) => void await session.nextRequest());
  const waits: number[] = [];
  const onRetry = (_error: AppError, _attempt: number, waitMs: number) => waits.push(waitMs);
  await using client = clientOf(server, { retries: 6, retryWaitMs: 1, retryWaitMaxMs: 10, onRetry });
  await assertRejectsCode(() => client.stat("a"), "lost");
  assertEquals(waits, [1, 2, 4, 8, 10, 10]);
});

Deno.test("an abort ends the wait for the next attempt", async () => {
  await using server = startFakeSessions(async (session) => void await session.nextRequest());
  const controller = new AbortController();
  const onRetry = () => controller.abort(new Error("enough"));
  await using client = clientOf(server, { retryWaitMs: 600_000, signal: controller.signal, onRetry });
  const failure = await soon(client.stat("a").then(() => undefined, (error) => error), "the end of the wait");
  assertStringIncludes(String(failure), "enough");
});

Deno.test("an answer that will not change is not asked for again", async () => {
  await using server = startFakeSessions(async (session) => {
    await session.nextRequest();
    refuse(session, "not_found");
    await session.nextRequest();
    answerStat(session);
    await session.nextRequest();
  });
  await using client = clientOf(server);
  const error = await assertRejectsCode(() => client.stat("a"), "not_found");
  assertEquals(error.by, "peer");
  assertEquals((await client.stat("a")).sizeBytes, 7);
  assertEquals(server.connections, 1);
});

Deno.test("what is busy is asked for again on the same connection", async () => {
  await using server = startFakeSessions(async (session) => {
    await session.nextRequest();
    refuse(session, "busy");
    await session.nextRequest();
    answerStat(session);
    await session.nextRequest();
  });
  await using client = clientOf(server);
  assertEquals((await client.stat("a")).sizeBytes, 7);
  assertEquals(server.connections, 1);
});

Deno.test("a closed port is never connected, and is not tried again", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  let retries = 0;
  await using client = new Client({ host: "127.0.0.1", port }, { retryWaitMs: 0, onRetry: () => retries++ });
  const error = await assertRejectsCode(() => client.stat("a"), "not_connected");
  assertEquals([error.exit, retries], [3, 0]);
  assertStringIncludes(error.message, `127.0.0.1 port ${port}`);
  await using served = startServed({ a: "1234567" });
  await using other = served.client();
  assertEquals((await other.stat("a")).sizeBytes, 7);
});

Deno.test("a server that goes away for good is lost, not one that was never there", async () => {
  const served = startServed({ a: "x" });
  await using client = served.client({ retries: 2, retryWaitMs: 0 });
  await client.stat("a");
  await served[Symbol.asyncDispose]();
  const error = await assertRejectsCode(() => client.stat("a"), "lost");
  assertEquals(error.exit, 4);
});

Deno.test("a server that takes connections and says nothing is given up, as one that falls silent later", async () => {
  await using server = startFakeServer(untilEnd);
  await using client = clientOf(server, { timeoutMs: 300, retries: 0 });
  const error = await soon(assertRejectsCode(() => client.stat("a"), "idle"), "the timeout");
  assertEquals([error.exit, error.retriable], [4, true]);
  assertStringIncludes(error.message, "said nothing");
  assertStringIncludes(error.advice, "port");
});

Deno.test("a server that falls silent within its opening line has not said nothing", async () => {
  await using server = startFakeServer(async (conn) => {
    await conn.write(new TextEncoder().encode("APP/1 agent"));
    await untilEnd(conn);
  });
  await using client = clientOf(server, { timeoutMs: 300, retries: 0 });
  const error = await soon(assertRejectsCode(() => client.stat("a"), "idle"), "the timeout");
  assertEquals(error.message.includes("said nothing"), false, error.message);
});

Deno.test("a server that breaks off within its opening and is gone then is lost, not one that was never there", async () => {
  const server = startFakeServer(() => Promise.resolve());
  let closing: PromiseLike<void> | undefined;
  await using client = clientOf(server, { onRetry: () => closing ??= server[Symbol.asyncDispose]() });
  const error = await assertRejectsCode(() => client.stat("a"), "lost");
  await closing;
  assertEquals(error.exit, 4);
  assertStringIncludes(error.message, "does not answer any more");
});

Deno.test("a server that falls silent under a request is given up, although we go on sending pings", async () => {
  const over = Promise.withResolvers<void>();
  await withFastClock(50, async () => {
    await using server = startFakeSessions(async (session) => {
      await session.nextRequest();
      await over.promise;
    });
    const client = clientOf(server, { timeoutMs: 20_000, retries: 0 });
    const failure = client.stat("a").then(() => "an answer", (error) => error.code);
    try {
      assertEquals(await soon(failure, "the timeout of 20 s, after 100 s", 100_000), "idle");
    } finally {
      over.resolve();
      await failure;
      await client[Symbol.asyncDispose]();
    }
  });
});

Deno.test("a server that works for long and sends pings meanwhile is waited for", async () => {
  await withFastClock(50, async () => {
    await using server = startFakeSessions(async (session) => {
      await session.nextRequest();
      using _alive = session.keepAlive();
      await new Promise((resolve) => setTimeout(resolve, 45_000));
      answerStat(session);
      await session.nextRequest();
    });
    await using client = clientOf(server, { timeoutMs: 20_000, retries: 0 });
    assertEquals((await client.stat("a")).sizeBytes, 7);
  });
});

Deno.test("a source that never holds still is given up after the retries, however much moved in between", async () => {
  const block = new Uint8Array(262_144 + DATA_OVERHEAD);
  await using server = startFakeSessions(async (session) => {
    for (let request = await session.nextRequest(); request; request = await session.nextRequest()) {
      session.send({ type: "offer", name: "log", sizeBytes: 100_000_000, mtimeMs: 1, eager: true });
      for (let count = 0; count < 6; count++) await session.sendData(block, 262_144);
      session.send({ type: "error", code: ERRORS.source_changed.number, text: "It changed" });
      attempts++;
      await session.receive();
    }
  });
  let attempts = 0;
  using here = temporaryDirectory();
  await using client = new Client(server, { retries: 3, retryWaitMs: 0 });
  const destination = intoTree(new LocalTree(here.path), "log", "error");
  await assertRejectsCode(() => getFile(client, "log", destination), "source_changed");
  assertEquals(attempts, 4);
});
