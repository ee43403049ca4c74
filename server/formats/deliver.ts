/** How the old formats answer: a code word, a gap, and the bytes of a file up to the end of the stream. */
import { AppError } from "../../protocol/errors.ts";
import type { QuietReader } from "../../protocol/exchange/quiet_reader.ts";
import { sendUnframed, untilEnd } from "../../protocol/exchange/unframed.ts";
import type { Source } from "../../protocol/files/tree.ts";
import type { Outcome } from "../handlers/handler.ts";
import type { FormatContext } from "./format.ts";

export function writeText(stream: QuietReader, text: string): Promise<void> {
  return stream.write(new TextEncoder().encode(text));
}

/**
 * Sends `code`, and behind the gap all of `source`, which it takes over. It counts as delivered when the peer ends its
 * side after us: the format has no better word for it.
 */
export async function deliver(code: string, source: Source, context: FormatContext): Promise<Outcome> {
  using _source = source;
  const { stream, limits } = context;
  await writeText(stream, code);
  await pause(stream, limits.codeGapMs);
  const bytes = await sendUnframed(stream, source, { sizeBytes: source.entry.sizeBytes });
  await untilEnd(stream);
  context.onDelivered();
  return { bytes };
}

/** Waits, but no longer than the connection lives: its end is thrown. */
async function pause(stream: QuietReader, ms: number): Promise<void> {
  const until = performance.now() + ms;
  for (let leftMs = ms; leftMs > 0; leftMs = until - performance.now()) {
    if (!stream.isFull && await stream.more(leftMs) !== "ended") continue;
    return await new Promise((resolve) => setTimeout(resolve, Math.max(0, until - performance.now())));
  }
}

/**
 * Ends the connection a moment after a refusal, as the old servers do: what is closed at once, with bytes of the peer
 * unread, can take the refusal with it.
 */
export async function endLater({ stream, limits }: FormatContext): Promise<void> {
  const timer = setTimeout(() => stream.close(), limits.cancelWaitMs);
  try {
    await untilEnd(stream);
  } catch (error) {
    if (!(error instanceof AppError)) throw error; // it is over either way
  } finally {
    clearTimeout(timer);
  }
}
