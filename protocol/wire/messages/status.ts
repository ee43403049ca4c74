/** Messages about the server itself, for who looks after it. */
import { optional, record, repeated, required, text, uint, type ValuesOf } from "../fields.ts";
import { declare } from "./declare.ts";

const GAUGE = {
  name: required(1, text),
  /** Absent where nothing is counted. */
  used: optional(2, uint),
  /** Absent where there is no limit. */
  max: optional(3, uint),
} as const;

const CONNECTION = {
  /** Address and port. */
  peer: required(1, text),
  /** The label of its link, or `stranger`. */
  who: required(2, text),
  /** The request under way and what it names; absent between requests. */
  request: optional(3, text),
  name: optional(4, text),
  /** From the connection's begin on, both ways. */
  bytesReceived: required(5, uint),
  bytesSent: required(6, uint),
  /** How old it is. */
  ageMs: required(7, uint),
  /** Requests so far. */
  requests: required(8, uint),
} as const;

/** A limit, and how much of it is used; or a count without a limit. */
export type Gauge = ValuesOf<typeof GAUGE>;
/** A connection as its server sees it. */
export type ConnectionState = ValuesOf<typeof CONNECTION>;

export const STATUS_MESSAGES = {
  /** How the server is. Reply: `state`…, `done`. */
  status: declare(0x08, "request", {}),
  /** Part of the answer; `agent` and `uptimeMs` stand in the first one. */
  state: declare(0x09, "part", {
    agent: optional(1, text),
    uptimeMs: optional(2, uint),
    gauges: repeated(3, record(GAUGE)),
    connections: repeated(4, record(CONNECTION)),
  }),
} as const;
