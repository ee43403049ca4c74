/** What comes while we write is seen at once, and not with the peer's next heartbeat. */
import { putFile } from "../../client/mod.ts";
import type { ByteStream } from "../../protocol/exchange/byte_stream.ts";
import { Session } from "../../protocol/exchange/session.ts";
import { crc32 } from "../../protocol/wire/crc32.ts";
import { ByteWriter } from "../../protocol/wire/fields.ts";
import { encodeMessage, type FieldMessage } from "../../protocol/wire/messages/mod.ts";
import { soon, startServed } from "../server/served.ts";
import { assertEquals, assertRejectsCode } from "../support/assert.ts";
import { HandTimers } from "../support/hand_timers.ts";
import { temporaryDirectory } from "../support/program.ts";

function frameOf(message: FieldMessage): Uint8Array {
  const writer = new ByteWriter();
  encodeMessage(message, writer, crc32);
  return writer.written().slice();
}

/** A stream whose reads and writes end when the test says so. */
class SteppedStream implements ByteStream {
  readonly peer = "stepped";
  readonly bytesRead = 0;
  readonly bytesWritten = 0;
  readonly isWriting = false;
  /** Ends the read under way with these bytes. */
  deliver: (bytes: Uint8Array) => void = () => {};
  /** Ends the write under way. */
  take: () => void = () => {};

  read(into: Uint8Array): Promise<number | null> {
    const read = Promise.withResolvers<number>();
    this.deliver = (bytes) => {
      into.set(bytes);
      read.resolve(bytes.length);
    };
    return read.promise;
  }

  write(): Promise<void> {
    const written = Promise.withResolvers<void>();
    this.take = () => written.resolve();
    return written.promise;
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {}
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

Deno.test("a message that comes while our own is being written is received at once", async () => {
  const stream = new SteppedStream();
  const session = new Session(stream, { early: new Uint8Array(), dataBytesMax: 262_144, requestsAheadMax: 0 });
  assertEquals(session.poll(), undefined); // now a read is under way
  session.send({ type: "cancel" });
  const received = session.receive();
  await settle(); // now a write is, too
  stream.deliver(frameOf({ type: "done" }));
  await settle();
  stream.take();
  assertEquals((await soon(received, "what has come already", 1_000)).type, "done");
});

Deno.test("refused puts are told at once, without any heartbeat", async () => {
  using _timers = new HandTimers(); // which never ring
  await using served = startServed({ "a.txt": "1" });
  using here = temporaryDirectory();
  Deno.writeTextFileSync(`${here.path}/file`, "changed");
  for (let round = 0; round < 100; round++) {
    const client = served.client();
    const put = putFile(client, `${here.path}/file`, "a.txt");
    await soon(assertRejectsCode(() => put, "exists"), `the refusal of put ${round}`, 3_000);
    await client[Symbol.asyncDispose]();
  }
});
