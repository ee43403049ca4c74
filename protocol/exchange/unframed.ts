/**
 * Files as the old formats carry them: bytes up to the end of the stream, without a length or a checksum.
 *
 * So the end of the stream is all that tells of success here: a reset, a timeout and a stop are thrown by the stream, and
 * who receives then throws away what came. A clean end in the wrong place cannot be told from the right one.
 */
import { breathe, breatheLong } from "../breathe.ts";
import { AppError } from "../errors.ts";
import type { Draft, Source } from "../files/tree.ts";
import { BODY_BYTES_MAX } from "../limits.ts";
import type { ByteStream } from "./byte_stream.ts";
import type { QuietReader } from "./quiet_reader.ts";

/** Told of each piece that moved, and of all bytes so far. */
export type OnPiece = (piece: Uint8Array, bytes: number) => void;

/**
 * Sends what `source` has, up to `sizeBytes`, and ends our side; how much that was. Throws `source_changed` if it
 * changed meanwhile: our side has ended then, too, as nothing else can be said.
 */
export async function sendUnframed(
  stream: ByteStream,
  source: Omit<Source, "entry">,
  { sizeBytes = Infinity, onPiece }: { sizeBytes?: number; onPiece?: OnPiece } = {},
): Promise<number> {
  using _breathing = breatheLong();
  const buffer = new Uint8Array(Math.min(BODY_BYTES_MAX, Math.max(1, sizeBytes)));
  let bytes = 0;
  while (bytes < sizeBytes) {
    const count = await source.readAt(bytes, buffer.subarray(0, Math.min(buffer.length, sizeBytes - bytes)));
    if (count === 0) break;
    const piece = buffer.subarray(0, count);
    await stream.write(piece);
    bytes += count;
    onPiece?.(piece, bytes);
    await breathe();
  }
  await stream.closeWrite();
  await source.verifyUnchanged();
  return bytes;
}

/**
 * Takes everything up to the end of the stream into `draft` and publishes it; its name, and how much it was. When that
 * comes to nothing, nothing of it stays.
 */
export async function receiveUnframed(
  stream: ByteStream,
  draft: Draft,
  { sizeBytesMax = Infinity, onPiece, onEnd }: { sizeBytesMax?: number; onPiece?: OnPiece; onEnd?: () => void } = {},
): Promise<{ name: string; bytes: number }> {
  using _breathing = breatheLong();
  try {
    await draft.startAt(0);
    const buffer = new Uint8Array(BODY_BYTES_MAX);
    let bytes = 0;
    for (let count = await stream.read(buffer); count !== null; count = await stream.read(buffer)) {
      const piece = buffer.subarray(0, count);
      bytes += count;
      if (bytes > sizeBytesMax) {
        throw new AppError("too_large", `Cannot take the file: it is larger than the ${sizeBytesMax} bytes allowed`);
      }
      await draft.write(piece);
      onPiece?.(piece, bytes);
      await breathe();
    }
    onEnd?.();
    return { name: await draft.publish(), bytes };
  } catch (error) {
    await discard(draft);
    throw error;
  }
}

/** Passes over what the peer still says, up to its end. */
export async function untilEnd(stream: ByteStream): Promise<void> {
  const sink = new Uint8Array(1_024);
  while (await stream.read(sink) !== null);
}

/** Reads one of `codes`, of which none may begin another; what comes behind it stays in `reader`. `undefined`: none. */
export async function readCode<T extends string>(reader: QuietReader, codes: readonly T[]): Promise<T | undefined> {
  for (;;) {
    const text = String.fromCharCode(...reader.buffered.subarray(0, CODE_BYTES_MAX));
    const code = codes.find((one) => text.startsWith(one));
    if (code !== undefined) reader.take(code.length);
    if (code !== undefined || !codes.some((one) => one.startsWith(text))) return code;
    if (await reader.more() !== "ended") continue;
    if (text !== "") return undefined;
    throw new AppError("lost", `${reader.peer} closed the connection before it answered`);
  }
}

const CODE_BYTES_MAX = 32;

/** After a failure, which is the error to tell; what cannot be tidied up now is swept later. */
async function discard(draft: Draft): Promise<void> {
  try {
    await draft.discard();
  } catch (failure) {
    if (!(failure instanceof AppError)) throw failure;
  }
}
