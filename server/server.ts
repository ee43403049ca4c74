/**
 * The listener and the connections that it accepted: starting, counting, stopping.
 *
 * `serve` returns at once. It installs no signal handlers and prints nothing: that is the command's business.
 */
import { breathe, breatheNow } from "../protocol/breathe.ts";
import { AppError, type ErrorName } from "../protocol/errors.ts";
import { TcpStream } from "../protocol/exchange/byte_stream.ts";
import type { CompressChoice } from "../protocol/compressions.ts";
import type { FileTree } from "../protocol/files/tree.ts";
import { LocalTree } from "../protocol/files/local_tree.ts";
import { SERVER_LIMITS, type ServerLimits } from "../protocol/limits.ts";
import { SERVED_FORMATS, type ServedFormat } from "../protocol/wire/detect.ts";
import { type Access, Connection, type ServerContext } from "./connection.ts";
import type { ServerStatus } from "./handlers/handler.ts";
import type { Greeting } from "./formats/format.ts";
import type { Identity } from "./identity.ts";
import { type Log, NO_LOG } from "./log.ts";
import { isLoopback } from "./start_lines.ts";
import { CsvStore } from "./records/csv_store.ts";
import type { RecordStore } from "./records/record_store.ts";
import { type Policy, stranger, type StrangerRights } from "./policy.ts";
import { Compressions } from "./limits/compressions.ts";
import { Guard } from "./limits/guard.ts";
import { QuickFind } from "./quick_find.ts";
import { refuseOpening, sayLastWords } from "./refusal.ts";
import { TlsFront } from "./tls_front.ts";

/** How long accepting pauses when the process has no descriptors left. */
const ACCEPT_PAUSE_MS = 50;

/** Connections that wait to be accepted: with fewer, a storm of others makes an honest one try again after a second. */
const BACKLOG = 4_096;

/** How many connections are turned away with words at once; the others just end. Fewer, where few are let in. */
const REFUSING_MAX = 100;
const REFUSING_MIN = 8;
const REFUSING_SHARE = 1 / 8;

const NO_LINKS: Pick<Access, "redeem"> = {
  redeem: () => Promise.reject(new AppError("link_refused", "This server has no links")),
};

/** `auto`: what clients want to be kept is kept, as far as there is room; `off`: nothing is. */
export const SERVED_TRASHES = ["off", "auto"] as const;
export type ServedTrash = typeof SERVED_TRASHES[number];

export interface ServeOptions extends Partial<Policy> {
  /** A directory, or any other tree of files. */
  root: string | FileTree;
  /** @default "127.0.0.1" */
  address?: string;
  /** 0 picks a free one. @default 6000 */
  port?: number;
  /** Stop after the first file that a client got. @default false */
  once?: boolean;
  /** What is known of countries. @default the built-in table, to which nothing can be added */
  records?: RecordStore;
  /** What those may do who show no link. @default "open" on a loopback address, else "none" */
  strangers?: StrangerRights;
  /** Who knows the links; who makes them disposes of them when the server has stopped. @default there are none */
  links?: Pick<Access, "redeem">;
  /** The key to speak TLS with; see `openIdentity`. @default none: nothing is encrypted */
  identity?: Identity;
  /** With an identity: whether our own format is also served without TLS. @default false */
  plain?: boolean;
  /**
   * Which formats are served; the old ones are served inside TLS, too, and never need it.
   * @default all, without an identity, for strangers who may do everything on a loopback address; else only ours
   */
  formats?: readonly ServedFormat[];
  /** What those are told who greet the server. @default "app" and 42; no number stops it */
  greeting?: Partial<Greeting>;
  limits?: Partial<ServerLimits>;
  /** Whether what a push replaces and removes is kept in the directory, as its client wishes. @default "auto" */
  trash?: ServedTrash;
  /** Whether sessions are compressed as clients wish; "auto": a bounded number of them at once. @default "auto" */
  compress?: CompressChoice;
  /** Told of every request. @default nothing is logged */
  log?: Log;
  /** Stops the server when it aborts; as `stop()`. */
  signal?: AbortSignal;
  /** Program and version, for the opening line. @default "app" */
  agent?: string;
}

/** Starts a server. Throws `failed` when it cannot listen there, and what `LocalTree` throws. */
export function serve(options: ServeOptions): Server {
  return new Server(options);
}

export class Server implements AsyncDisposable {
  readonly address: string;
  readonly port: number;
  /** Resolved when the server has stopped and all its connections are closed. */
  readonly finished: Promise<void>;
  readonly #listener: Deno.TcpListener;
  readonly #connections = new Map<Connection, Promise<void>>();
  readonly #context: ServerContext;
  readonly #guard: Guard;
  readonly #begunAt = performance.now();
  #isStopping = false;
  #cannotAccept = false;
  readonly #refusing = new Set<Promise<void>>();

  constructor(options: ServeOptions) {
    const { root, address = "127.0.0.1", port = 6000, once = false, signal, links = NO_LINKS, identity } = options;
    const strangers = options.strangers ?? (isLoopback(address) ? "open" : "none");
    const records = options.records ?? new CsvStore({ isBuiltIn: true });
    const tree = typeof root === "string" ? new LocalTree(root) : root;
    const limits = { ...SERVER_LIMITS, ...options.limits };
    const guard = this.#guard = new Guard(limits, tree, guarded(options.log), {
      isEncrypted: identity !== undefined,
      keeps: options.trash !== "off",
    });
    const context = {
      agent: options.agent ?? "app",
      records,
      quickFind: new QuickFind(records),
      treeFor: (peer: string, path: string) => guard.treeFor(peer, path),
      policy: {
        readOnly: options.readOnly ?? false,
        allowOverwrite: options.allowOverwrite ?? false,
        allowRemove: options.allowRemove ?? false,
      },
      access: {
        stranger: stranger(strangers),
        redeem: guard.slowed((secret, peer) => links.redeem(secret, peer)),
      },
      limits,
      compressions: new Compressions(options.compress ?? "auto"),
      log: guard.log,
      formats: options.formats ?? (strangers === "open" && isLoopback(address) && !identity ? SERVED_FORMATS : ["app"]),
      greeting: { name: "app", number: 42n, closeOnOutOfRange: false, ...options.greeting },
      onDelivered: () => void (once && this.stop()),
      stop: () => void this.stop(),
      status: () => this.status(),
    };
    this.#listener = listen(address, port);
    const tls = identity && { front: new TlsFront(identity), key: identity.key, isRequired: !options.plain };
    this.#context = { ...context, tls };
    const bound = this.#listener.addr as Deno.NetAddr;
    this.address = bound.hostname;
    this.port = bound.port;
    guard.start();
    this.finished = this.#accept();
    signal?.addEventListener("abort", () => this.stop(), { once: true });
    if (signal?.aborted) this.stop();
  }

  /** How it is: limits and how much of each is used, and every connection. */
  async status(): Promise<ServerStatus> {
    const connections = [...this.#connections.keys()].map((connection) => connection.describe());
    const live = { requests: 0, bytesReceived: 0, bytesSent: 0 };
    for (const { requests, bytesReceived, bytesSent } of connections) {
      live.requests += requests;
      live.bytesReceived += bytesReceived;
      live.bytesSent += bytesSent;
    }
    const gauges = await this.#guard.gauges(live);
    const uptimeMs = Math.round(performance.now() - this.#begunAt);
    return { agent: this.#context.agent, uptimeMs, gauges, connections };
  }

  /** Stops accepting, closes idle connections, lets running requests finish for `limits.drainMs`. */
  async stop(): Promise<void> {
    this.#stopAccepting();
    const deadline = setTimeout(() => this.stopNow(), this.#context.limits.drainMs);
    await this.finished;
    clearTimeout(deadline);
  }

  /** Stops without waiting for anything. */
  stopNow(): void {
    this.#stopAccepting();
    for (const connection of this.#connections.keys()) connection.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stopNow();
    await this.finished;
  }

  #stopAccepting(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#listener.close();
    this.#guard.stop();
    for (const connection of this.#connections.keys()) connection.stop();
  }

  async #accept(): Promise<void> {
    while (!this.#isStopping) {
      const { dropped } = this.#guard;
      const conn = await this.#acceptOne();
      if (conn) this.#take(conn);
      // In a storm of newcomers, those who are here want to be heard, too; and a descriptor is only free after a breath.
      await (this.#guard.dropped > dropped ? breatheNow() : breathe());
    }
    await Promise.all([...this.#connections.values(), ...this.#refusing]);
    await this.#context.tls?.front.close();
    await this.#guard[Symbol.asyncDispose]();
  }

  /** `undefined` when there was none: because we are stopping, or because the process has no descriptors left. */
  async #acceptOne(): Promise<Deno.TcpConn | undefined> {
    try {
      const conn = await this.#listener.accept();
      this.#cannotAccept = false;
      return conn;
    } catch (error) {
      if (this.#isStopping) return;
      if (!this.#cannotAccept) this.#logFailure(error); // once, and not every time that it is tried again
      this.#cannotAccept = true;
      this.#guard.makeRoom();
      await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE_MS));
    }
  }

  #take(conn: Deno.TcpConn): void {
    const stream = new TcpStream(conn);
    try {
      conn.setNoDelay(true);
      conn.setKeepAlive(true);
    } catch {
      return stream.close(); // the peer has gone before we could look
    }
    const pass = this.#guard.admit(stream.peer, () => connection.drop());
    if (typeof pass === "string") return this.#refuse(stream, pass);
    const connection = new Connection(this.#guard.throttled(stream), this.#context, pass);
    const served = connection.serve().finally(() => {
      this.#connections.delete(connection);
      this.#guard.ended(connection.describe());
      pass[Symbol.dispose]();
    });
    this.#connections.set(connection, served);
  }

  /** One more connection than is allowed: it is told so, unless a whole crowd has to be. */
  #refuse(stream: TcpStream, reason: ErrorName): void {
    const share = this.#guard.limits.connectionsMax * REFUSING_SHARE;
    if (this.#refusing.size >= Math.min(REFUSING_MAX, Math.max(REFUSING_MIN, share))) return stream.close();
    const refused = sayLastWords(stream, () => refuseOpening(stream, reason))
      .finally(() => this.#refusing.delete(refused));
    this.#refusing.add(refused);
  }

  #logFailure(cause: unknown): void {
    const reason = cause instanceof Error ? cause.message.replace(/ \(os error \d+\)$/, "") : String(cause);
    const record = { time: new Date(), peer: "-", who: "-", request: "accept", name: "", bytes: 0, durationMs: 0 };
    this.#context.log({ ...record, result: "failed", detail: `Cannot accept a connection: ${reason}` });
  }
}

/** A log that throws must not take the request down, nor the server; nor must one that is asynchronous and fails later. */
function guarded(log: Log = NO_LOG): Log {
  if (log === NO_LOG) return log;
  return (record) => {
    try {
      const written: unknown = log(record);
      if (written instanceof Promise) written.catch(() => {}); // there is nowhere left to tell of it
    } catch {
      // There neither.
    }
  };
}

function listen(hostname: string, port: number): Deno.TcpListener {
  try {
    return Deno.listen({ hostname, port, tcpBacklog: BACKLOG });
  } catch (cause) {
    throw listenError(hostname, port, cause);
  }
}

function listenError(hostname: string, port: number, cause: unknown): AppError {
  const failed = `Cannot listen on ${hostname} port ${port}`;
  if (cause instanceof Deno.errors.AddrInUse) {
    const advice = "Stop the program that uses it, or choose another port with --port (0 picks a free one)";
    return new AppError("failed", `${failed}: the port is in use`, { cause, advice });
  }
  if (cause instanceof Deno.errors.PermissionDenied) {
    const advice = "Ports below 1024 need special rights: choose a higher one with --port";
    return new AppError("failed", `${failed}: the operating system does not allow it`, { cause, advice });
  }
  const advice = "Choose an address of this machine with --address, or 0.0.0.0 or :: for all of them";
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new AppError("failed", `${failed}: ${detail.replace(/ \(os error \d+\)$/, "")}`, { cause, advice });
}
