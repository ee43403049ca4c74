/** One line for every request, on whatever the caller gives: a person's text, or one JSON object a line. */
import { escapeText, formatJson, quoteName } from "../protocol/escape.ts";
import { hideSecrets } from "../protocol/wire/link.ts";

export const LOG_KINDS = ["text", "json", "off"] as const;
export type LogKind = typeof LOG_KINDS[number];

/** What is known of a request when it is over. */
export interface LogRecord {
  readonly time: Date;
  readonly peer: string;
  /** The label of its link, or `stranger`; "-" for the server itself. */
  readonly who: string;
  /** The request's name in the specification; `opening` for a connection that came to none. */
  readonly request: string;
  /** What it named; "" for none. */
  readonly name: string;
  /** File bytes that went over the wire for it. */
  readonly bytes: number;
  readonly durationMs: number;
  /** `done`, or the name of an error code. */
  readonly result: string;
  /** Whose word the result is, where it is not ours: what a client says of itself is no fault of this server. */
  readonly by?: "peer";
  /** The error's message. */
  readonly detail?: string;
}

const NAME_LENGTH_MAX = 1_000;

export type Log = (record: LogRecord) => void;

/** A log of nothing; who would have much to log may look whether it is this one. */
export const NO_LOG: Log = () => {};

/** A log of that kind that hands its lines, with their ends, to `write`. */
export function createLog(kind: LogKind, write: (line: string) => void): Log {
  if (kind === "off") return NO_LOG;
  const format = kind === "json" ? formatObject : formatText;
  return (record) => write(format(record) + "\n");
}

function formatText({ time, peer, who, request, name, bytes, durationMs, result, by, detail }: LogRecord): string {
  const words = [
    time.toISOString(),
    peer,
    escapeText(who),
    request,
    name ? quoteName(clip(name)) : "-",
    `${bytes} bytes`,
  ];
  words.push(`${Math.round(durationMs)} ms`, result);
  if (by) words.push("by the client");
  if (detail) words.push(`(${escapeText(hideSecrets(detail))})`);
  return words.join(" ");
}

/** A name that no file can have says nothing by its length; and somebody may have sent a link for a name. */
function clip(name: string): string {
  const shown = hideSecrets(name);
  return shown.length <= NAME_LENGTH_MAX ? shown : shown.slice(0, NAME_LENGTH_MAX) + "…";
}

function formatObject({ time, durationMs, ...record }: LogRecord): string {
  return formatJson({
    time: time.toISOString(),
    ...record,
    name: clip(record.name),
    ...(record.detail === undefined ? {} : { detail: hideSecrets(record.detail) }),
    durationMs: Math.round(durationMs),
  });
}
