/** What `app serve` prints first, in a form that scripts can read. */
import { formatCount, formatSize } from "../protocol/cli/format.ts";
import type { Measure } from "../protocol/files/scan.ts";
import { escapeName } from "../protocol/escape.ts";

export interface StartFacts {
  /** As it was bound. */
  readonly address: string;
  readonly port: number;
  /** The directory, as the person named it. */
  readonly root: string;
  readonly readOnly: boolean;
  /** The formats of the old programs that are served. */
  readonly oldFormats: readonly string[];
  /** `undefined` when counting took too long. */
  readonly measure: Measure | undefined;
  /** All addresses of this machine. */
  readonly interfaces: readonly { readonly address: string; readonly family: "IPv4" | "IPv6" }[];
}

export function formatStartLines(
  { address, port, root, readOnly, oldFormats, measure, interfaces }: StartFacts,
): string[] {
  const reachable = reachableAddresses(address, interfaces);
  const content = measure ? ` (${formatCount(measure.files, "file")}, ${formatSize(measure.sizeBytes)})` : "";
  const lines = [
    `Running on IP: ${isAny(address) ? reachable[0] ?? address : address}`,
    `Running on port: ${port}`,
    `Sharing: ${escapeName(root)}${content}, ${readOnly ? "read-only" : "uploads allowed"}`,
  ];
  if (isLoopback(address)) return lines;
  const isAre = oldFormats.length === 1 ? "is" : "are";
  return [
    ...lines,
    ...reachable.map((own) => `On another machine: app list ${own} ${port}`),
    oldFormats.length === 0
      ? "Old programs are not served: name their formats with --wire, though they know neither passwords nor encryption"
      : `WARNING: ${oldFormats.join(", ")} ${isAre} served (--wire), without passwords or encryption`,
    `WARNING: anybody who reaches this port can read ${readOnly ? "" : "and add "}files, and nothing is encrypted`,
  ];
}

export function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.") || address === "localhost";
}

/** The addresses under which other machines may find a server that is bound to `address`. */
function reachableAddresses(address: string, interfaces: StartFacts["interfaces"]): string[] {
  if (!isAny(address)) return [address];
  return interfaces
    .filter(({ family }) => address === "::" || family === "IPv4")
    .map((one) => one.address)
    .filter((one) => !isLoopback(one) && !one.toLowerCase().startsWith("fe80:"));
}

function isAny(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}
