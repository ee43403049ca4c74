/** A stream that is held back: all bytes come, in their order, no faster than allowed, and its end ends every wait. */
import { AppError } from "../../protocol/errors.ts";
import type { ByteStream } from "../../protocol/exchange/byte_stream.ts";
import { ThrottledStream } from "../../protocol/exchange/throttled_stream.ts";
import { TokenBucket } from "../../protocol/exchange/token_bucket.ts";
import { Random } from "../support/random.ts";
import { assert, assertEquals, assertRejectsCode } from "../support/assert.ts";

/** Keeps what is written, and gives it back when it is read. */
class Loop implements ByteStream {
  readonly peer = "loop";
  bytesRead = 0;
  bytesWritten = 0;
  isWriting = false;
  readonly kept: number[] = [];
  #closedFor: AppError | undefined;

  read(into: Uint8Array): Promise<number | null> {
    if (this.#closedFor) return Promise.reject(this.#closedFor);
    const piece = this.kept.splice(0, into.length);
    into.set(piece);
    this.bytesRead += piece.length;
    return Promise.resolve(piece.length || null);
  }
  write(bytes: Uint8Array): Promise<void> {
    if (this.#closedFor) return Promise.reject(this.#closedFor);
    this.kept.push(...bytes);
    this.bytesWritten += bytes.length;
    return Promise.resolve();
  }
  closeWrite = () => Promise.resolve();
  close(reason?: AppError): void {
    this.#closedFor ??= reason ?? new AppError("lost", "Closed");
  }
}

function throttled(bytesPerSecond: number) {
  const loop = new Loop();
  const [reading, writing] = [[new TokenBucket(bytesPerSecond)], [new TokenBucket(bytesPerSecond)]];
  return { loop, stream: new ThrottledStream(loop, { reading, writing }) };
}

Deno.test("all bytes come in their order, and not before their time", async () => {
  const { stream } = throttled(1_000_000);
  const bytes = new Random(1).bytes(200_000);
  const start = performance.now();
  await stream.write(bytes);
  assert(performance.now() - start >= 90, "a tenth of a second is free, the other waits");
  const read: number[] = [];
  const buffer = new Uint8Array(100_000);
  for (let count = await stream.read(buffer); count !== null; count = await stream.read(buffer)) {
    read.push(...buffer.subarray(0, count));
  }
  assertEquals(Uint8Array.from(read), bytes);
});

Deno.test("a fast limit does not wait for small things", async () => {
  const { stream } = throttled(1e9);
  for (let count = 0; count < 1_000; count++) {
    await stream.write(new Uint8Array(100));
    assertEquals(stream.isHeldBack, false);
  }
});

Deno.test("a write that waits is held back, and its stream's end ends it with the reason", async () => {
  const { stream, loop } = throttled(1_000);
  const writing = stream.write(new Uint8Array(1_000_000));
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  assertEquals([stream.isHeldBack, stream.isWriting], [true, true]);
  stream.close(new AppError("shutting_down", "Stopped"));
  await assertRejectsCode(() => writing, "shutting_down");
  assertEquals([stream.isHeldBack, stream.isWriting], [false, false]);
  assert(loop.bytesWritten < 10_000);
});

Deno.test("a read that waits ends in the same way", async () => {
  const { stream, loop } = throttled(1_000);
  loop.kept.push(...new Uint8Array(10_000));
  const reading = (async () => {
    while (await stream.read(new Uint8Array(10_000)) !== null);
  })();
  while (!stream.isHeldBack) await Promise.resolve();
  assertEquals(stream.isWriting, false);
  stream.close(new AppError("idle", "Stopped"));
  await assertRejectsCode(() => reading, "idle");
});
