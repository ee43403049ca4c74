/** A server's public key as people and links have it: its 32 bytes in base64url, 43 characters. Pure. */
import { AppError } from "../errors.ts";

const KEY_BYTES = 32;
/** The last character has two bits more than the key; they are zero, so that every key has one form only. */
const FORM = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

export function isKey(text: string): boolean {
  return FORM.test(text);
}

/** The bytes of a key. Throws `malformed`. */
export function parseKey(text: string): Uint8Array<ArrayBuffer> {
  if (!isKey(text)) throw new AppError("malformed", "The key of the server is not one: it has to have 43 characters");
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
}

export function formatKey(bytes: Uint8Array): string {
  if (bytes.length !== KEY_BYTES) throw new TypeError(`A key has ${KEY_BYTES} bytes, not ${bytes.length}`);
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace("=", "");
}
