/**
 * Which format a connection speaks, told from its first bytes. Pure, and the same for any way of cutting the bytes up.
 *
 * To add a format: a name in `WireFormat`, a test in `detectFormat` at its place in the order of precedence, a handler
 * in `server/connection.ts`, and the rule in `protocol/README.md`.
 */
import { OPENING_START } from "./opening.ts";

/** `app` is served; the others are known so that their senders get an answer that they can read. */
export type WireFormat = "app" | "http" | "tls" | "unknown";

const HTTP_METHOD = /^(GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE|PRI) /;
const HTTP_BEGINNING = /^[A-Z]{1,7}$/;

/** The format, or `undefined` while more bytes are needed to tell. */
export function detectFormat(bytes: Uint8Array): WireFormat | undefined {
  if (bytes.length === 0) return;
  const head = String.fromCharCode(...bytes.subarray(0, 8));
  if (head.startsWith(OPENING_START)) return "app";
  if (OPENING_START.startsWith(head)) return;
  if (head.startsWith("\x16\x03")) return "tls";
  if (head === "\x16") return;
  if (HTTP_METHOD.test(head)) return "http";
  if (HTTP_BEGINNING.test(head)) return;
  return "unknown";
}
