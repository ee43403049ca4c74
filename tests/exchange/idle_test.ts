/** Connections that are silent for too long are closed, for the right silence and not before. */
import { AppError } from "../../protocol/errors.ts";
import { watchSilence } from "../../protocol/exchange/idle.ts";
import type { ByteStream } from "../../protocol/exchange/byte_stream.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { takeTime } from "./take_time.ts";

const SILENCE_MAX_MS = 10_000;

/** A stream of which only the counts matter; they are the test's to set. */
class CountedStream implements ByteStream {
  readonly peer = "counted";
  bytesRead = 0;
  bytesWritten = 0;
  isWriting = false;
  isWaiting = true;
  closedFor: AppError | undefined;

  read = () => Promise.resolve(null);
  write = () => Promise.resolve();
  closeWrite = () => Promise.resolve();
  close(reason?: AppError): void {
    assert(!this.closedFor, "closed twice");
    this.closedFor = reason;
  }
}

function watch(stream: CountedStream): Disposable {
  return watchSilence(stream, {
    silenceMaxMs: SILENCE_MAX_MS,
    isWaiting: () => stream.isWaiting,
    reason: () => new AppError("idle", "Too silent"),
  });
}

Deno.test("a stream that is waited for is closed when nothing was heard for too long, and not before", () => {
  using time = takeTime();
  const stream = new CountedStream();
  using _watch = watch(stream);
  time.nowMs += SILENCE_MAX_MS - 1;
  time.tick();
  assertEquals(stream.closedFor, undefined);
  time.nowMs += 1;
  time.tick();
  assertEquals(stream.closedFor?.code, "idle");
  time.nowMs += SILENCE_MAX_MS;
  time.tick();
});

Deno.test("a byte that was heard begins the silence anew; one that was written does not", () => {
  for (const [heard, isClosed] of [[1, false], [0, true]] as const) {
    using time = takeTime();
    const stream = new CountedStream();
    using _watch = watch(stream);
    time.nowMs += SILENCE_MAX_MS - 1;
    stream.bytesRead += heard;
    stream.bytesWritten++;
    time.tick();
    time.nowMs += SILENCE_MAX_MS - 1;
    time.tick();
    assertEquals(stream.closedFor !== undefined, isClosed);
  }
});

Deno.test("a stream that nobody waits for may be silent", () => {
  using time = takeTime();
  const stream = new CountedStream();
  stream.isWaiting = false;
  using _watch = watch(stream);
  for (let count = 0; count < 5; count++) {
    time.nowMs += SILENCE_MAX_MS;
    time.tick();
  }
  assertEquals(stream.closedFor, undefined);
});

Deno.test("a peer that takes nothing of what is written is given up, whatever it says", () => {
  for (const [taken, isClosed] of [[0, true], [1, false]] as const) {
    using time = takeTime();
    const stream = new CountedStream();
    stream.isWriting = true;
    using _watch = watch(stream);
    for (let count = 0; count < 4; count++) {
      time.nowMs += SILENCE_MAX_MS / 2;
      stream.bytesRead++;
      stream.bytesWritten += taken;
      if (!stream.closedFor) time.tick();
    }
    assertEquals(stream.closedFor !== undefined, isClosed);
  }
});

Deno.test("a watch that is over closes nothing, and the last one stops the timer", () => {
  using time = takeTime();
  const [one, two] = [new CountedStream(), new CountedStream()];
  const watches = [watch(one), watch(two)];
  watches[0]![Symbol.dispose]();
  assertEquals(time.isCleared, false);
  time.nowMs += SILENCE_MAX_MS;
  time.tick();
  assertEquals([one.closedFor, two.closedFor?.code], [undefined, "idle"]);
  assertEquals(time.isCleared, true);
  for (const one of watches) one[Symbol.dispose]();
});
