/** `undo`: takes the last run of a push back, by the rights of who asks, name by name. */
import { AppError } from "../../protocol/errors.ts";
import { failure } from "../../protocol/exchange/tree_report.ts";
import { undoLast } from "../../protocol/files/undo_last.ts";
import { TREE_MESSAGE_BYTES_MAX } from "../../protocol/limits.ts";
import { validateDirectoryName } from "../../protocol/names.ts";
import type { MessageOf } from "../../protocol/wire/messages/mod.ts";
import { UNDO_ACTIONS, type UndoAction } from "../../protocol/wire/messages/sync.ts";
import type { Outcome, RequestContext } from "./handler.ts";
import { refusalsOf } from "./tree.ts";

export async function handleUndo(request: MessageOf<"undo">, context: RequestContext): Promise<Outcome> {
  const { session, tree, principal } = context;
  const refuses = refusalsOf(context);
  requireChanges(request.name, refuses);
  validateDirectoryName(request.name);
  const told = new ToldUndone(context);
  const isAdmin = context.isAuthorized("status", "");
  const failed = await undoLast(tree, {
    directory: request.name,
    who: principal.label,
    mayUndo: (who) => isAdmin || who === principal.label,
    isDryRun: request.dryRun,
  }, {
    refuses,
    isUnflushed: request.unflushed,
    tag: request.tag,
    onBegun: ({ directory, startedMs, isUndo }) =>
      session.send({ type: "undoing", name: directory, startedMs, undo: isUndo }),
    onUndone: (action, name) => told.add(action, name),
    onFailed: (name, error) => told.fail(name, error),
    breathes: () => told.breathes(),
  });
  told.send();
  session.send({ type: "done" });
  return { detail: `${told.count} undone, ${failed} failed` };
}

/** Throws unless files may be replaced or removed here by who asks: without either there is nothing to undo. */
function requireChanges(name: string, refuses: ReturnType<typeof refusalsOf>): void {
  const refusal = refuses("list", name) ?? refuses("overwrite", name);
  if (refusal && (refuses("list", name) || refuses("remove", name))) throw refusal;
}

/** Names in messages of a length that fits. */
class ToldUndone {
  readonly #context: RequestContext;
  #names: string[] = [];
  #actions: number[] = [];
  #bytes = 0;
  count = 0;

  constructor(context: RequestContext) {
    this.#context = context;
  }

  add(action: UndoAction, name: string): void {
    const bytes = 3 * name.length + 4;
    if (this.#bytes + bytes > TREE_MESSAGE_BYTES_MAX) this.send();
    this.#names.push(name);
    this.#actions.push(UNDO_ACTIONS.indexOf(action));
    this.#bytes += bytes;
    this.count++;
  }

  fail(name: string, error: AppError): void {
    this.send();
    this.#context.session.send({ type: "failed", name, ...failure(error) });
  }

  send(): void {
    if (this.#names.length === 0) return;
    this.#context.session.send({ type: "undone", names: this.#names, actions: Uint8Array.from(this.#actions) });
    this.#names = [];
    this.#actions = [];
    this.#bytes = 0;
  }

  /** Waits for a client that is slow; one that is gone, or calls it off, ends it. */
  async breathes(): Promise<void> {
    const { session } = this.#context;
    if (session.isCancelled()) throw new AppError("cancelled", "The client called the request off");
    if (session.hasEnded) throw new AppError("lost", "The client closed the connection");
    if (session.queuedBytes >= TREE_MESSAGE_BYTES_MAX) await session.flush();
  }
}
