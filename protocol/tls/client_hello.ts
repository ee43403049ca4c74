/**
 * The first thing that a TLS client says, as far as a server has to know it before it lets TLS begin: whether it is
 * whole, and whether the client can speak TLS 1.3. RFC 8446, sections 4.1.2, 4.2.1 and 5.1. Pure.
 */
import { CLIENT_HELLO_BYTES_MAX } from "../limits.ts";

/** How TLS tells that it ends here: RFC 8446, section 6. */
export const ALERTS = { protocol_version: 70, decode_error: 50 } as const;
export type AlertName = keyof typeof ALERTS;

/**
 * What there is to say of the bytes so far: how many there have to be before there is more to say, that they are a hello
 * of TLS 1.3, or why it is refused.
 */
export type HelloVerdict = number | "good" | AlertName;

const HANDSHAKE_RECORD = 22;
const APPLICATION_RECORD = 23;
const CLIENT_HELLO = 1;
const SUPPORTED_VERSIONS = 43;
const TLS_1_3 = 0x0304;
const RECORD_HEAD_BYTES = 5;
const RECORD_BYTES_MAX = 16_384;
const MESSAGE_HEAD_BYTES = 4;

/** `bytes` are all that came so far. */
export function judgeClientHello(bytes: Uint8Array): HelloVerdict {
  const message = messageIn(bytes);
  if (!(message instanceof Uint8Array)) return message;
  try {
    return offersTls13(message) ? "good" : "protocol_version";
  } catch (error) {
    if (error instanceof RangeError) return "decode_error"; // a length in it leads behind its end
    throw error;
  }
}

/** The record that ends a connection for that reason. */
export function encodeAlert(name: AlertName): Uint8Array {
  const [recordOfAlerts, fatal] = [21, 2];
  return Uint8Array.of(recordOfAlerts, 3, 3, 0, 2, fatal, ALERTS[name]);
}

/**
 * Where in `bytes` the first encrypted record ends: with what a client says behind its hello, that is where its side of
 * the handshake is over. `undefined` while that has not come.
 */
export function endOfFirstEncrypted(bytes: Uint8Array): number | undefined {
  for (let at = 0; at + RECORD_HEAD_BYTES <= bytes.length;) {
    const end = at + RECORD_HEAD_BYTES + uint16(bytes, at + 3);
    if (bytes[at] === APPLICATION_RECORD) return end <= bytes.length ? end : undefined;
    at = end;
  }
}

/** The body of the hello, put together from its records; or a verdict, if it is not there yet, or none. */
function messageIn(bytes: Uint8Array): Uint8Array | Exclude<HelloVerdict, "good"> {
  const pieces: number[] = [];
  let at = 0;
  while (at < bytes.length) {
    const head = bytes.subarray(at, at + RECORD_HEAD_BYTES);
    if (isNoRecord(head)) return "decode_error";
    const end = at + RECORD_HEAD_BYTES + (head.length < RECORD_HEAD_BYTES ? 0 : uint16(head, 3));
    pieces.push(...bytes.subarray(at + RECORD_HEAD_BYTES, end));
    at = end;
  }
  const sizeBytes = MESSAGE_HEAD_BYTES + (pieces.length < MESSAGE_HEAD_BYTES ? 0 : uint24(pieces, 1));
  const isOther = pieces.length > 0 && pieces[0] !== CLIENT_HELLO;
  if (isOther || Math.max(sizeBytes, at) > CLIENT_HELLO_BYTES_MAX) return "decode_error";
  // Nothing may follow before the server has answered, so a whole hello is all there is.
  if (pieces.length >= sizeBytes) {
    return pieces.length === sizeBytes && at === bytes.length
      ? Uint8Array.from(pieces.slice(MESSAGE_HEAD_BYTES))
      : "decode_error";
  }
  return at > bytes.length ? at : at + RECORD_HEAD_BYTES;
}

/** Whether these first bytes of a record cannot be those of one with a part of a hello in it. */
function isNoRecord([type = HANDSHAKE_RECORD, major = 3, _minor, high, low]: Uint8Array): boolean {
  if (type !== HANDSHAKE_RECORD || major !== 3) return true;
  if (high === undefined || low === undefined) return false;
  const length = high * 256 + low;
  return length === 0 || length > RECORD_BYTES_MAX;
}

/** Throws `RangeError` when it is not whole. */
function offersTls13(body: Uint8Array): boolean {
  const fields = new Fields(body);
  fields.take(2 + 32); // version, as older ones have it, and random bytes
  fields.take(fields.uint(1)); // session
  fields.take(fields.uint(2)); // cipher suites
  fields.take(fields.uint(1)); // compression
  if (fields.isAtEnd) return false;
  const extensions = new Fields(fields.take(fields.uint(2)));
  let offers = false;
  while (!extensions.isAtEnd) {
    const type = extensions.uint(2);
    const content = new Fields(extensions.take(extensions.uint(2)));
    if (type !== SUPPORTED_VERSIONS) continue;
    const versions = new Fields(content.take(content.uint(1)));
    while (!versions.isAtEnd) if (versions.uint(2) === TLS_1_3) offers = true;
  }
  return offers;
}

/** Reads one field after the other. */
class Fields {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  uint(count: number): number {
    return this.take(count).reduce((number, byte) => number * 256 + byte, 0);
  }

  /** A view. */
  take(count: number): Uint8Array {
    if (this.#at + count > this.#bytes.length) throw new RangeError("The hello is not whole");
    return this.#bytes.subarray(this.#at, this.#at += count);
  }
}

function uint16(bytes: Uint8Array, at: number): number {
  return bytes[at]! * 256 + bytes[at + 1]!;
}

function uint24(bytes: readonly number[], at: number): number {
  return bytes[at]! * 65_536 + bytes[at + 1]! * 256 + bytes[at + 2]!;
}
