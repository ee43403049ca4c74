/**
 * Links: what an owner hands out, so that somebody finds a server, knows it, and may do something there.
 *
 *     app://HOST:PORT/PATH#KEY.SECRET
 *
 * Pure. For each link there is exactly one text, and only that is taken: whatever else stands there was damaged on its
 * way. No error repeats what it could not read, since that may have been a secret.
 */
import { AppError } from "../errors.ts";
import { isKey } from "../tls/key.ts";

export const LINK_START = "app://";

export interface Link {
  /** A name, an address of IPv4, or one of IPv6 without its brackets. */
  readonly host: string;
  readonly port: number;
  /** What it leads to: a name, a directory with "/" behind it, or "" for all that is shared. */
  readonly path: string;
  /** The server's public key: 32 bytes as base64url, 43 characters. */
  readonly key: string;
  /** What lets its holder in: 16 bytes as base64url, 22 characters. Absent where anybody is let in. */
  readonly secret?: string;
}

const FORM = /^app:\/\/(?:([A-Za-z0-9._-]+)|\[([0-9A-Fa-f:.]+)\]):([0-9]{1,5})\/([^#?]*)#([^.]*)(?:\.(.*))?$/s;
const UNRESERVED = /[A-Za-z0-9._~/-]/;
/** The last character has bits that no byte has: they are zero. */
const SECRET = /^[A-Za-z0-9_-]{21}[AQgw]$/;

/** Whether `word` is meant to be a link; `parseLink` tells whether it is one. */
export function isLink(word: string): boolean {
  return word.startsWith(LINK_START);
}

/** Whether `text` has the form of a secret. */
export function isSecret(text: string): boolean {
  return SECRET.test(text);
}

export function formatLink({ host, port, path, key, secret }: Link): string {
  const name = host.includes(":") ? `[${host}]` : host;
  return `${LINK_START}${name}:${port}/${encodePath(path)}#${key}${secret === undefined ? "" : `.${secret}`}`;
}

/** Throws `usage`, with a text that has nothing of the link in it. */
export function parseLink(text: string): Link {
  const match = FORM.exec(text);
  if (!match) throw unreadable(`it is not of the form ${LINK_START}HOST:PORT/PATH#KEY.SECRET`);
  const [, name, address, portText, pathText, key, secret] = match;
  const port = Number(portText);
  if (port < 1 || port > 65_535) throw unreadable("its port is not a number from 1 to 65535");
  if (!isKey(key!)) throw unreadable("its key is not one: it has to have 43 characters");
  if (secret !== undefined && !SECRET.test(secret)) {
    throw unreadable("what is behind its key is no secret: that has 22 characters");
  }
  const link = {
    host: (name ?? address)!,
    port,
    path: decodePath(pathText!),
    key: key!,
    ...(secret ? { secret } : {}),
  };
  if (formatLink(link) !== text) throw unreadable("its host, port or path is not written as app writes it");
  return link;
}

/**
 * `text` without what would let its reader in: for errors, logs and all else that may have taken up what somebody wrote.
 * A damaged link can be read off as well as a whole one, so of anything that looks like one the end is left out.
 */
export function hideSecrets(text: string): string {
  return text.replace(/(app:\/\/[^\s#]*#)[^\s"']+/gi, "$1…").replace(/([\w-]{43}\.)[\w-]{20,}/g, "$1…");
}

function encodePath(path: string): string {
  let text = "";
  for (const byte of new TextEncoder().encode(path)) {
    const letter = String.fromCharCode(byte);
    text += UNRESERVED.test(letter) ? letter : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return text;
}

function decodePath(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw unreadable("its path is not UTF-8 in percent signs");
  }
}

function unreadable(reason: string): AppError {
  return new AppError("usage", `Cannot read the link: ${reason}`, {
    advice: "Copy it whole, in quotes, as its owner sent it",
  });
}
