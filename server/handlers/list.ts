/** `list` and `stat`: what is there. */
import { ENTRY_KINDS, type WireEntry } from "../../protocol/wire/messages/tree.ts";
import { splitName } from "../../protocol/names.ts";
import type { Entry } from "../../protocol/files/tree.ts";
import type { MessageOf } from "../../protocol/wire/messages/mod.ts";
import type { Outcome, RequestContext } from "./handler.ts";

export async function handleList(request: MessageOf<"list">, context: RequestContext): Promise<Outcome> {
  const { session, tree } = context;
  context.authorize("list", request.name);
  let hidden = 0;
  for await (const batch of tree.list(request.name, { all: request.all ?? false })) {
    await session.flush(); // the batch before this one: the last of them goes along with "done"
    for (const entries of fitting(batch.entries.map(wireEntryOf), session.dataBytesMax)) {
      session.send({ type: "entries", entries });
    }
    hidden += batch.hidden;
    if (session.isCancelled()) break;
  }
  session.send({ type: "done", ...(hidden > 0 ? { hidden } : {}) });
  return {};
}

export async function handleStat(request: MessageOf<"stat">, context: RequestContext): Promise<Outcome> {
  context.authorize("list", request.name);
  const entry = await context.tree.stat(request.name);
  const { base } = splitName(entry.name);
  context.session.send({ type: "entries", entries: [{ ...wireEntryOf(entry), name: base }] });
  context.session.send({ type: "done" });
  return {};
}

/** More than the fields of an entry take besides its name. */
const ENTRY_BYTES = 64;

/** The entries in groups that fit into one message of at most `bytesMax`; a single one always does. */
function* fitting(entries: readonly WireEntry[], bytesMax: number): Generator<WireEntry[]> {
  let group: WireEntry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    const entryBytes = ENTRY_BYTES + new TextEncoder().encode(entry.name).length;
    if (bytes + entryBytes > bytesMax) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(entry);
    bytes += entryBytes;
  }
  yield group;
}

function wireEntryOf({ name, kind, sizeBytes, mtimeMs, mode }: Entry): WireEntry {
  return { name, kind: ENTRY_KINDS.indexOf(kind), sizeBytes, mtimeMs, mode };
}
