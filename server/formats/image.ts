/** The format `image`, served: one name after the other, until one of them is a file, with which the stream ends. */
import { AppError } from "../../protocol/errors.ts";
import { IMAGE_EXISTS, IMAGE_MISSING, parseImageRequest } from "../../protocol/wire/image.ts";
import { OPENING_BYTES_MAX } from "../../protocol/limits.ts";
import { deliver, writeText } from "./deliver.ts";
import type { FormatContext } from "./format.ts";

export async function serveImage(context: FormatContext): Promise<void> {
  const { stream, limits } = context;
  let bytes: Uint8Array | undefined = stream.take();
  while (bytes && await isWithoutFile(bytes, context)) {
    if (bytes.length >= OPENING_BYTES_MAX) return; // where its rest begins nobody can tell
    bytes = await stream.untilQuiet(limits.quietMs);
  }
}

/** Answers one request; whether there was no file for it, so that another may follow. */
async function isWithoutFile(bytes: Uint8Array, context: FormatContext): Promise<boolean> {
  const name = parseImageRequest(bytes);
  let isMissing = false;
  await context.logged("get", name ?? "", async () => {
    const source = await open(name, context).catch(async (error) => {
      isMissing = true;
      await writeText(context.stream, IMAGE_MISSING);
      throw error;
    });
    return await deliver(IMAGE_EXISTS, source, context);
  });
  return isMissing;
}

async function open(name: string | undefined, { authorize, tree }: FormatContext) {
  if (name === undefined) throw new AppError("bad_name", "Cannot take the name: it is not UTF-8");
  authorize("read", name);
  return await tree.open(name);
}
