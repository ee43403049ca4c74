/** What a session writes: never two things at once, nothing half, and a heartbeat when it is silent. */
import type { ByteStream } from "../../protocol/exchange/byte_stream.ts";
import { DATA_OFFSET, DATA_OVERHEAD } from "../../protocol/exchange/session.ts";
import { HEARTBEAT_MS } from "../../protocol/limits.ts";
import { assert, assertEquals, assertThrows, assertThrowsCode } from "../support/assert.ts";
import { frameOf } from "../wire/decoding.ts";
import { changed } from "../support/streams.ts";
import { openRaw, turns } from "./raw_peer.ts";
import { takeTime } from "./take_time.ts";

const stat = (name: string) => ({ type: "stat", name }) as const;

/** A stream whose writes end one by one, when the test says so; it notes when one begins before another has ended. */
class SlowWrites {
  overlaps = 0;
  readonly #waiting: PromiseWithResolvers<void>[] = [];

  wrap(stream: ByteStream): ByteStream {
    const write = async (bytes: Uint8Array) => {
      if (this.#waiting.length > 0) this.overlaps++;
      const turn = Promise.withResolvers<void>();
      this.#waiting.push(turn);
      await stream.write(bytes);
      await turn.promise;
    };
    return changed(stream, { write });
  }

  /** Ends the oldest write under way, and lets everything run that follows from it. */
  async endOne(): Promise<void> {
    this.#waiting.shift()?.resolve();
    await turns();
  }
}

Deno.test("queued messages are written one piece after the other, in order", async () => {
  const slow = new SlowWrites();
  const { session, peer } = openRaw({ stream: (stream) => slow.wrap(stream) });
  const flushes: Promise<void>[] = [];
  for (const name of ["a", "b", "c", "d"]) {
    session.send(stat(name));
    flushes.push(session.flush());
  }
  for (let count = 0; count < 4; count++) await slow.endOne();
  await Promise.all(flushes);
  for (const name of ["a", "b", "c", "d"]) assertEquals(await peer.receive(), stat(name));
  assertEquals(slow.overlaps, 0);
});

Deno.test("file data and a message that both wait for an earlier write are not written at the same time", async () => {
  const slow = new SlowWrites();
  const { session } = openRaw({ stream: (stream) => slow.wrap(stream) });
  session.send({ type: "ping", id: 1 });
  const first = session.flush();
  await turns();
  const data = session.sendData(new Uint8Array(DATA_OVERHEAD + 5), 5);
  session.send({ type: "ping", id: 2 });
  const second = session.flush();
  for (let count = 0; count < 3; count++) await slow.endOne();
  await Promise.all([first, data, second]);
  assertEquals(slow.overlaps, 0, "two writes at once can mix their bytes");
});

Deno.test("data travels behind what was queued before it", async () => {
  const { session, peer } = openRaw();
  session.send(stat("a"));
  const buffer = new Uint8Array(DATA_OVERHEAD + 3);
  buffer.set([1, 2, 3], DATA_OFFSET);
  await session.sendData(buffer, 3);
  assertEquals(await peer.receive(), stat("a"));
  assertEquals(await peer.receive(), { type: "data", bytes: Uint8Array.of(1, 2, 3) });
});

Deno.test("a message that cannot be encoded leaves nothing behind: what follows it arrives", async () => {
  const { session, peer } = openRaw();
  session.send(stat("before"));
  assertThrowsCode(() => session.send(stat("half a pair: \ud800")), "bad_name");
  assertThrows(() => session.send({ type: "from", offset: -1 }), RangeError);
  assertThrows(() => session.send(stat("x".repeat(70_000))), RangeError);
  session.send(stat("behind"));
  await session.flush();
  assertEquals(await peer.receive(), stat("before"));
  assertEquals(await peer.receive(), stat("behind"));
});

Deno.test("what comes while a request ahead is taken is not lost when the decoder gives its buffer back", async () => {
  const { session, peer } = openRaw();
  await peer.stream.write(frameOf(0x15, new Uint8Array(60_000)));
  await peer.send(stat("a"), { type: "end", sizeBytes: 0, crc: 0 });
  assertEquals((await session.receive()).type, "data"); // the decoder has its large buffer now
  assertEquals((await session.receive()).type, "end");
  assertEquals(await session.nextRequest(), stat("a"));
  assertEquals(session.poll(), undefined); // a read is under way from here on
  const next = session.nextRequest();
  await peer.send(stat("b"));
  assertEquals(await next, stat("b"));
});

Deno.test("heartbeat says ping after a silence of its own, and not when something was just sent", async () => {
  using time = takeTime();
  const { session, peer } = openRaw();
  {
    using _alive = session.keepAlive();
    assert(time.everyMs > 0 && time.everyMs <= HEARTBEAT_MS);
    time.nowMs += HEARTBEAT_MS;
    time.tick();
    assertEquals(await peer.expect("ping"), { type: "ping", id: 1 });

    time.nowMs += HEARTBEAT_MS - 1;
    time.tick();
    session.send(stat("a"));
    await session.flush();
    assertEquals(await peer.receive(), stat("a"), "no ping so soon after the last");

    time.nowMs += HEARTBEAT_MS - 1;
    time.tick();
    time.nowMs += 1;
    time.tick();
    assertEquals(await peer.expect("ping"), { type: "ping", id: 2 });
    await session.flush();
    assertEquals(time.isCleared, false);
  }
  assertEquals(time.isCleared, true);
});

Deno.test("heartbeat keeps quiet about a connection that is gone: who uses the session next hears of it", async () => {
  using time = takeTime();
  const { session, peer } = openRaw();
  using _alive = session.keepAlive();
  peer.stream.close();
  time.nowMs += HEARTBEAT_MS;
  time.tick();
  await session.flush().then(() => assert(false, "the flush must fail"), (error) => assertEquals(error.code, "lost"));
});

Deno.test("heartbeat keeps quiet while a write is under way: that says enough", async () => {
  using time = takeTime();
  const { session, peer } = openRaw();
  using _alive = session.keepAlive();
  const data = session.sendData(new Uint8Array(200_000 + DATA_OVERHEAD), 200_000);
  await turns(); // the peer takes nothing: the write waits
  time.nowMs += HEARTBEAT_MS;
  time.tick();
  assertEquals((await peer.expect("data")).bytes.length, 200_000);
  await data;
  session.send(stat("a"));
  await session.flush();
  assertEquals(await peer.receive(), stat("a"));
});
