/**
 * The listener and the connections that it accepted: starting, counting, stopping.
 *
 * `serve` returns at once. It installs no signal handlers and prints nothing: that is the command's business.
 */
import { AppError } from "../protocol/errors.ts";
import { TcpStream } from "../protocol/exchange/byte_stream.ts";
import type { FileTree } from "../protocol/files/tree.ts";
import { LocalTree } from "../protocol/files/local_tree.ts";
import { SERVER_LIMITS, type ServerLimits } from "../protocol/limits.ts";
import { SERVED_FORMATS, type ServedFormat } from "../protocol/wire/detect.ts";
import { type Access, Connection, type ServerContext } from "./connection.ts";
import type { Greeting } from "./formats/format.ts";
import { type Log, NO_LOG } from "./log.ts";
import { isLoopback } from "./start_lines.ts";
import { CsvStore } from "./records/csv_store.ts";
import type { RecordStore } from "./records/record_store.ts";
import { type Policy, stranger, type StrangerRights } from "./policy.ts";
import { QuickFind } from "./quick_find.ts";
import { refuseOpening, sayLastWords } from "./refusal.ts";

/** How long accepting pauses when the process has no descriptors left. */
const ACCEPT_PAUSE_MS = 50;

/** How many connections are turned away with words at once; the others just end. */
const REFUSING_MAX = 100;

const NO_LINKS: Pick<Access, "redeem"> = {
  redeem: () => Promise.reject(new AppError("link_refused", "This server has no links")),
};

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
  /** Which formats are served. @default all for strangers who may do everything on a loopback address, else only ours */
  formats?: readonly ServedFormat[];
  /** What those are told who greet the server. @default "app" and 42; no number stops it */
  greeting?: Partial<Greeting>;
  limits?: Partial<ServerLimits>;
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
  #isStopping = false;
  #cannotAccept = false;
  readonly #refusing = new Set<Promise<void>>();

  constructor(options: ServeOptions) {
    const { root, address = "127.0.0.1", port = 6000, once = false, signal, links = NO_LINKS } = options;
    const strangers = options.strangers ?? (isLoopback(address) ? "open" : "none");
    const records = options.records ?? new CsvStore({ isBuiltIn: true });
    this.#context = {
      agent: options.agent ?? "app",
      records,
      quickFind: new QuickFind(records),
      tree: typeof root === "string" ? new LocalTree(root) : root,
      policy: {
        readOnly: options.readOnly ?? false,
        allowOverwrite: options.allowOverwrite ?? false,
        allowRemove: options.allowRemove ?? false,
      },
      access: {
        stranger: stranger(strangers),
        redeem: (secret: string, peer: string) => links.redeem(secret, peer),
      },
      limits: { ...SERVER_LIMITS, ...options.limits },
      log: guarded(options.log),
      formats: options.formats ?? (strangers === "open" && isLoopback(address) ? SERVED_FORMATS : ["app"]),
      greeting: { name: "app", number: 42n, closeOnOutOfRange: false, ...options.greeting },
      onDelivered: () => void (once && this.stop()),
      stop: () => void this.stop(),
    };
    this.#listener = listen(address, port);
    const bound = this.#listener.addr as Deno.NetAddr;
    this.address = bound.hostname;
    this.port = bound.port;
    this.finished = this.#accept();
    signal?.addEventListener("abort", () => this.stop(), { once: true });
    if (signal?.aborted) this.stop();
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
    for (const connection of this.#connections.keys()) connection.stop();
  }

  async #accept(): Promise<void> {
    while (!this.#isStopping) {
      const conn = await this.#acceptOne();
      if (conn) this.#take(conn);
    }
    await Promise.all([...this.#connections.values(), ...this.#refusing]);
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
    if (this.#connections.size >= this.#context.limits.connectionsMax) return this.#refuse(stream);
    const connection = new Connection(stream, this.#context);
    const served = connection.serve().finally(() => this.#connections.delete(connection));
    this.#connections.set(connection, served);
  }

  /** One more connection than is allowed: it is told so, unless a whole crowd has to be. */
  #refuse(stream: TcpStream): void {
    if (this.#refusing.size >= REFUSING_MAX) return stream.close();
    const refused = sayLastWords(stream, () => refuseOpening(stream, "too_many_connections"))
      .finally(() => this.#refusing.delete(refused));
    this.#refusing.add(refused);
  }

  #logFailure(cause: unknown): void {
    const reason = cause instanceof Error ? cause.message.replace(/ \(os error \d+\)$/, "") : String(cause);
    const record = { time: new Date(), peer: "-", request: "accept", name: "", bytes: 0, durationMs: 0 };
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
    return Deno.listen({ hostname, port });
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
