/**
 * What somebody may not be told who may put files and not look at any: that a name is taken, and nothing else of it.
 *
 * So what is there under a name is always "taken"; and of a partial only who began it is told how much there is, as its
 * digests are those of somebody's content.
 */
import { AppError } from "../../protocol/errors.ts";
import { quoteName } from "../../protocol/escape.ts";
import type { Draft, IfTaken } from "../../protocol/files/tree.ts";
import type { MessageOf } from "../../protocol/wire/messages/mod.ts";
import type { RequestContext } from "./handler.ts";

/** How many puts of one link are remembered; with one more, all are forgotten, and go on from their beginning. */
const BEGUN_MAX = 1_000;

const TELLING: ReadonlySet<string> = new Set(["is_directory", "not_a_file", "not_a_directory", "outside"]);

/** Runs `change`; who may not look at `name` is told `exists` of all that stands in its way. */
export async function keepingUnseen<T>(
  name: string,
  context: RequestContext,
  change: () => T | Promise<T>,
): Promise<T> {
  try {
    return await change();
  } catch (error) {
    const isTelling = error instanceof AppError && TELLING.has(error.code);
    if (!isTelling || context.isAuthorized("read", name)) throw error;
    throw new AppError("exists", `Cannot store ${quoteName(name)}: the name is taken`, { cause: error });
  }
}

/** The draft of `offer`. */
export async function createDraft(
  offer: MessageOf<"offer">,
  ifTaken: IfTaken,
  context: RequestContext,
): Promise<Draft> {
  const { name, sizeBytes, mtimeMs } = offer;
  const { tree, principal: { begun } } = context;
  const mayRead = context.isAuthorized("read", name);
  const facts = { ...offer, comparesOld: mayRead && offer.compares };
  const draft = await keepingUnseen(name, context, () => tree.create(name, facts, ifTaken));
  if (mayRead) return draft;
  const source = JSON.stringify([name, sizeBytes, mtimeMs, ifTaken]);
  if (begun?.has(source)) return draft;
  if (draft.heldBlocks > 0) {
    await draft.suspend();
    return await tree.create(name, { mtimeMs }, ifTaken); // without a size it has no partial
  }
  if (begun && begun.size >= BEGUN_MAX) begun.clear();
  begun?.add(source);
  return silent(draft);
}

/** Without a word of what somebody else had begun there. */
function silent(draft: Draft): Draft {
  if (!draft.restarted) return draft;
  return {
    heldBlocks: 0,
    restarted: false,
    readAt: (offset, into) => draft.readAt(offset, into),
    startAt: (offset) => draft.startAt(offset),
    write: (bytes) => draft.write(bytes),
    publish: () => draft.publish(),
    suspend: () => draft.suspend(),
    discard: () => draft.discard(),
  };
}
