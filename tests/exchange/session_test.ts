/** Sessions: heartbeat, requests ahead of their turn, goodbye, and what an error leaves behind. */
import { AppError, ERRORS } from "../../protocol/errors.ts";
import { DATA_OFFSET, DATA_OVERHEAD } from "../../protocol/exchange/session.ts";
import type { Message } from "../../protocol/wire/messages/mod.ts";
import { assert, assertEquals, assertRejectsCode, assertThrowsCode } from "../support/assert.ts";
import { Random } from "../support/random.ts";
import { oneByteAtATime, recorded } from "../support/streams.ts";
import { concat, encode, frameOf } from "../wire/decoding.ts";
import { openRaw, type RawPeer, turns } from "./raw_peer.ts";

const stat = (name: string) => ({ type: "stat", name }) as const;
const done = (name: string) => ({ type: "done", name }) as const;
const PART: Message = { type: "from", offset: 7 };

Deno.test("pings are answered in order while a session receives", async () => {
  const { session, peer } = openRaw();
  const receiving = session.receive();
  await peer.send({ type: "ping", id: 1 });
  assertEquals(await peer.expect("pong"), { type: "pong", id: 1 });
  await peer.send({ type: "ping", id: 2 }, { type: "ping", id: 3 }, { type: "pong", id: 99 });
  assertEquals(await peer.expect("pong"), { type: "pong", id: 2 });
  assertEquals(await peer.expect("pong"), { type: "pong", id: 3 });
  await peer.send(PART);
  assertEquals<unknown>(await receiving, PART);
});

Deno.test("pings are answered while a session waits for a request", async () => {
  const { session, peer } = openRaw();
  const waiting = session.nextRequest();
  await peer.send({ type: "ping", id: 5 });
  assertEquals(await peer.expect("pong"), { type: "pong", id: 5 });
  await peer.send(stat("a"));
  assertEquals(await waiting, stat("a"));
});

Deno.test("pings are answered in between the data of a session that sends and polls", async () => {
  const { session, peer } = openRaw();
  await peer.send({ type: "ping", id: 8 });
  const buffer = new Uint8Array(10 + DATA_OVERHEAD);
  buffer.fill(1, DATA_OFFSET, DATA_OFFSET + 10);
  let sent = 0;
  for (; session.poll() === undefined && sent < 10; sent++) await session.sendData(buffer, 10);
  assertEquals(sent, 10);
  const heard = [];
  for (let count = 0; count < 11; count++) heard.push((await peer.receive())?.type);
  assertEquals(heard.filter((type) => type === "pong").length, 1);
  assertEquals(heard.filter((type) => type === "data").length, 10);
});

Deno.test("a poll gives what has come, and never waits", async () => {
  const { session, peer } = openRaw();
  assertEquals(session.poll(), undefined);
  await peer.send({ type: "cancel" });
  await turns();
  assertEquals(session.poll(), { type: "cancel" });
  assertEquals(session.poll(), undefined);
  await peer.send({ type: "goodbye", code: ERRORS.internal.number, text: "Sorry" });
  await turns();
  assertEquals(assertThrowsCode(() => session.poll(), "internal").message, "Sorry");
});

Deno.test("a poll tells of a stream that ended inside a frame", async () => {
  const { session, peer } = openRaw();
  await peer.stream.write(encode(stat("a")).subarray(0, -1));
  await peer.stream.closeWrite();
  for (let reads = 0; reads < 2; reads++) {
    assertEquals(session.poll(), undefined);
    await turns();
  }
  assertThrowsCode(() => session.poll(), "lost");
});

Deno.test("messages wait to be sent together, and travel before the session waits", async () => {
  const sent: Uint8Array[] = [];
  const { session, peer } = openRaw({ stream: (stream) => recorded(stream, (bytes) => sent.push(bytes)) });
  session.send(done("a"));
  session.send(done("b"));
  await turns();
  assertEquals(sent.length, 0);
  const waiting = session.receive();
  assertEquals([await peer.receive(), await peer.receive()], [done("a"), done("b")]);
  assertEquals(sent.length, 1, "what waited together is one write");
  await peer.send(PART);
  await waiting;
});

Deno.test("requests ahead of their turn are kept, in order, behind what is under way", async () => {
  const { session, peer } = openRaw({ requestsAheadMax: 3 });
  await peer.send(stat("1"), stat("2"), PART, stat("3"), PART, stat("4"));
  assertEquals(await session.nextRequest(), stat("1"));
  assertEquals<unknown>(await session.receive(), PART);
  assertEquals<unknown>(await session.receive(), PART);
  for (const name of ["2", "3", "4"]) assertEquals(await session.nextRequest(), stat(name));
});

Deno.test("requests ahead are kept while a session polls, too", async () => {
  const { session, peer } = openRaw();
  await peer.send(stat("1"), stat("2"));
  assertEquals(session.poll(), undefined);
  await turns();
  assertEquals(session.poll(), undefined);
  assertEquals(await session.nextRequest(), stat("1"));
  assertEquals(await session.nextRequest(), stat("2"));
});

Deno.test("one request ahead more than the limit ends the session, as many as the limit do not", async () => {
  for (const count of [3, 4]) {
    const { session, peer } = openRaw({ requestsAheadMax: 3 });
    await peer.send(...Array(count).fill(stat("x")), PART);
    if (count === 3) assertEquals<unknown>(await session.receive(), PART);
    else await assertRejectsCode(() => session.receive(), "limit");
  }
});

Deno.test("a session that takes no requests ahead hands them on as part of the exchange", async () => {
  const { session, peer } = openRaw({ requestsAheadMax: 0 });
  await peer.send({ type: "offer", name: "a" });
  assertEquals<unknown>(await session.receive(), { type: "offer", name: "a" });
});

Deno.test("a stray cancel between requests is passed over; any other part is an error", async () => {
  const { session, peer } = openRaw();
  await peer.send({ type: "cancel" }, stat("a"), { type: "cancel" }, { type: "cancel" }, stat("b"), PART);
  assertEquals(await session.nextRequest(), stat("a"));
  assertEquals(await session.nextRequest(), stat("b"));
  await assertRejectsCode(() => session.nextRequest(), "order");
});

Deno.test("goodbye without a code and the end of the stream end the requests", async () => {
  const { session, peer } = openRaw();
  await peer.send(stat("a"), { type: "goodbye" });
  await peer.stream.closeWrite();
  assertEquals(await session.nextRequest(), stat("a"));
  assertEquals(session.hasEnded, false);
  assertEquals(await session.nextRequest(), undefined);
  assertEquals(session.hasEnded, true);
});

Deno.test("nothing counts that comes behind goodbye", async () => {
  const { session, peer } = openRaw();
  await peer.send({ type: "goodbye" }, stat("a"));
  assertEquals(await session.nextRequest(), undefined);
  assertEquals(await session.nextRequest(), undefined);
});

for (
  const [name, goodbye, code, text] of [
    ["a known code", { code: ERRORS.shutting_down.number, text: "Bye" }, "shutting_down", "Bye"],
    ["a known code and no text", { code: ERRORS.idle.number }, "idle", "memory:1 closed the connection"],
    ["a code that is not known yet", { code: 4_321, text: "New" }, "lost", "New"],
  ] as const
) {
  Deno.test(`goodbye with ${name} is thrown to who waits`, async () => {
    for (const wait of ["receive", "nextRequest"] as const) {
      const { session, peer } = openRaw();
      await peer.send({ type: "goodbye", ...goodbye });
      const error = await assertRejectsCode(() => session[wait](), code);
      assertEquals([error.message, error.by], [text, "peer"]);
    }
  });
}

Deno.test("a session says goodbye once, with the reason, and ends its side", async () => {
  for (const error of [undefined, new AppError("shutting_down", "Stopping")]) {
    const { session, peer } = openRaw();
    session.send(done("last"));
    await session.end(error);
    assertEquals(await peer.receive(), done("last"));
    const reason = error && { code: ERRORS.shutting_down.number, text: "Stopping" };
    assertEquals<unknown>(await peer.receive(), { type: "goodbye", ...reason });
    assertEquals(await peer.receive(), undefined);
  }
});

Deno.test("a session can be ended when the peer has gone", async () => {
  const { session, peer } = openRaw();
  peer.stream.close();
  await session.end(new AppError("idle", "Nothing came"));
  await assertRejectsCode(() => session.flush(), "lost");
});

Deno.test('the end of the stream is "lost" for who waits for a reply, and inside a frame for everybody', async () => {
  const whole = openRaw();
  await whole.peer.stream.closeWrite();
  await assertRejectsCode(() => whole.session.receive(), "lost");
  const cut = openRaw();
  await cut.peer.stream.write(encode(stat("a")).subarray(0, -1));
  await cut.peer.stream.closeWrite();
  await assertRejectsCode(() => cut.session.nextRequest(), "lost");
});

for (
  const [code, bytes] of [
    ["damaged", new Uint8Array(9)],
    ["malformed", frameOf(0x02, new Uint8Array())],
    ["unsupported", frameOf(0x7f, new Uint8Array())],
    ["limit", Uint8Array.of(0xff, 0xff, 0xff, 0x02, 0xff ^ 0x02 ^ 0xa5)],
  ] as const
) {
  Deno.test(`bytes that are "${code}" are thrown to who waits, behind the messages before them`, async () => {
    for (const wait of ["receive", "nextRequest"] as const) {
      const { session, peer } = openRaw({ requestsAheadMax: 0 });
      await peer.stream.write(concat(encode(stat("a")), bytes));
      assertEquals<unknown>(await session[wait](), stat("a"));
      await assertRejectsCode(() => session[wait](), code);
    }
  });
}

Deno.test("messages of an unknown type that may be skipped disturb nothing", async () => {
  const { session, peer } = openRaw({ stream: oneByteAtATime });
  await peer.stream.write(
    concat(frameOf(0x80, new Random(1).bytes(500)), encode(stat("a")), frameOf(0xff, new Uint8Array())),
  );
  assertEquals(await session.nextRequest(), stat("a"));
  await peer.send(stat("b"));
  assertEquals(await session.nextRequest(), stat("b"));
});

Deno.test("closing a session interrupts who waits, with the reason", async () => {
  const { session } = openRaw();
  const waiting = assertRejectsCode(() => session.receive(), "idle");
  session.close(new AppError("idle", "Nothing came"));
  await waiting;
  assert(!session.hasEnded);
});

Deno.test("who is idle answers pings, and work that is done comes before anything that the peer says", async () => {
  const { session, peer } = openRaw();
  const { promise, resolve } = Promise.withResolvers<string>();
  const idle = session.whileIdle(promise);
  for (const id of [1, 2]) {
    await peer.send({ type: "ping", id });
    assertEquals(await peer.expect("pong"), { type: "pong", id });
  }
  resolve("a line");
  assertEquals(await idle, "a line");
  for (const last of [PART, { type: "goodbye", code: ERRORS.internal.number, text: "Sorry" }] as const) {
    const { session, peer } = openRaw();
    await peer.send(last);
    assertEquals(session.poll(), undefined);
    await turns();
    assertEquals(await session.whileIdle(Promise.resolve("a line")), "a line");
  }
});

Deno.test("who is idle does not wait for a peer that takes nothing once the work is done", async () => {
  for (const isDone of [true, false]) {
    const { session, peer } = openRaw();
    const stalled = session.sendData(new Uint8Array(100_000 + DATA_OVERHEAD), 100_000); // more than a pipe holds
    await peer.send({ type: "ping", id: 1 }); // its pong has to wait behind that
    const work = Promise.withResolvers<string>();
    const idle = session.whileIdle(work.promise);
    await turns();
    if (isDone) work.resolve("a line");
    else work.reject(new AppError("usage", "No line"));
    if (isDone) assertEquals(await idle, "a line");
    else await assertRejectsCode(() => idle, "usage");
    session.close();
    await assertRejectsCode(() => stalled, "lost");
  }
});

Deno.test("what a peer says to who is idle, or its end, ends that", async () => {
  const never = new Promise<never>(() => {});
  for (
    const [say, code] of [
      [(peer: RawPeer) => peer.send(PART), "order"],
      [(peer: RawPeer) => peer.send({ type: "goodbye" }), "lost"],
      [(peer: RawPeer) => peer.send({ type: "goodbye", code: ERRORS.too_large.number, text: "No" }), "too_large"],
      [(peer: RawPeer) => peer.stream.closeWrite(), "lost"],
    ] as const
  ) {
    const { session, peer } = openRaw();
    const idle = session.whileIdle(never);
    await say(peer);
    await assertRejectsCode(() => idle, code);
  }
});
