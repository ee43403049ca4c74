/** Taking back the last push or pull. */
import { AppError } from "../protocol/errors.ts";
import { peerError } from "../protocol/exchange/transfer.ts";
import { undoLast } from "../protocol/files/undo_last.ts";
import type { FileTree } from "../protocol/files/tree.ts";
import { validateDirectoryName } from "../protocol/names.ts";
import type { MessageOf } from "../protocol/wire/messages/mod.ts";
import { UNDO_ACTIONS, type UndoAction } from "../protocol/wire/messages/sync.ts";
import type { Client } from "./client.ts";
import { makeTag, OWNER_OF_LOCAL_RUNS } from "./tree.ts";

/** Which run is taken back. */
export interface UndoneRun {
  readonly directory: string;
  readonly startedMs: number;
  /** It took back another one itself. */
  readonly isUndo: boolean;
}

export interface UndoTreeOptions {
  readonly isDryRun?: boolean;
  readonly isUnflushed?: boolean;
  readonly onBegun?: (run: UndoneRun) => void;
  readonly onUndone?: (action: UndoAction, name: string) => void;
  readonly onFailed?: (name: string, error: AppError) => void;
}

/** Takes back the last push into the directory `name` of the server, or below it; how many names failed. */
export async function undoPush(client: Client, name: string, options: UndoTreeOptions = {}): Promise<number> {
  validateDirectoryName(name);
  const tag = makeTag();
  let hasBegun = false;
  return await client.attempt(async ({ session }) => {
    session.send({ type: "undo", name, dryRun: options.isDryRun, unflushed: options.isUnflushed, tag });
    let failed = 0;
    for (;;) {
      const message = await session.receive();
      switch (message.type) {
        case "undoing":
          if (!hasBegun) options.onBegun?.(runOf(message));
          hasBegun = true;
          break;
        case "undone":
          tellUndone(message, options);
          break;
        case "failed":
          failed++;
          options.onFailed?.(message.name, peerError(message));
          break;
        case "done":
          return failed;
        case "error":
          throw peerError(message);
        default:
          throw new AppError("order", `The server sent "${message.type}" while it undid something`);
      }
    }
  });
}

/** Takes back the last pull into `tree`. */
export async function undoPull(tree: FileTree, options: UndoTreeOptions = {}): Promise<number> {
  const { isDryRun, isUnflushed, onBegun, onUndone = () => {}, onFailed = () => {} } = options;
  const facts = { directory: "", who: OWNER_OF_LOCAL_RUNS, mayUndo: () => true, isDryRun };
  return await undoLast(tree, facts, { isUnflushed, onBegun, onUndone, onFailed });
}

function runOf({ name, startedMs, undo = false }: MessageOf<"undoing">): UndoneRun {
  return { directory: name, startedMs, isUndo: undo };
}

function tellUndone({ names, actions }: MessageOf<"undone">, { onUndone }: UndoTreeOptions): void {
  if (names.length !== actions.length) {
    throw new AppError("malformed", "The server told of names without what was done");
  }
  names.forEach((name, index) => {
    const action = UNDO_ACTIONS[actions[index]!];
    if (action) onUndone?.(action, name);
  });
}
