/** `digest`: reads a whole file and tells its checksums, so that nobody has to transfer it to compare it. */
import { breathe, breatheLong } from "../../protocol/breathe.ts";
import { AppError } from "../../protocol/errors.ts";
import { crc32For, loadBlake2b } from "../../protocol/exchange/checksum.ts";
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import type { MessageOf } from "../../protocol/wire/messages/mod.ts";
import type { Outcome, RequestContext } from "./handler.ts";

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
  const block = new Uint8Array(BLOCK_BYTES);
  let offset = 0;
  let crc = 0;
  for (let count = await source.readAt(0, block); count > 0; count = await source.readAt(offset, block)) {
    const bytes = block.subarray(0, count);
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
