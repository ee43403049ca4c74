/**
 * Which format a connection speaks, told from its first bytes. Pure, and the same for any way of cutting the bytes up.
 *
 * Formats with a sure beginning are told by it. Those of the old programs that mark neither beginning nor end are told
 * when the sender falls silent or ends its side, and only where they are accepted.
 *
 * To add a format: its name in `SERVED_FORMATS`, a row in `RULES` at its place in the order of precedence, a codec
 * beside this file, a handler in `server/formats/`, and its section in `protocol/README.md`. What speaks it to old
 * servers is in `client/old/`, stand-ins of the old programs are in `tests/interop/old/`.
 */
import { hasGreetingForm } from "./greeting.ts";
import { isImageRequest } from "./image.ts";
import { OPENING_START } from "./opening.ts";
import { isShareRequest } from "./share.ts";

/** What a server can serve: our own format, and the four old ones, by the names that options and logs use. */
export const SERVED_FORMATS = ["app", "share", "packet", "greeting", "image"] as const;
export type ServedFormat = typeof SERVED_FORMATS[number];
export type OldFormat = Exclude<ServedFormat, "app">;

/** `http`, `tls` and `unknown` are known so that their senders get an answer that they can read. */
export type WireFormat = ServedFormat | "http" | "tls" | "unknown";

/** What the sender does after the bytes so far: more may come at once, it is silent, or its side has ended. */
export type Sender = "sending" | "quiet" | "ended";

/** How the bytes so far fit a format: they are it, they may become it, or they are something else. */
type Fit = "yes" | "maybe" | "no";

interface Beginning {
  readonly bytes: Uint8Array;
  /** The first bytes as text, one letter for each. */
  readonly head: string;
  readonly sender: Sender;
}

/** In their order of precedence: what one of them says yes to, the later ones are not asked about. */
const RULES: readonly (readonly [format: WireFormat, fit: (beginning: Beginning) => Fit])[] = [
  ["app", ({ head, sender }) => prefixFit(head, OPENING_START, sender !== "ended")],
  ["tls", ({ head, sender }) => prefixFit(head, "\x16\x03", sender === "sending")],
  ["http", ({ head, sender }) => {
    if (HTTP_METHOD.test(head)) return "yes";
    return sender === "sending" && HTTP_BEGINNING.test(head) ? "maybe" : "no";
  }],
  ["packet", ({ bytes, sender }) => {
    if (bytes.length === 1 && bytes[0] === 0x78) return sender === "sending" ? "maybe" : "no";
    return isZlibHeader(bytes) ? "yes" : "no";
  }],
  ["greeting", (beginning) => untilQuiet(beginning, hasGreetingForm)],
  ["share", (beginning) => untilQuiet(beginning, isShareRequest)],
  ["image", (beginning) => untilQuiet(beginning, isImageRequest)],
];

const HTTP_METHOD = /^(GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE|PRI) /;
const HTTP_BEGINNING = /^[A-Z]{1,7}$/;
const HEAD_BYTES = 8;

/** The format, or `undefined` while more is needed to tell. Without `bytes` there is nothing to tell. */
export function detectFormat(
  bytes: Uint8Array,
  sender: Sender,
  accepted: readonly ServedFormat[],
): WireFormat | undefined {
  if (bytes.length === 0) return;
  const beginning = { bytes, head: String.fromCharCode(...bytes.subarray(0, HEAD_BYTES)), sender };
  for (const [format, fit] of RULES) {
    if (isOld(format) && !accepted.includes(format)) continue;
    const answer = fit(beginning);
    if (answer === "yes") return format;
    if (answer === "maybe") return;
  }
  return "unknown";
}

/** The old format that these first bytes are surely of, served or not; one of any text (`image`) is never sure. */
export function sureOldFormat(bytes: Uint8Array): OldFormat | undefined {
  const format = detectFormat(bytes, "ended", SERVED_FORMATS);
  return format && isOld(format) && format !== "image" ? format : undefined;
}

export function isOld(format: WireFormat): format is OldFormat {
  return format !== "app" && (SERVED_FORMATS as readonly string[]).includes(format);
}

/** Whether `head` begins with `start`; one that may still come to do so is waited for where `mayWait`. */
function prefixFit(head: string, start: string, mayWait: boolean): Fit {
  if (head.startsWith(start)) return "yes";
  return mayWait && start.startsWith(head) ? "maybe" : "no";
}

/** A format of plain text without marks: nothing is told of it until the sender is silent, but that it has others. */
function untilQuiet({ bytes, sender }: Beginning, hasForm: (bytes: Uint8Array) => boolean): Fit {
  if (bytes.some((byte) => byte < 0x20 || byte === 0x7f)) return "no";
  if (sender === "sending") return "maybe";
  return hasForm(bytes) ? "yes" : "no";
}

/** RFC 1950: deflate with a window of 32 KiB, a sound check, and no preset dictionary, which no old program uses. */
function isZlibHeader(bytes: Uint8Array): boolean {
  const [method, flags] = bytes;
  return method === 0x78 && flags !== undefined && (method * 256 + flags) % 31 === 0 && (flags & 0x20) === 0;
}
