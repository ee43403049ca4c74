/** `digest`: reads a whole file and tells its checksums, so that nobody has to transfer it to compare it. */
import { breathe, breatheLong } from "../../protocol/breathe.ts";
import { AppError } from "../../protocol/errors.ts";
import { crc32For, loadBlake2b } from "../../protocol/exchange/checksum.ts";
import type { MessageOf } from "../../protocol/wire/messages/mod.ts";
import type { Outcome, RequestContext } from "./handler.ts";

/** Small enough that many digests at once do not keep others from being heard between two pieces. */
const PIECE_BYTES = 131_072;

export async function handleDigest(request: MessageOf<"digest">, context: RequestContext): Promise<Outcome> {
  context.authorize("read", request.name);
  context.session.send({ type: "checksum", ...await readChecksum(request, context) });
  return {};
}

/** All of it is over when this is, closing the file included: behind the reply no error may follow. */
async function readChecksum(request: MessageOf<"digest">, context: RequestContext) {
  using _breathing = breatheLong();
  using source = await context.tree.open(request.name);
  const crc32 = await crc32For(source.entry.sizeBytes);
  const blake2b = (await loadBlake2b())();
  const piece = new Uint8Array(PIECE_BYTES);
  let offset = 0;
  let crc = 0;
  for (let count = await source.readAt(0, piece); count > 0; count = await source.readAt(offset, piece)) {
    const bytes = piece.subarray(0, count);
    blake2b.update(bytes);
    crc = crc32(bytes, crc);
    offset += count;
    await breathe();
    heedCancel(context);
  }
  await source.verifyUnchanged();
  return { sizeBytes: offset, crc, blake2b: blake2b.digest() };
}

function heedCancel({ session }: RequestContext): void {
  if (session.isCancelled()) throw new AppError("cancelled", "The client called the request off");
  if (session.hasEnded) throw new AppError("lost", "The client closed the connection");
}
