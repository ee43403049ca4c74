/** `get`: sends a file to who asked for it. */
import { type Outgoing, sendFile } from "../../protocol/exchange/sender.ts";
import type { MessageOf } from "../../protocol/wire/messages/mod.ts";
import type { Outcome, RequestContext } from "./handler.ts";

export async function handleGet(request: MessageOf<"get">, context: RequestContext): Promise<Outcome> {
  await sendFile(context.session, () => begin(request, context));
  context.onDelivered();
  return {};
}

async function begin({ name, eager }: MessageOf<"get">, context: RequestContext): Promise<Outgoing> {
  context.authorize("read", name);
  const source = await context.tree.open(name);
  const { sizeBytes, mtimeMs, mode } = source.entry;
  return { source, offer: { type: "offer", name, sizeBytes, mtimeMs, eager, mode } };
}
