/**
 * Which function answers which request.
 *
 * To add a request: declare it in `protocol/wire/messages/`, write its handler in the file of its family here, call
 * `authorize` first in it, and name it in this table, which the compiler wants to be complete.
 */
import type { MessageOf, RequestType } from "../../protocol/wire/messages/mod.ts";
import { toAppError } from "../../protocol/errors.ts";
import { endsSession, errorMessage } from "../../protocol/exchange/transfer.ts";
import { handleMkdir, handleMove, handleRemove } from "./change.ts";
import { handleDigest } from "./digest.ts";
import { handleGet } from "./get.ts";
import type { Handler, Outcome, RequestContext } from "./handler.ts";
import { handleList, handleStat } from "./list.ts";
import { handlePut } from "./put.ts";
import { handleAdd, handleFind } from "./records.ts";
import { handleStatus } from "./status.ts";
import { handlePull, handlePush } from "./tree.ts";
import { handleUndo } from "./undo.ts";
import { handleWatch } from "./watch.ts";

const HANDLERS: { readonly [T in RequestType]: Handler<T> } = {
  status: sayingErrors(handleStatus),
  get: handleGet,
  offer: handlePut,
  list: sayingErrors(handleList),
  stat: sayingErrors(handleStat),
  mkdir: sayingErrors(handleMkdir),
  move: sayingErrors(handleMove),
  remove: sayingErrors(handleRemove),
  digest: sayingErrors(handleDigest),
  find: sayingErrors(handleFind),
  add: sayingErrors(handleAdd),
  push: handlePush,
  pull: handlePull,
  undo: sayingErrors(handleUndo),
  watch: sayingErrors(handleWatch),
};

/** Answers `request`. What it throws has been said to the client already, unless `endsSession` says otherwise. */
export function handleRequest<T extends RequestType>(request: MessageOf<T>, context: RequestContext): Promise<Outcome> {
  return (HANDLERS[request.type as T] as Handler<T>)(request, context);
}

/** A transfer says its errors in its own order; for all other requests an error is the end of the reply. */
function sayingErrors<T extends RequestType>(handle: Handler<T>): Handler<T> {
  return async (request, context) => {
    try {
      return await handle(request, context);
    } catch (cause) {
      const error = toAppError(cause, `Cannot answer "${request.type}"`);
      if (!endsSession(error)) context.session.send(errorMessage(error));
      throw error;
    }
  };
}
