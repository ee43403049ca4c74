/**
 * All limits of one server in one place: who is let in, how fast bytes go, what is stored, how often secrets are tried,
 * and how much of it the log tells. What the rest of the server asks of them is here; each limit has its own file.
 */
import { AppError, type ErrorName } from "../../protocol/errors.ts";
import type { ByteStream } from "../../protocol/exchange/byte_stream.ts";
import { ThrottledStream } from "../../protocol/exchange/throttled_stream.ts";
import { TokenBucket } from "../../protocol/exchange/token_bucket.ts";
import type { FileTree } from "../../protocol/files/tree.ts";
import { NO_LIMIT, type ServerLimits } from "../../protocol/limits.ts";
import type { Gauge } from "../../protocol/wire/messages/status.ts";
import type { Log } from "../log.ts";
import type { Principal } from "../policy.ts";
import { addressOf } from "./address.ts";
import { connectionsThatFit, readSystemLimits } from "./descriptors.ts";
import { FailedSecrets } from "./failed_secrets.ts";
import { Gate, type Pass } from "./gate.ts";
import { LimitedTree } from "./limited_tree.ts";
import { type LogSummary, summarizing } from "./log_summary.ts";
import { PartialsByAddress } from "./partials.ts";
import { slowedRedeem, Waits } from "./slow_access.ts";
import { Storage } from "./storage.ts";
import { Watches } from "./watches.ts";

export class Guard implements AsyncDisposable {
  readonly limits: ServerLimits;
  readonly #tree: FileTree;
  readonly #keeps: boolean;
  readonly #gate: Gate;
  readonly #storage: Storage;
  readonly #summary: LogSummary;
  readonly #failedSecrets: FailedSecrets;
  readonly #partials = new PartialsByAddress();
  readonly #watches: Watches;
  readonly #waits = new Waits();
  readonly #totalReading: readonly TokenBucket[];
  readonly #totalWriting: readonly TokenBucket[];
  /** What connections that have ended came to. */
  readonly #ended = { requests: 0, bytesReceived: 0, bytesSent: 0 };

  /** Throws `failed` for limits that `tree` has no means for. */
  constructor(
    limits: ServerLimits,
    tree: FileTree,
    log: Log,
    { isEncrypted = false, keeps = true, systemLimits = readSystemLimits() }: {
      isEncrypted?: boolean;
      keeps?: boolean;
      systemLimits?: string;
    } = {},
  ) {
    const isCounted = limits.rootBytesMax < NO_LIMIT || limits.rootFilesMax < NO_LIMIT;
    if (isCounted && !tree.usage) throw new AppError("failed", "Cannot limit a tree that does not tell its usage");
    const connectionsMax = Math.min(limits.connectionsMax, connectionsThatFit(systemLimits, isEncrypted) ?? Infinity);
    this.limits = { ...limits, connectionsMax };
    this.#tree = tree;
    this.#keeps = keeps;
    this.#gate = new Gate(this.limits);
    this.#failedSecrets = new FailedSecrets(limits.secretWaitMaxMs);
    this.#storage = new Storage(tree, limits);
    this.#watches = new Watches(limits);
    this.#summary = summarizing(log);
    this.#totalReading = bucketsFor(limits.bytesPerSecondTotalMax);
    this.#totalWriting = bucketsFor(limits.bytesPerSecondTotalMax);
    if (connectionsMax < limits.connectionsMax) this.#tellOfFew(connectionsMax);
  }

  get log(): Log {
    return this.#summary.log;
  }

  /** Begins to count what is stored. */
  start(): void {
    this.#storage.start();
  }

  /** Lets a connection in, or says why not; `drop` is called when another one gets its place. */
  admit(peer: string, drop: () => void): Pass | ErrorName {
    const pass = this.#gate.admit(peer, drop);
    if (typeof pass === "string") this.#tell(peer, pass, "Refused a connection");
    return pass;
  }

  /** How many openings were dropped so far. */
  get dropped(): number {
    return this.#gate.totals.dropped;
  }

  /** Makes room when there are no descriptors left. */
  makeRoom(): void {
    this.#gate.dropOldest();
  }

  /** `stream`, as fast as one connection may be. */
  throttled(stream: ByteStream): ByteStream {
    const own = this.limits.bytesPerSecondMax;
    const reading = [...bucketsFor(own), ...this.#totalReading];
    if (reading.length === 0) return stream;
    return new ThrottledStream(stream, { reading, writing: [...bucketsFor(own), ...this.#totalWriting] });
  }

  /** The shared tree as `peer` may use it, who may be confined to a directory of it. */
  treeFor(peer: string, path: string): FileTree {
    return new LimitedTree(confined(this.#tree, path), {
      storage: this.#storage,
      partials: this.#partials,
      watches: this.#watches,
      address: addressOf(peer),
      namesMax: this.limits.listNamesMax,
      keeps: this.#keeps,
    });
  }

  /** `redeem`, as often as somebody may try. */
  slowed(redeem: (secret: string, peer: string) => Promise<Principal>): typeof redeem {
    return slowedRedeem(redeem, this.#failedSecrets, (ms) => this.#waits.wait(ms));
  }

  /** A connection has ended. */
  ended(counts: { requests: number; bytesReceived: number; bytesSent: number }): void {
    this.#ended.requests += counts.requests;
    this.#ended.bytesReceived += counts.bytesReceived;
    this.#ended.bytesSent += counts.bytesSent;
  }

  /** Every limit and how much of it is used, and what there was so far besides `live`. */
  async gauges(live: { requests: number; bytesReceived: number; bytesSent: number }): Promise<Gauge[]> {
    const { limits } = this;
    const { accepted, refused, dropped } = this.#gate.totals;
    const usage = this.#storage.usage;
    const space = await this.#storage.space("");
    return [
      gauge("connections", this.#gate.connections, limits.connectionsMax),
      gauge("connections_of_one_address", this.#gate.mostOfOneAddress, limits.connectionsPerAddressMax),
      gauge("openings", this.#gate.openings, limits.openingsMax),
      gauge("openings_of_one_address", undefined, limits.openingsPerAddressMax),
      gauge("requests_ahead", undefined, limits.requestsAheadMax),
      gauge("opening_ms", undefined, limits.openingTimeoutMs),
      gauge("idle_ms", undefined, limits.idleTimeoutMs),
      gauge("bytes_per_second", undefined, limits.bytesPerSecondMax),
      gauge("bytes_per_second_in_all", undefined, limits.bytesPerSecondTotalMax),
      gauge("file_bytes", undefined, limits.fileBytesMax),
      gauge("root_bytes", usage?.bytes, limits.rootBytesMax),
      gauge("root_files", usage?.files, limits.rootFilesMax),
      gauge("unfinished_uploads", usage?.partials, limits.partialsMax),
      gauge("unfinished_uploads_of_one_address", this.#partials.most, limits.partialsPerAddressMax),
      gauge("list_names", undefined, limits.listNamesMax),
      gauge("watches", this.#watches.open, limits.watchesMax),
      gauge("watched_directories", this.#watches.directories, limits.watchedDirectoriesTotalMax),
      gauge("free_bytes", space?.freeBytes),
      gauge("kept_free_bytes", undefined, space && this.#storage.keepFreeBytes(space)),
      gauge("addresses_with_wrong_secrets", this.#failedSecrets.size),
      gauge("total_connections", accepted),
      gauge("total_refused", refused),
      gauge("total_dropped", dropped),
      gauge("total_requests", this.#ended.requests + live.requests),
      gauge("total_bytes_received", this.#ended.bytesReceived + live.bytesReceived),
      gauge("total_bytes_sent", this.#ended.bytesSent + live.bytesSent),
    ];
  }

  /** No wait goes on. */
  stop(): void {
    this.#waits[Symbol.dispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await this.#storage[Symbol.asyncDispose]();
    this.#summary[Symbol.dispose]();
  }

  #tellOfFew(connectionsMax: number): void {
    this.#tell("-", "limit", `Room for ${connectionsMax} connections: the system allows too few open files for more`);
  }

  #tell(peer: string, result: ErrorName, detail: string): void {
    const record = { time: new Date(), peer, who: "-", request: "accept", name: "", bytes: 0, durationMs: 0 };
    this.log({ ...record, result, detail });
  }
}

function confined(tree: FileTree, path: string): FileTree {
  if (path === "") return tree;
  if (!tree.confinedTo) throw new AppError("failed", "Cannot confine a link to a part of this tree");
  return tree.confinedTo(path);
}

function gauge(name: string, used: number | undefined, max = NO_LIMIT): Gauge {
  return { name, ...(used === undefined ? {} : { used }), ...(max >= NO_LIMIT ? {} : { max }) };
}

function bucketsFor(bytesPerSecond: number): TokenBucket[] {
  return bytesPerSecond >= NO_LIMIT ? [] : [new TokenBucket(bytesPerSecond)];
}
