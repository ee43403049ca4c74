/** `push` and `pull`: whole trees. Each name is asked about for itself; what may not be done is told, and the rest goes on. */
import { AppError } from "../../protocol/errors.ts";
import type { TreeAction } from "../../protocol/exchange/tree_receive_options.ts";
import type { Preflight } from "../../protocol/exchange/tree_preflight.ts";
import { receiveTree } from "../../protocol/exchange/tree_receiver.ts";
import type { Tally } from "../../protocol/exchange/tree_report.ts";
import { refuseWholeTree } from "../../protocol/exchange/tree_refusal.ts";
import { sendTree } from "../../protocol/exchange/tree_sender.ts";
import { keepIn, type KeepingRun } from "../../protocol/files/keep_in.ts";
import type { MessageOf } from "../../protocol/wire/messages/mod.ts";
import { IF_IMPOSSIBLE } from "../../protocol/wire/messages/preflight.ts";
import { IF_DIFFERENT, KEEPING } from "../../protocol/wire/messages/sync.ts";
import type { Outcome, RequestContext } from "./handler.ts";

export async function handlePush(request: MessageOf<"push">, context: RequestContext): Promise<Outcome> {
  const { session, limits } = context;
  await using keeping = await keepingFor(request, context);
  const tally = await receiveTree(session, keeping.tree, request.name, {
    ifDifferent: IF_DIFFERENT[request.ifDifferent ?? 0] ?? "error",
    isExact: request.exact ?? false,
    removeMax: request.removeMax,
    asksSender: request.filtered,
    isDryRun: request.dryRun,
    isUnflushed: request.unflushed,
    sizeBytesMax: limits.fileBytesMax,
    refuses: refusalsOf(context),
    preflight: preflightOf(request),
    onNeed: request.measure ? (need) => session.send({ type: "need", ...need }) : undefined,
    keepableBytes: keeping.keepableBytes,
    settle: keeping.settle,
  });
  return { detail: describe(tally, request) };
}

/** What this version does not know is the strictest. */
function preflightOf({ ifImpossible }: MessageOf<"push" | "pull">): Preflight | undefined {
  return ifImpossible === undefined ? undefined : { ifImpossible: IF_IMPOSSIBLE[ifImpossible] ?? "stop" };
}

/**
 * The tree that keeps what it loses, for a push that wants that. Who may neither replace nor remove loses nothing. Tells
 * the client why there can be none.
 */
async function keepingFor(
  { name, trash: choice = 0, tag, unflushed }: MessageOf<"push">,
  context: RequestContext,
): Promise<KeepingRun> {
  const { session, tree, principal } = context;
  const isNeeded = context.isAuthorized("overwrite", name) || context.isAuthorized("remove", name);
  const facts = { directory: name, who: principal.label, tag, isUnflushed: unflushed };
  try {
    return keepIn(tree, isNeeded ? KEEPING[choice] ?? "on" : "off", facts);
  } catch (error) {
    if (error instanceof AppError) await refuseWholeTree(session, error);
    throw error;
  }
}

export async function handlePull(request: MessageOf<"pull">, context: RequestContext): Promise<Outcome> {
  const { session, tree } = context;
  const refuses = refusalsOf(context);
  const tally = await sendTree(session, tree, request.name, {
    hasDigests: request.checksum,
    isDryRun: request.dryRun,
    refuses,
    preflight: preflightOf(request),
  });
  if (tally.files > 0 && !request.dryRun) context.onDelivered();
  return { detail: describe(tally, request) };
}

const FOR_ONE_FILE = new AppError("not_allowed", "Cannot move a tree: the link is good for one file");

/** A link for one transfer is for one file: with trees, it would be good for all of them, time and again. */
export function refusalsOf(
  context: RequestContext,
): (action: TreeAction | "read", name: string) => AppError | undefined {
  const isForOneFile = context.principal.takeTurn !== undefined;
  return (action, name) => {
    if (context.isAuthorized(action, name)) return isForOneFile ? FOR_ONE_FILE : undefined;
    try {
      context.authorize(action, name);
    } catch (error) {
      if (error instanceof AppError) return error;
      throw error;
    }
  };
}

function describe({ files, unchanged, moved, removed, failed }: Tally, { dryRun }: MessageOf<"push" | "pull">): string {
  return `${
    dryRun ? "dry run: " : ""
  }${files} stored, ${unchanged} unchanged, ${moved} moved, ${removed} removed, ${failed} failed`;
}
