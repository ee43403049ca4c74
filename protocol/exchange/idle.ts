/**
 * Deadlines of connections: one timer looks at all of them. A timer for each read would cost more than the read.
 *
 * A peer is given up when we wait for it and hear nothing, or when it does not take what we write. What we write is no
 * sign of its life: a few heartbeats fit into the buffers between us even when it is gone. And what we hear is no sign
 * that it takes anything. So both are looked at for themselves. Nor are single bytes a sign of anything, if the messages
 * that they belong to never end: who can count messages does, and of a long one a good part counts.
 */
import type { AppError } from "../errors.ts";
import { PROGRESS_BYTES, SWEEP_MS } from "../limits.ts";
import { every } from "../timers.ts";
import type { ByteStream } from "./byte_stream.ts";

export interface SilenceOptions {
  /** How long nothing may be heard, or taken. */
  readonly silenceMaxMs: number;
  /** Whether we wait for the peer to say something. */
  readonly isWaiting: () => boolean;
  /** How many whole messages came so far, of any kind. @default every byte counts, both ways */
  readonly messagesHeard?: () => number;
  /** Why the stream is closed then. */
  readonly reason: () => AppError;
}

interface Watch extends SilenceOptions {
  readonly stream: ByteStream;
  messages: number;
  /** As they were at the last progress. */
  bytesRead: number;
  bytesWritten: number;
  /** When it last was in order that nothing was heard, and that nothing was taken. */
  heardAt: number;
  takenAt: number;
}

const watches = new Set<Watch>();
let timer: Disposable | undefined;

/** Closes `stream` once it has been silent for too long. Dispose what it returns to end the watch. */
export function watchSilence(stream: ByteStream, options: SilenceOptions): Disposable {
  const now = performance.now();
  const { bytesRead, bytesWritten } = stream;
  const messages = options.messagesHeard?.() ?? 0;
  const watch: Watch = { stream, messages, bytesRead, bytesWritten, heardAt: now, takenAt: now, ...options };
  watches.add(watch);
  timer ??= every(SWEEP_MS, sweep);
  return { [Symbol.dispose]: () => end(watch) };
}

function sweep(): void {
  const now = performance.now();
  for (const watch of watches) {
    const { stream } = watch;
    if (hasHeard(watch) || !watch.isWaiting() || stream.isHeldBack) {
      watch.heardAt = now;
      watch.bytesRead = stream.bytesRead;
      watch.messages = watch.messagesHeard?.() ?? 0;
    }
    if (hasTaken(watch) || !stream.isWriting || stream.isHeldBack) {
      watch.takenAt = now;
      watch.bytesWritten = stream.bytesWritten;
    }
    if (now - Math.min(watch.heardAt, watch.takenAt) < watch.silenceMaxMs) continue;
    end(watch);
    stream.close(watch.reason());
  }
}

function hasHeard({ stream, messagesHeard, messages, bytesRead }: Watch): boolean {
  const bytes = stream.bytesRead - bytesRead;
  return messagesHeard ? messagesHeard() !== messages || bytes >= PROGRESS_BYTES : bytes > 0;
}

function hasTaken({ stream, messagesHeard, bytesWritten }: Watch): boolean {
  return stream.bytesWritten - bytesWritten >= (messagesHeard ? PROGRESS_BYTES : 1);
}

function end(watch: Watch): void {
  watches.delete(watch);
  if (watches.size > 0) return;
  timer?.[Symbol.dispose]();
  timer = undefined;
}
