/** `mkdir`, `move` and `remove`: changes of names. */
import type { MessageOf } from "../../protocol/wire/messages/mod.ts";
import type { Outcome, RequestContext } from "./handler.ts";
import { withOverwriteRule } from "./put.ts";
import { keepingUnseen } from "./unseen.ts";

export async function handleMkdir(request: MessageOf<"mkdir">, context: RequestContext): Promise<Outcome> {
  context.authorize("create", request.name);
  await keepingUnseen(request.name, context, () => context.tree.makeDirectory(request.name));
  context.session.send({ type: "done" });
  return {};
}

/** The old name goes away, so this needs the right to remove it too. */
export async function handleMove(request: MessageOf<"move">, context: RequestContext): Promise<Outcome> {
  context.authorize("remove", request.from);
  context.authorize("create", request.to);
  const asked = { name: request.to, ifExists: request.ifExists };
  const name = await withOverwriteRule(
    asked,
    context,
    (ifTaken) => context.tree.move(request.from, request.to, ifTaken),
  );
  context.session.send({ type: "done", ...(name === request.to ? {} : { name }) });
  return { name: `${request.from} -> ${name}` };
}

export async function handleRemove(request: MessageOf<"remove">, context: RequestContext): Promise<Outcome> {
  context.authorize("remove", request.name);
  await context.tree.remove(request.name);
  context.session.send({ type: "done" });
  return {};
}
