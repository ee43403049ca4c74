/** The format `greeting`, served. */
import type { FormatContext } from "./format.ts";

export function serveGreeting({ stream }: FormatContext): Promise<void> {
  stream.take();
  return Promise.resolve();
}
