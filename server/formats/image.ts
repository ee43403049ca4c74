/** The format `image`, served. */
import type { FormatContext } from "./format.ts";

export function serveImage({ stream }: FormatContext): Promise<void> {
  stream.take();
  return Promise.resolve();
}
