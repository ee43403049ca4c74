/** `watch`: who wants a tree is told when it may have changed, until it has heard enough, or may not know any more. */
import { AppError } from "../../protocol/errors.ts";
import { TreeWatcher } from "../../protocol/exchange/tree_watcher.ts";
import type { MessageOf } from "../../protocol/wire/messages/mod.ts";
import type { Outcome, RequestContext } from "./handler.ts";

export async function handleWatch(request: MessageOf<"watch">, context: RequestContext): Promise<Outcome> {
  const { session, tree, principal } = context;
  context.authorize("list", request.name);
  if (principal.takeTurn) throw new AppError("not_allowed", "Cannot watch a tree: the link is good for one file");
  using watcher = await TreeWatcher.start(tree, request.name);
  let told = 0;
  for (let hasLost = true;; told++) {
    context.authorize("list", request.name); // what a link allows may have ended since
    session.send({ type: "changed", lost: hasLost });
    const next = watcher.next();
    const message = await session.receiveDuring(Promise.race([next, context.untilStopped()]));
    if (message && message.type !== "cancel") throw new AppError("order", `"${message.type}" came during a watch`);
    if (message) session.send({ type: "done" });
    if (message || session.hasEnded) return { detail: `${told} changes` };
    hasLost = (await next).hasLost;
  }
}
