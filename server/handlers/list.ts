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
    session.send({ type: "entries", entries: batch.entries.map(wireEntryOf) });
    await session.flush();
    hidden += batch.hidden;
    if (session.poll()?.type === "cancel") break;
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

function wireEntryOf({ name, kind, sizeBytes, mtimeMs, mode }: Entry): WireEntry {
  return { name, kind: ENTRY_KINDS.indexOf(kind), sizeBytes, mtimeMs, mode };
}
