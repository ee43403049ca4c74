/** The format `packet`, served. */
import type { FormatContext } from "./format.ts";

export function servePacket({ stream }: FormatContext): Promise<void> {
  stream.take();
  return Promise.resolve();
}
