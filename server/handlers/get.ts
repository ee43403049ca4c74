/** `get`: sends a file to who asked for it. */
import { type Outgoing, sendFile } from "../../protocol/exchange/sender.ts";
import type { MessageOf } from "../../protocol/wire/messages/mod.ts";
import type { Outcome, RequestContext } from "./handler.ts";
import { TransferTurn } from "./transfer_turn.ts";

export async function handleGet(request: MessageOf<"get">, context: RequestContext): Promise<Outcome> {
  using turn = new TransferTurn(context, `get ${request.name}`);
  await sendFile(context.session, () => begin(request, context, turn));
  await turn.delivered();
  context.onDelivered();
  return {};
}

async function begin(
  { name, eager }: MessageOf<"get">,
  context: RequestContext,
  turn: TransferTurn,
): Promise<Outgoing> {
  context.authorize("read", name);
  turn.take();
  const source = await context.tree.open(name);
  try {
    await turn.bind();
  } catch (error) {
    source[Symbol.dispose]();
    throw error;
  }
  const { sizeBytes, mtimeMs, mode } = source.entry;
  return { source, offer: { type: "offer", name, sizeBytes, mtimeMs, eager, mode, compares: !eager } };
}
