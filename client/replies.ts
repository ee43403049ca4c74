/** What a client hears: one function for each kind of reply. A server is trusted no more than a client. */
import { AppError } from "../protocol/errors.ts";
import type { Session } from "../protocol/exchange/session.ts";
import { peerError } from "../protocol/exchange/transfer.ts";
import type { Entry } from "../protocol/files/tree.ts";
import { DATE_MS_MAX } from "../protocol/limits.ts";
import { nameFault } from "../protocol/names.ts";
import type { MessageOf } from "../protocol/wire/messages/mod.ts";
import type { ConnectionState, Gauge } from "../protocol/wire/messages/status.ts";
import { ENTRY_KINDS, type WireEntry } from "../protocol/wire/messages/tree.ts";

/** Some entries of a listing; `hidden` counts those that cannot be named by any request. */
export interface Listing {
  readonly entries: readonly Entry[];
  readonly hidden: number;
}

/** What the content of a file is. */
export interface Checksum {
  readonly sizeBytes: number;
  readonly crc: number;
  /** BLAKE2b-512, 64 bytes; what `b2sum` prints. */
  readonly blake2b: Uint8Array;
}

export async function requestEntry(session: Session, name: string): Promise<WireEntry> {
  session.send({ type: "stat", name });
  const { entries: [entry] } = await expect(session, "entries");
  await expect(session, "done");
  if (!entry) throw new AppError("malformed", "The server told of no entry");
  return entry;
}

/** The next message of a reply, which must be of that type; an error is thrown. */
export async function expect<T extends "done" | "entries" | "checksum" | "offer" | "record" | "state">(
  session: Session,
  type: T,
): Promise<MessageOf<T>> {
  const message = await session.receive();
  if (message.type === "error") throw peerError(message);
  if (message.type !== type) throw new AppError("order", `The server answered "${message.type}" instead of "${type}"`);
  return message as MessageOf<T>;
}

export async function requestDigest(session: Session, name: string): Promise<Checksum> {
  session.send({ type: "digest", name });
  return await expect(session, "checksum");
}

/** How a server is, as it says. */
export interface Status {
  readonly agent: string;
  readonly uptimeMs: number;
  readonly gauges: readonly Gauge[];
  readonly connections: readonly ConnectionState[];
}

/** More than any server has: whoever sends on and on does not fill our memory. */
const STATUS_ROWS_MAX = 1_000_000;

export async function requestStatus(session: Session): Promise<Status> {
  session.send({ type: "status" });
  const { agent = "", uptimeMs = 0, gauges, connections } = await expect(session, "state");
  for (;;) {
    const message = await session.receive();
    if (message.type === "done") return { agent, uptimeMs, gauges, connections };
    if (message.type === "error") throw peerError(message);
    if (message.type !== "state") throw new AppError("order", `The server sent "${message.type}" in its status`);
    gauges.push(...message.gauges);
    connections.push(...message.connections);
    if (connections.length + gauges.length > STATUS_ROWS_MAX) throw new AppError("limit", "The status has no end");
  }
}

export interface ListingBatch {
  readonly listing: Listing;
  readonly isLast: boolean;
}

/** A server is trusted with names no more than a client: bad ones are left out and counted. */
export async function receiveBatch(session: Session): Promise<ListingBatch> {
  const message = await session.receive();
  if (message.type === "error") throw peerError(message);
  if (message.type === "done") return { listing: { entries: [], hidden: message.hidden ?? 0 }, isLast: true };
  if (message.type !== "entries") throw new AppError("order", `The server sent "${message.type}" in a list`);
  const entries = message.entries.filter(({ name }) => isListable(name)).map(entryOf);
  return { listing: { entries, hidden: message.entries.length - entries.length }, isLast: false };
}

function isListable(name: string): boolean {
  return !name.includes("/") && nameFault(name) === undefined;
}

export function entryOf({ name, kind, sizeBytes = 0, mtimeMs = 0, mode = 0 }: WireEntry): Entry {
  return { name, kind: ENTRY_KINDS[kind] ?? "other", sizeBytes, mtimeMs: Math.min(mtimeMs, DATE_MS_MAX), mode };
}
