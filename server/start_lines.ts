/** What `app serve` prints first, in a form that scripts can read. */
import { formatCount, formatSize } from "../protocol/cli/format.ts";
import type { Measure } from "../protocol/files/scan.ts";
import { escapeName } from "../protocol/escape.ts";
import { shortened } from "../protocol/tls/fingerprint.ts";
import { formatLink } from "../protocol/wire/link.ts";
import type { StrangerRights } from "./policy.ts";

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
  /** Absent where only this machine reaches the server, and may do everything unencrypted. */
  readonly protection?: ProtectionFacts | undefined;
}

/** How a server is protected. */
export interface ProtectionFacts {
  /** What those may do who show no link. */
  readonly strangers: StrangerRights;
  readonly key: string;
  /** Whole. */
  readonly fingerprint: string;
  /** Whether unencrypted connections are taken, too. */
  readonly isPlainAllowed: boolean;
  /** Of the link that was made for this start. */
  readonly secret?: string | undefined;
  /** One of the files at the top, if there is any. */
  readonly example?: string | undefined;
}

export function formatStartLines(facts: StartFacts): string[] {
  const { address, port, root, readOnly, measure, protection, oldFormats } = facts;
  const content = measure ? ` (${formatCount(measure.files, "file")}, ${formatSize(measure.sizeBytes)})` : "";
  const isOpen = !protection || protection.strangers === "open";
  const changes = readOnly ? ", read-only" : isOpen ? ", uploads allowed" : "";
  const encrypted = protection ? `, encrypted, key ${shortened(protection.fingerprint)}` : "";
  return [
    `Running on IP: ${isAny(address) ? reachableAddresses(facts)[0] ?? address : address}`,
    `Running on port: ${port}`,
    `Sharing: ${escapeName(root)}${content}${changes}${encrypted}`,
    ...(protection ? commandLines(facts, protection) : []),
    ...(protection ? warnings(protection, readOnly, oldFormats) : []),
  ];
}

/** What to enter on another machine. */
function commandLines(facts: StartFacts, { strangers, key, secret, example }: ProtectionFacts): string[] {
  const { root, port } = facts;
  if (strangers === "none" && secret === undefined) return [`No link was made: app link ${escapeName(root)} makes one`];
  const command = example === undefined ? "list" : "get";
  const isNeeded = strangers === "none" && secret !== undefined;
  const link = { port, path: example ?? "", key, ...(isNeeded ? { secret } : {}) };
  return hostsOf(facts).map((host) => `Read:  app ${command} ${formatLink({ ...link, host })}`);
}

function warnings(
  { strangers, isPlainAllowed }: ProtectionFacts,
  readOnly: boolean,
  oldFormats: readonly string[],
): string[] {
  const useless = strangers === "none" ? ", and allowed nothing without --public" : ""; // they know no links
  const isAre = oldFormats.length === 1 ? "is" : "are";
  const may = strangers === "public" || readOnly ? "read files" : "read and add files";
  const isClosed = strangers === "none" || strangers === "open"; // who is on this machine is no stranger
  return [
    ...(isPlainAllowed
      ? ["WARNING: unencrypted connections are taken, too (--plain): others can listen to those"]
      : []),
    ...(oldFormats.length > 0
      ? [`WARNING: ${oldFormats.join(", ")} ${isAre} served (--wire), without passwords or encryption${useless}`]
      : []),
    ...(isClosed ? [] : [`WARNING: anybody who reaches this port can ${may} (--${strangers})`]),
  ];
}

/** Under which names others may find the server; if there are none, how this machine finds it. */
export function hostsOf(bound: Pick<StartFacts, "address" | "interfaces">): string[] {
  const reachable = reachableAddresses(bound);
  return reachable.length > 0 ? reachable : [bound.address === "::" ? "::1" : "127.0.0.1"];
}

export function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.") || address === "localhost";
}

/** The addresses under which other machines may find a server that is bound to `address`. */
export function reachableAddresses(
  { address, interfaces }: Pick<StartFacts, "address" | "interfaces">,
): string[] {
  if (!isAny(address)) return [address];
  return interfaces
    .filter(({ family }) => address === "::" || family === "IPv4")
    .map((one) => one.address)
    .filter((one) => !isLoopback(one) && !one.toLowerCase().startsWith("fe80:"));
}

function isAny(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}
