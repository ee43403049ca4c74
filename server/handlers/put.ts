/** `offer` from a client: stores a file. */
import { receiveFile } from "../../protocol/exchange/receiver.ts";
import { tooLarge } from "../../protocol/exchange/transfer.ts";
import { AppError, hasCode } from "../../protocol/errors.ts";
import type { Draft, IfTaken } from "../../protocol/files/tree.ts";
import type { MessageOf } from "../../protocol/wire/messages/mod.ts";
import { IF_EXISTS } from "../../protocol/wire/messages/transfer.ts";
import type { Outcome, RequestContext } from "./handler.ts";
import { TransferTurn } from "./transfer_turn.ts";
import { createDraft } from "./unseen.ts";

export async function handlePut(offer: MessageOf<"offer">, context: RequestContext): Promise<Outcome> {
  using turn = new TransferTurn(context, `put ${offer.name}`);
  const { name } = await receiveFile(
    context.session,
    offer,
    () => begin(offer, context, turn),
    { sizeBytesMax: context.limits.fileBytesMax },
  );
  return { name };
}

async function begin(offer: MessageOf<"offer">, context: RequestContext, turn: TransferTurn): Promise<Draft> {
  context.authorize("create", offer.name);
  const { fileBytesMax } = context.limits;
  if ((offer.sizeBytes ?? 0) > fileBytesMax) throw tooLarge(offer.name, fileBytesMax);
  turn.take();
  const draft = await withOverwriteRule(offer, context, (ifTaken) => createDraft(offer, ifTaken, context));
  return await turn.guard(draft);
}

/** Runs `store` with what is to be done if the name is taken; who may not replace gets told so only if it matters. */
export async function withOverwriteRule<T>(
  request: { readonly name: string; readonly ifExists?: number | undefined },
  context: RequestContext,
  store: (ifTaken: IfTaken) => T | Promise<T>,
): Promise<T> {
  const ifTaken = IF_EXISTS[request.ifExists ?? 0];
  if (!ifTaken) throw new AppError("unsupported", `Unknown way to deal with a taken name: ${request.ifExists}`);
  if (ifTaken !== "replace" || context.isAuthorized("overwrite", request.name)) return await store(ifTaken);
  try {
    return await store("error");
  } catch (error) {
    if (hasCode(error, "exists")) context.authorize("overwrite", request.name);
    throw error;
  }
}
