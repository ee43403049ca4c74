/** The format `share`, served. */
import type { FormatContext } from "./format.ts";

export function serveShare({ stream }: FormatContext): Promise<void> {
  stream.take();
  return Promise.resolve();
}
