/**
 * The one form of certificate that there is here: nothing in it but the key is ever different. Pure.
 *
 * A client trusts a key and nothing else. TLS wants certificates, so the server makes one of its key, signed by itself,
 * for a name that no authority may sign. The client makes the same one of the key that it knows, without a signature,
 * as the only thing to trust: of what it trusts TLS looks at the name and the key alone. So only who has the key can
 * have signed what the server shows.
 */

/** Who every certificate is for, and by: of the top-level domain that RFC 2606 keeps from ever being given to anybody. */
export const CERTIFICATE_NAME = "app.invalid";

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

const ED25519 = sequence(bytes(0x06, [0x2b, 0x65, 0x70]));
const NAME = sequence(bytes(0x31, sequence(bytes(0x06, [0x55, 0x04, 0x03]), text(0x0c, CERTIFICATE_NAME))));
/** From 1970 to the last second there is, so that no clock is ever wrong: keys do not age, they are replaced. */
const VALIDITY = sequence(text(0x17, "700101000000Z"), text(0x18, "99991231235959Z"));
/** No authority: it signs no other certificates. */
const BASIC_CONSTRAINTS = sequence(
  bytes(0x06, [0x55, 0x1d, 0x13]),
  bytes(0x01, [0xff]),
  bytes(0x04, sequence()),
);
const ALTERNATIVE_NAME = sequence(
  bytes(0x06, [0x55, 0x1d, 0x11]),
  bytes(0x04, sequence(text(0x82, CERTIFICATE_NAME))),
);
const EXTENSIONS = bytes(0xa3, sequence(BASIC_CONSTRAINTS, ALTERNATIVE_NAME));
const VERSION_3 = bytes(0xa0, bytes(0x02, [2]));
const SERIAL_NUMBER = bytes(0x02, [1]);

/** What the owner of the Ed25519 key signs: the certificate without its signature, in DER. */
export function encodeUnsigned(publicKey: Uint8Array): Uint8Array<ArrayBuffer> {
  if (publicKey.length !== KEY_BYTES) throw new TypeError(`A key has ${KEY_BYTES} bytes, not ${publicKey.length}`);
  const key = sequence(ED25519, bitString(publicKey));
  return sequence(VERSION_3, SERIAL_NUMBER, ED25519, NAME, VALIDITY, NAME, key, EXTENSIONS);
}

/** The certificate in DER. */
export function encodeCertificate(publicKey: Uint8Array, signature: Uint8Array): Uint8Array<ArrayBuffer> {
  return sequence(encodeUnsigned(publicKey), ED25519, bitString(signature));
}

/** What a client trusts that knows the key: a certificate with a signature of zeros, which nobody looks at. */
export function encodeAnchor(publicKey: Uint8Array): Uint8Array<ArrayBuffer> {
  return encodeCertificate(publicKey, new Uint8Array(SIGNATURE_BYTES));
}

/** DER as text, as TLS libraries take it. */
export function formatPem(label: "CERTIFICATE" | "PRIVATE KEY", der: Uint8Array): string {
  const lines = btoa(String.fromCharCode(...der)).match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

function sequence(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return bytes(0x30, parts.flatMap((part) => [...part]));
}

function bitString(content: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes(0x03, [0, ...content]);
}

function text(tag: number, content: string): Uint8Array<ArrayBuffer> {
  return bytes(tag, new TextEncoder().encode(content));
}

/** One value: tag, length, content. */
function bytes(tag: number, content: Iterable<number> & { readonly length: number }): Uint8Array<ArrayBuffer> {
  const { length } = content;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Uint8Array.of(tag, ...head, ...content);
}
