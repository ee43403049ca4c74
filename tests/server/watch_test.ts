/** `watch`: who is told of what, for how long, and how many may be; each refusal with what still passes. */
import type { Session } from "../../protocol/exchange/session.ts";
import { AppError } from "../../protocol/errors.ts";
import { LocalTree } from "../../protocol/files/local_tree.ts";
import { revokeLinks } from "../../server/access/make_link.ts";
import { serve } from "../../server/mod.ts";
import { FakeSystem } from "../files/fake_watcher.ts";
import { startLinked } from "../access/linked.ts";
import { assert, assertEquals, assertRejectsCode } from "../support/assert.ts";
import { temporaryDirectory } from "../support/program.ts";
import { openSession, receive, type Served, soon, startServed } from "./served.ts";

/** A session in which `name` is watched. */
async function watching(port: number, name = "") {
  const opened = await openSession(port);
  opened.session.send({ type: "watch", name });
  await receive(opened.session, "changed");
  return opened;
}

/** Waits for an error of the session; its number. */
async function errorOf(session: Session): Promise<number> {
  const message = await receive(session, "error");
  assert(message.type === "error");
  return message.code;
}

async function isEnded(served: Served): Promise<void> {
  while (!served.records.some(({ request }) => request === "watch")) await Deno.lstat("/");
}

Deno.test("a client is told when files change, also in directories that are new", async () => {
  await using served = startServed({ "d/a": "1" });
  using watch = await watching(served.port);
  for (
    const change of [
      () => Deno.writeTextFileSync(`${served.root}/d/a`, "22"),
      () => Deno.mkdirSync(`${served.root}/x/y/z`, { recursive: true }),
      () => Deno.writeTextFileSync(`${served.root}/x/y/z/deep`, "1"),
      () => Deno.renameSync(`${served.root}/x`, `${served.root}/d/x`),
      () => Deno.writeTextFileSync(`${served.root}/d/x/y/z/deep`, "22"),
      () => Deno.removeSync(`${served.root}/d`, { recursive: true }),
    ]
  ) {
    change();
    await receive(watch.session, "changed");
  }
  watch.session.send({ type: "cancel" });
  await untilDone(watch.session);
  watch.session.send({ type: "stat", name: "" }); // the connection stays usable
  await receive(watch.session, "entries");
});

/** Changes may still be on their way. */
async function untilDone(session: Session): Promise<void> {
  for (;;) {
    const { type } = await soon(session.receive(), "done");
    if (type === "done") return;
    assertEquals(type, "changed");
  }
}

Deno.test("heartbeats go both ways while nothing changes, and a client that says nothing is given up", async () => {
  await using served = startServed({}, { limits: { idleTimeoutMs: 300 } });
  using quiet = await watching(served.port);
  using alive = await watching(served.port);
  using _heartbeat = alive.session.keepAlive(50);
  await assertRejectsCode(() => soon(quiet.session.receive(), "the end"), "lost");
  assertEquals(served.records.map(({ request, result }) => `${request} ${result}`), ["watch idle"]);
  Deno.writeTextFileSync(`${served.root}/a`, "");
  await receive(alive.session, "changed");
});

Deno.test("partials, bad names and other directories wake nobody who watches a directory", async () => {
  await using served = startServed({ "d/a": "1", "e/a": "1" });
  using watch = await watching(served.port, "d");
  for (const name of ["d/.app-partial-1", "d/bad:\u0001", "e/a", "a", "e/new"]) {
    Deno.writeTextFileSync(`${served.root}/${name}`, "x");
  }
  let hasHeard = false;
  const heard = watch.session.receive().then((message) => {
    hasHeard = true;
    return message;
  });
  // Another watch hears of what came behind all of that; only then this one is to hear of anything.
  using other = await watching(served.port, "e");
  Deno.writeTextFileSync(`${served.root}/e/a`, "y");
  await receive(other.session, "changed");
  assertEquals(hasHeard, false);
  Deno.writeTextFileSync(`${served.root}/d/a`, "2");
  assertEquals((await soon(heard, "a change")).type, "changed");
});

Deno.test("a link for a directory is told of it alone, one for dropping or for one file of nothing", async () => {
  await using linked = startLinked({ "d/a": "1", "e/a": "1" });
  const first = async (secret: string, name: string) => {
    await using client = linked.client(secret);
    return await client.attempt(async ({ session }) => {
      session.send({ type: "watch", name });
      const message = await soon(session.receive(), "an answer");
      return message.type === "error" ? message.code : message.type;
    });
  };
  const notAllowed = 26;
  const inside = await linked.link({ path: "d" });
  assertEquals([await first(inside, "d"), await first(inside, "e"), await first(inside, "")], [
    "changed",
    notAllowed,
    notAllowed,
  ]);
  assertEquals(await first(await linked.link({ right: "drop" }), ""), notAllowed);
  assertEquals(await first(await linked.link({ isOnce: true }), "d"), notAllowed);
});

Deno.test("a watch ends when its link is revoked", async () => {
  await using linked = startLinked({ a: "1" }, {}, { lookEveryMs: 5 });
  const secret = await linked.link({ label: "one" });
  await using client = linked.client(secret);
  const told = Promise.withResolvers<void>();
  const ended = client.attempt(async ({ session }) => {
    session.send({ type: "watch", name: "" });
    for (;;) {
      assertEquals((await session.receive()).type, "changed");
      told.resolve();
    }
  }).then(() => "done", (error: AppError) => error.code);
  await soon(told.promise, "the first change");
  await revokeLinks(linked.file, ["one"]);
  assertEquals(await soon(ended, "the end of the watch"), "link_refused");
});

Deno.test("there may be so many watches, and one that ends makes room", async () => {
  await using served = startServed({}, { limits: { watchesMax: 1 } });
  const first = await watching(served.port);
  using second = await openSession(served.port);
  second.session.send({ type: "watch", name: "" });
  assertEquals(await errorOf(second.session), 54);
  await first.session.end();
  first[Symbol.dispose]();
  await isEnded(served);
  while (!served.records.some(({ request, result }) => request === "watch" && result === "done")) await Deno.lstat("/");
  second.session.send({ type: "watch", name: "" });
  await receive(second.session, "changed");
});

for (
  const [what, limits] of [
    ["of one watch", { watchedDirectoriesMax: 2 }],
    ["of all watches", { watchedDirectoriesTotalMax: 2 }],
  ] as const
) {
  Deno.test(`the directories ${what} are limited, at the beginning and later`, async () => {
    await using served = startServed({ "d/a": "1" }, { limits });
    using watch = await watching(served.port);
    Deno.mkdirSync(`${served.root}/d/e`);
    assertEquals(await errorOf(watch.session), 54);
    watch.session.send({ type: "watch", name: "" });
    assertEquals(await errorOf(watch.session), 54);
    watch.session.send({ type: "watch", name: "d" });
    await receive(watch.session, "changed");
    await using client = served.client();
    const { gauges } = await client.status();
    const used = (name: string) => gauges.find((gauge) => gauge.name === name)?.used;
    assertEquals([used("watches"), used("watched_directories")], [1, 2]);
  });
}

Deno.test("a directory that is not there, is a file, or goes away is not watched any more", async () => {
  await using served = startServed({ "d/a": "1" });
  using watch = await openSession(served.port);
  watch.session.send({ type: "watch", name: "none" });
  assertEquals(await errorOf(watch.session), 10);
  watch.session.send({ type: "watch", name: "d/a" });
  assertEquals(await errorOf(watch.session), 14);
  watch.session.send({ type: "watch", name: "d" });
  await receive(watch.session, "changed");
  Deno.removeSync(`${served.root}/d`, { recursive: true });
  for (;;) {
    const message = await soon(watch.session.receive(), "an error");
    if (message.type === "changed") continue;
    assert(message.type === "error");
    assertEquals(message.code, 10);
    break;
  }
});

Deno.test("a tree without events says that it cannot be watched", async () => {
  using directory = temporaryDirectory();
  const root = Object.assign(new LocalTree(directory.path), { watch: undefined });
  await using served = startServed({}, {});
  await using server = serve({ root, port: 0 });
  using watch = await openSession(server.port);
  watch.session.send({ type: "watch", name: "" });
  assertEquals(await errorOf(watch.session), 54);
  using twin = await watching(served.port);
  assertEquals(twin.session.hasEnded, false);
});

Deno.test("a server that stops does not wait for who watches, and tells them", async () => {
  await using served = startServed();
  using watch = await watching(served.port);
  const end = soon(watch.session.receive(), "the goodbye");
  await Promise.all([assertRejectsCode(() => end, "shutting_down"), soon(served.server.stop(), "the end")]);
});

Deno.test("nothing but a cancel may come during a watch; further requests wait for its end", async () => {
  await using served = startServed();
  using watch = await watching(served.port);
  watch.session.send({ type: "stat", name: "" });
  watch.session.send({ type: "cancel" });
  await receive(watch.session, "done");
  await receive(watch.session, "entries");
  await receive(watch.session, "done");
  watch.session.send({ type: "watch", name: "" });
  await receive(watch.session, "changed");
  watch.session.send({ type: "accept", blocks: 0 });
  const error = await soon(watch.session.receive(), "the end").then(() => undefined, (error) => error);
  assert(error instanceof AppError && error.code === "order", String(error));
});

Deno.test("lost events are told as such, and others are not", async () => {
  using directory = temporaryDirectory();
  const system = new FakeSystem();
  await using server = serve({ root: system.tree(directory.path), port: 0 });
  using watch = await watching(server.port);
  for (const isLost of [true, false]) {
    if (isLost) system.last.lose();
    else system.last.tell("modify", `${directory.path}/a`);
    const message = await receive(watch.session, "changed");
    assert(message.type === "changed");
    assertEquals(message.lost ?? false, isLost);
  }
});
