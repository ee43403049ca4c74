/**
 * The format `share`, served: one request, one answer, the end.
 *
 * A file ends with the stream, in both directions, and nothing says how long it should have been. So an upload counts
 * only when its sender ended its side; whatever else ends it throws it away.
 */
import { AppError } from "../../protocol/errors.ts";
import { receiveUnframed, untilEnd } from "../../protocol/exchange/unframed.ts";
import type { Draft, Source } from "../../protocol/files/tree.ts";
import {
  formatShareList,
  LENGTH_UNVERIFIED,
  parseShareRequest,
  SHARE_CANCEL,
  SHARE_PASS,
  type ShareRequest,
  shareRequestFault,
} from "../../protocol/wire/share.ts";
import type { Outcome } from "../handlers/handler.ts";
import { deliver, endLater, writeText } from "./deliver.ts";
import type { FormatContext } from "./format.ts";

/** As much of a list goes into one message. A longer one goes on in others, which old clients do not read. */
const LIST_PIECE_LENGTH = 65_536;

export async function serveShare(context: FormatContext): Promise<void> {
  const bytes = context.stream.take();
  const request = parseShareRequest(bytes);
  if (request.command === "list") return await context.logged("list", "", () => list(context));
  let isCancelled = false;
  await context.logged(request.command, request.name, async () => {
    const answer = await begin(request, shareRequestFault(bytes), context).catch(async (error) => {
      isCancelled = true;
      await writeText(context.stream, SHARE_CANCEL);
      throw error;
    });
    return await answer();
  });
  if (isCancelled) await endLater(context);
}

/** Throws what the request is refused for; else what is to be done next, which begins with the word that says so. */
async function begin(
  { command, name }: ShareRequest,
  fault: string | undefined,
  context: FormatContext,
): Promise<() => Promise<Outcome>> {
  const { tree } = context;
  if (fault) throw new AppError("bad_name", `Cannot take the name: ${fault}`);
  context.authorize(command === "get" ? "read" : "create", name);
  if (command === "get") return sending(await tree.open(name), context);
  return receiving(await tree.create(name, {}, "error"), context);
}

function sending(source: Source, context: FormatContext): () => Promise<Outcome> {
  return () => deliver(SHARE_PASS, source, context);
}

function receiving(draft: Draft, { stream, limits }: FormatContext): () => Promise<Outcome> {
  return async () => {
    try {
      await writeText(stream, SHARE_PASS);
    } catch (error) {
      await draft.discard();
      throw error;
    }
    const { name, bytes } = await receiveUnframed(stream, draft, { sizeBytesMax: limits.fileBytesMax });
    return { name, bytes, detail: LENGTH_UNVERIFIED };
  };
}

/** The files at the top: what this format can name. Dotfiles and partials are left out, as in every list. */
async function list({ stream, tree, authorize }: FormatContext): Promise<Outcome> {
  authorize("list", "");
  let text = "";
  for await (const { entries } of tree.list("", { all: false })) {
    text += formatShareList(entries.filter(({ kind }) => kind === "file").map(({ name }) => name));
    if (text.length < LIST_PIECE_LENGTH) continue;
    await writeText(stream, text);
    text = "";
  }
  if (text !== "") await writeText(stream, text);
  await stream.closeWrite();
  await untilEnd(stream);
  return {};
}
