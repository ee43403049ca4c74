/**
 * Deadlines of connections: one timer looks at all of them. A timer for each read would cost more than the read.
 */
import type { AppError } from "../errors.ts";
import { SWEEP_MS } from "../limits.ts";
import type { ByteStream } from "./byte_stream.ts";

interface Watch {
  readonly stream: ByteStream;
  /** Without a byte in either direction. */
  readonly silenceMaxMs: number;
  readonly reason: () => AppError;
  bytesMoved: number;
  movedAt: number;
}

const watches = new Set<Watch>();
let timer: ReturnType<typeof setInterval> | undefined;

/** Closes `stream` for `reason` once no byte moved for `silenceMaxMs`. Dispose what it returns to end the watch. */
export function watchSilence(stream: ByteStream, silenceMaxMs: number, reason: () => AppError): Disposable {
  const watch = { stream, silenceMaxMs, reason, bytesMoved: stream.bytesMoved, movedAt: performance.now() };
  watches.add(watch);
  timer ??= setInterval(sweep, SWEEP_MS);
  return { [Symbol.dispose]: () => end(watch) };
}

function sweep(): void {
  const now = performance.now();
  for (const watch of watches) {
    if (watch.stream.bytesMoved !== watch.bytesMoved) {
      watch.bytesMoved = watch.stream.bytesMoved;
      watch.movedAt = now;
    } else if (now - watch.movedAt >= watch.silenceMaxMs) {
      end(watch);
      watch.stream.close(watch.reason());
    }
  }
}

function end(watch: Watch): void {
  watches.delete(watch);
  if (watches.size > 0) return;
  clearInterval(timer);
  timer = undefined;
}
