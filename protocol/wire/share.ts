/**
 * The format `share`: one request of at most 32 bytes, a code word in answer, and then a file that ends with the stream.
 *
 *     get,NAME   put,NAME   list      ->  pass   cancel   NAME, NAME,
 */
import { AppError } from "../errors.ts";

/** The old server reads no more of a request. */
export const SHARE_REQUEST_BYTES_MAX = 32;

/** What the log and the client say of a file that moved without a length, in this format or another one. */
export const LENGTH_UNVERIFIED = "length unverified";

export const SHARE_PASS = "pass";
export const SHARE_CANCEL = "cancel";

/** What stands behind each name of a list. */
const LIST_SEPARATOR = ", ";

const FORM = /^(list$|get,|put,)/;

export interface ShareRequest {
  readonly command: "get" | "put" | "list";
  /** "" for `list`. */
  readonly name: string;
}

/** Whether `bytes` are a request of this format. */
export function isShareRequest(bytes: Uint8Array): boolean {
  return FORM.test(new TextDecoder().decode(bytes));
}

/** What is asked for; the name as far as it can be read. See `shareRequestFault` for whether it may be answered. */
export function parseShareRequest(bytes: Uint8Array): ShareRequest {
  const text = new TextDecoder().decode(bytes);
  const command = text.slice(0, 3);
  if (command !== "get" && command !== "put") return { command: "list", name: "" };
  return { command, name: text.slice(4) };
}

/** Why a request cannot be taken, as the end of a sentence; `undefined` if it can. Nothing is ever cut off. */
export function shareRequestFault(bytes: Uint8Array): string | undefined {
  if (bytes.length > SHARE_REQUEST_BYTES_MAX) {
    return `the request has ${bytes.length} bytes, and ${SHARE_REQUEST_BYTES_MAX} are allowed`;
  }
  if (!isUtf8(bytes)) return "the request is not UTF-8";
}

/** Throws `bad_name` for a name that makes it too long. */
export function encodeShareRequest({ command, name }: ShareRequest): Uint8Array {
  const bytes = new TextEncoder().encode(command === "list" ? command : `${command},${name}`);
  if (bytes.length <= SHARE_REQUEST_BYTES_MAX) return bytes;
  const nameBytesMax = SHARE_REQUEST_BYTES_MAX - "get,".length;
  const nameBytes = bytes.length - "get,".length;
  throw new AppError("bad_name", `Cannot ask for ${JSON.stringify(name)}: it has ${nameBytes} bytes`, {
    advice: `The format share takes names of at most ${nameBytesMax} bytes, and nothing is cut off`,
  });
}

/** The names as one text. */
export function formatShareList(names: readonly string[]): string {
  return names.map((name) => name + LIST_SEPARATOR).join("");
}

/** The names of a list. A name that has ", " in it cannot be told from two. */
export function parseShareList(text: string): string[] {
  return text.split(LIST_SEPARATOR).filter((name) => name !== "");
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
