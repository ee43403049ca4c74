/** How a server ends: after one file, when it is told to, and at once. */
import { getFile, intoTree, LocalTree, putFile } from "../../client/mod.ts";
import { serve } from "../../server/mod.ts";
import { Random } from "../support/random.ts";
import { assert, assertEquals, assertRejects, assertRejectsCode, assertThrowsCode } from "../support/assert.ts";
import { temporaryDirectory } from "../support/program.ts";
import { exchange, openSession, RawConnection, receive, soon, startServed } from "./served.ts";

const FILES = { "a.txt": "content", "b.txt": "bb" };

/** Whether `promise` is settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const later = {};
  return await Promise.race([promise, Promise.resolve(later)]) !== later;
}

Deno.test("once stops after the first file that was got, and nothing else stops it", async () => {
  await using served = startServed(FILES, { once: true, allowRemove: true });
  using here = temporaryDirectory();
  const tree = new LocalTree(here.path);
  Deno.writeTextFileSync(`${here.path}/up.txt`, "up");
  await using client = served.client();
  await Array.fromAsync(client.list(""));
  await client.stat("a.txt");
  await client.digest("a.txt");
  await putFile(client, `${here.path}/up.txt`, "up.txt");
  await client.remove("up.txt");
  await assertRejectsCode(() => getFile(client, "nowhere", intoTree(tree, "nowhere", "error")), "not_found");
  assertEquals(await exchange(served.port, "APP/1 ping\n"), "APP/1 ok\nbeat\n");
  assertEquals(await isSettled(served.server.finished), false);
  await getFile(client, "a.txt", intoTree(tree, "a.txt", "error"));
  await soon(served.server.finished, "the end after one file");
  assertEquals(Deno.readTextFileSync(`${here.path}/a.txt`), "content");
  await using late = served.client();
  await assertRejectsCode(() => late.stat("a.txt"), "not_connected");
});

Deno.test("once does not count a get that broke off", async () => {
  await using served = startServed({ ...FILES, "large.bin": new Uint8Array(20_000_000) }, { once: true });
  const opened = await openSession(served.port);
  opened.session.send({ type: "get", name: "large.bin", eager: true });
  await receive(opened.session, "offer");
  opened[Symbol.dispose]();
  await using client = served.client();
  using here = temporaryDirectory();
  await client.stat("a.txt");
  await getFile(client, "a.txt", intoTree(new LocalTree(here.path), "a.txt", "error"));
  await soon(served.server.finished, "the end after one file");
});

Deno.test("without once a server goes on after a file was got", async () => {
  await using served = startServed(FILES);
  using here = temporaryDirectory();
  await using client = served.client();
  await getFile(client, "a.txt", intoTree(new LocalTree(here.path), "a.txt", "error"));
  await getFile(client, "b.txt", intoTree(new LocalTree(here.path), "b.txt", "error"));
  assertEquals(await isSettled(served.server.finished), false);
});

Deno.test("stop lets a running transfer finish, and closes what is idle", async () => {
  const bytes = new Random(5).bytes(5_000_000);
  await using served = startServed({ ...FILES, "large.bin": bytes });
  using here = temporaryDirectory();
  using idle = await openSession(served.port);
  idle.session.send({ type: "stat", name: "a.txt" });
  await receive(idle.session, "entries");
  await receive(idle.session, "done");
  using unopened = await RawConnection.open(served.port);
  await using client = served.client();
  let stopped: Promise<void> | undefined;
  const onProgress = () => void (stopped ??= served.server.stop());
  await getFile(client, "large.bin", intoTree(new LocalTree(here.path), "large.bin", "error"), { onProgress });
  await soon(stopped!, "the end of the server");
  assertEquals(Deno.readFileSync(`${here.path}/large.bin`), bytes);
  const goodbye = await soon(idle.session.receive().catch((error) => error), "a goodbye");
  assertEquals([goodbye.code, goodbye.by], ["shutting_down", "peer"]);
  assertEquals(await unopened.readAll(), "");
  assertEquals(served.records.map(({ request, result }) => [request, result]).at(-1), ["get", "done"]);
});

Deno.test("stop takes no further connection and no further request", async () => {
  await using served = startServed({ ...FILES });
  using busy = await openSession(served.port);
  busy.session.send({ type: "get", name: "a.txt" });
  await receive(busy.session, "offer");
  const stopped = served.server.stop();
  await using client = served.client();
  const refused = await client.stat("a.txt").catch((error) => error.code);
  // One that came into the queue while the listener closed was connected for a moment.
  assert(["not_connected", "lost"].includes(refused), `it came to: ${refused}`);
  busy.session.send({ type: "error", code: 42, text: "No more" });
  busy.session.send({ type: "stat", name: "a.txt" });
  await receive(busy.session, "cancel");
  const goodbye = await soon(busy.session.receive().catch((error) => error), "a goodbye");
  assertEquals(goodbye.code, "shutting_down");
  await soon(stopped, "the end");
});

Deno.test("stop ends what takes longer than the drain limit", async () => {
  await using served = startServed(FILES, { limits: { drainMs: 50 } });
  using busy = await openSession(served.port);
  busy.session.send({ type: "get", name: "a.txt" });
  await receive(busy.session, "offer");
  await soon(served.server.stop(), "the end of the drain limit");
  assertEquals(served.records.map(({ request }) => request), ["get"]);
});

Deno.test("stop ends a transfer, too, whose client reads nothing", async () => {
  await using served = startServed({ "large.bin": new Uint8Array(30_000_000) }, { limits: { drainMs: 50 } });
  using stuck = await openSession(served.port);
  stuck.session.send({ type: "get", name: "large.bin", eager: true });
  await stuck.session.flush();
  await using client = served.client();
  await client.stat("large.bin"); // by now the transfer has begun
  try {
    await soon(served.server.stop(), "the end of the drain limit", 3_000);
  } finally {
    stuck.stream.close();
    await served.server.finished;
  }
});

Deno.test("stop may be called twice, and with nobody there", async () => {
  await using served = startServed();
  await soon(Promise.all([served.server.stop(), served.server.stop()]), "the end");
  served.server.stopNow();
  await assertRejects(() => RawConnection.open(served.port), Deno.errors.ConnectionRefused);
});

Deno.test("a signal stops a server, also one that came before it", async () => {
  using here = temporaryDirectory();
  const controller = new AbortController();
  const server = serve({ root: here.path, port: 0, signal: controller.signal });
  controller.abort();
  await soon(server.finished, "the end");
  const early = serve({ root: here.path, port: 0, signal: AbortSignal.abort() });
  try {
    await soon(early.finished, "the end of a server whose signal had aborted", 1_000);
  } finally {
    await early[Symbol.asyncDispose]();
  }
});

Deno.test("a server that cannot listen says why and what to do", async () => {
  await using served = startServed();
  const inUse = assertThrowsCode(() => serve({ root: served.root, port: served.port }), "failed");
  assertEquals(inUse.message, `Cannot listen on 127.0.0.1 port ${served.port}: the port is in use`);
  const elsewhere = assertThrowsCode(() => serve({ root: served.root, address: "192.0.2.1", port: 0 }), "failed");
  assertEquals(elsewhere.message.includes("os error"), false);
  assertThrowsCode(() => serve({ root: `${served.root}/nowhere`, port: 0 }), "not_found");
  await using other = serve({ root: served.root, port: 0 });
  assertEquals(other.port === served.port, false);
});
