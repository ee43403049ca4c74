/** Images that were just stored: what they are, and their bytes, as far as they can be drawn. */
import { AppError } from "../../protocol/errors.ts";
import type { LocalTree } from "../../protocol/files/local_tree.ts";
import { describeImage, type ImageFacts } from "./describe.ts";
import { SHOWN_BYTES_MAX } from "./draw.ts";

/** What the file `name` is, if its beginning is that of an image; never fails. */
export async function describeLocal(tree: LocalTree, name: string): Promise<ImageFacts | undefined> {
  try {
    using source = tree.openStored(name);
    return await describeImage(source);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return; // it was moved away already, or may not be read
  }
}

/** The whole file. Throws `too_large` for one that is not drawn. */
export async function readLocalImage(tree: LocalTree, name: string): Promise<Uint8Array> {
  using source = tree.openStored(name);
  const { sizeBytes } = source.entry;
  if (sizeBytes > SHOWN_BYTES_MAX) throw new AppError("too_large", "Cannot show it: it is too large");
  const bytes = new Uint8Array(sizeBytes);
  let count = 0;
  for (let more = 1; more > 0 && count < sizeBytes; count += more) {
    more = await source.readAt(count, bytes.subarray(count));
  }
  return bytes.subarray(0, count);
}
