/** Last words to a peer that is not served (any more), within a deadline: it may be one that takes nothing. */
import { AppError, type ErrorName, ERRORS } from "../protocol/errors.ts";
import type { ByteStream } from "../protocol/exchange/byte_stream.ts";
import { BODY_BYTES_MAX } from "../protocol/limits.ts";
import { formatAbilities, type Opening, OPENING_START } from "../protocol/wire/opening.ts";

const LAST_WORDS_MS = 1_000;

const PLAIN_REFUSAL = `This is app, which speaks ${OPENING_START}: try app list HOST PORT\n`;

const HTTP_REFUSAL = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n" +
  `Content-Length: ${PLAIN_REFUSAL.length}\r\n\r\n${PLAIN_REFUSAL}`;

/**
 * Runs `say`, ends our side, and passes over what the peer still sends, for a moment: closing with unread bytes would
 * reset the connection, and the peer could lose our last words. Then closes; never throws what the stream throws.
 */
export async function sayLastWords(stream: ByteStream, say: () => Promise<void>): Promise<void> {
  const deadline = setTimeout(() => stream.close(), LAST_WORDS_MS);
  try {
    await say();
    await stream.closeWrite();
    const sink = new Uint8Array(16_384);
    while (await stream.read(sink) !== null);
  } catch (failure) {
    if (!(failure instanceof AppError)) throw failure; // the peer has gone already, or takes nothing
  } finally {
    clearTimeout(deadline);
    stream.close();
  }
}

/** Tells who speaks another format what is here, in a form that it can read. */
export function refuseFormat(stream: ByteStream, format: "http" | "tls" | "unknown"): Promise<void> {
  return stream.write(new TextEncoder().encode(format === "http" ? HTTP_REFUSAL : PLAIN_REFUSAL));
}

/** An opening line that says why nothing follows. */
export function refuseOpening(stream: ByteStream, refused: ErrorName): Promise<void> {
  return stream.write(new TextEncoder().encode(formatAbilities({ refused, dataBytesMax: BODY_BYTES_MAX }) + "\n"));
}

/** Tells who opened in plain, where only TLS is spoken, the key to come back with; a person also what to do. */
export function refusePlain(stream: ByteStream, kind: Opening["kind"], key: string): Promise<void> {
  const line = formatAbilities({ refused: "tls_required", key, dataBytesMax: BODY_BYTES_MAX });
  const { meaning, advice } = ERRORS.tls_required;
  const text = kind === "words" ? `${meaning}, and this connection is not encrypted\n${advice}\n` : "";
  return stream.write(new TextEncoder().encode(`${line}\n${text}`));
}
