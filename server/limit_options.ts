/** The options of `app serve` that limit what others can do with it, and what they come to. */
import type { OptionValues } from "../protocol/cli/command.ts";
import { NO_LIMIT, SERVER_LIMITS, type ServerLimits } from "../protocol/limits.ts";

const group = "Limits";

export const LIMIT_OPTIONS = [
  {
    name: "max-file-size",
    group,
    kind: "size",
    value: "SIZE",
    help: "The largest file to take, such as 500M (default: no limit)",
  },
  {
    name: "quota",
    group,
    kind: "size",
    value: "SIZE",
    help: "How large all files together may become (default: no limit)",
  },
  {
    name: "max-files",
    group,
    kind: "count",
    value: "N",
    help: "How many files and directories there may be (default: no limit)",
  },
  {
    name: "keep-free",
    group,
    kind: "size",
    value: "SIZE",
    help: "What uploads leave free on the disk (default: 100 MB, or 1 % of a disk below 10 GB)",
  },
  {
    name: "rate",
    group,
    kind: "size",
    value: "SIZE",
    min: 1_000,
    help: "Bytes a second of one connection, each way (default: no limit)",
  },
  {
    name: "rate-total",
    group,
    kind: "size",
    value: "SIZE",
    min: 1_000,
    help: "Bytes a second of all connections, each way (default: no limit)",
  },
  {
    name: "max-connections",
    group,
    kind: "count",
    value: "N",
    default: SERVER_LIMITS.connectionsMax,
    min: 1,
    help: "Connections at once",
  },
  {
    name: "max-per-address",
    group,
    kind: "count",
    value: "N",
    default: SERVER_LIMITS.connectionsPerAddressMax,
    min: 1,
    help: "Connections at once from one address, but not from this machine",
  },
  {
    name: "idle-timeout",
    group,
    kind: "seconds",
    value: "SECONDS",
    default: SERVER_LIMITS.idleTimeoutMs / 1000,
    min: 1,
    max: 86_400,
    help: "End a connection that is silent, or nearly, for this time",
  },
] as const;

/** What the options say of the limits. */
export function limitsFrom(options: OptionValues<typeof LIMIT_OPTIONS>): Partial<ServerLimits> {
  return {
    fileBytesMax: options["max-file-size"] ?? NO_LIMIT,
    rootBytesMax: options.quota ?? NO_LIMIT,
    rootFilesMax: options["max-files"] ?? NO_LIMIT,
    keepFreeBytes: options["keep-free"] ?? "auto",
    bytesPerSecondMax: options.rate ?? NO_LIMIT,
    bytesPerSecondTotalMax: options["rate-total"] ?? NO_LIMIT,
    connectionsMax: options["max-connections"],
    connectionsPerAddressMax: options["max-per-address"],
    idleTimeoutMs: options["idle-timeout"] * 1000,
  };
}
