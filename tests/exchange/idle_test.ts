/** Connections that are silent for too long are closed, for the right silence and not before. */
import { AppError } from "../../protocol/errors.ts";
import { watchSilence } from "../../protocol/exchange/idle.ts";
import type { ByteStream } from "../../protocol/exchange/byte_stream.ts";
import { PROGRESS_BYTES } from "../../protocol/limits.ts";
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
  isHeldBack = false;
  messages = 0;
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

/** The same, where whole messages are counted. */
function watchMessages(stream: CountedStream): Disposable {
  return watchSilence(stream, {
    silenceMaxMs: SILENCE_MAX_MS,
    isWaiting: () => stream.isWaiting,
    messagesHeard: () => stream.messages,
    reason: () => new AppError("idle", "Too silent"),
  });
}

/** What moves in each half of the time that may pass in silence, and whether that is enough to live. */
const TRICKLES: readonly (readonly [what: string, move: (stream: CountedStream) => void, lives: boolean])[] = [
  ["single bytes of a message that never ends", (stream) => stream.bytesRead++, false],
  ["a message of one byte", (stream) => [stream.bytesRead++, stream.messages++], true],
  ["a quarter of what has to come", (stream) => stream.bytesRead += PROGRESS_BYTES / 4, false],
  ["half of what has to come", (stream) => stream.bytesRead += PROGRESS_BYTES / 2, true],
  ["nothing, but by our own fault", (stream) => stream.isHeldBack = true, true],
];

for (const [what, move, lives] of TRICKLES) {
  Deno.test(`a peer that sends ${what} is ${lives ? "waited for" : "given up"}`, () => {
    using time = takeTime();
    const stream = new CountedStream();
    using _watch = watchMessages(stream);
    for (let count = 0; count < 6; count++) {
      time.nowMs += SILENCE_MAX_MS / 2;
      move(stream);
      if (!stream.closedFor) time.tick();
    }
    assertEquals(stream.closedFor === undefined, lives);
  });
}

Deno.test("a peer that takes byte by byte is given up, and one that takes a good part is not", () => {
  for (const [taken, isClosed] of [[1, true], [PROGRESS_BYTES / 2, false]] as const) {
    using time = takeTime();
    const stream = new CountedStream();
    Object.assign(stream, { isWriting: true, isWaiting: false });
    using _watch = watchMessages(stream);
    for (let count = 0; count < 6; count++) {
      time.nowMs += SILENCE_MAX_MS / 2;
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
