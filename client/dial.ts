/** Connecting: every address of a name in turn, each within the deadline, and then the opening. */
import { AppError } from "../protocol/errors.ts";
import { closeOnAbort, TcpStream } from "../protocol/exchange/byte_stream.ts";
import { watchSilence } from "../protocol/exchange/idle.ts";
import { openAsClient } from "../protocol/exchange/opening.ts";
import type { Session } from "../protocol/exchange/session.ts";
import type { Target } from "./target.ts";

/** Who uses a connection now: how long it may be silent, and what ends it. */
export interface Use {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface DialOptions extends Use {
  readonly target: Target;
  readonly agent: string;
}

/** A session with a server, watched for silence. Dispose it, or `end` it with a goodbye. */
export interface DialedSession extends Disposable {
  readonly session: Session;
  /** From here on, another user's patience and signal count, and not those that it was dialled with. */
  handTo(use: Use): void;
}

/** A stream with a server, watched for silence while `isWaiting`. Dispose it. */
export interface DialedStream extends Disposable {
  readonly stream: TcpStream;
}

/** A connection without any protocol, for the old formats. Throws `not_connected`, or the reason of `signal`. */
export async function dialStream(
  { target, ...use }: Omit<DialOptions, "agent">,
  isWaiting: () => boolean,
): Promise<DialedStream> {
  const stream = new TcpStream(await connect(target, use.timeoutMs, use.signal));
  const held = new DisposableStack();
  held.use(stream);
  held.use(guardStream(stream, use, isWaiting));
  return { stream, [Symbol.dispose]: () => held.dispose() };
}

/**
 * Throws `not_connected` when no connection came about; then `lost`, `idle` or `not_app`, what the server refused the
 * connection for, or the reason of `signal`.
 */
export async function dial(options: DialOptions): Promise<DialedSession> {
  const stream = new TcpStream(await connect(options.target, options.timeoutMs, options.signal));
  const held = new DisposableStack();
  held.use(stream);
  let session: Session | undefined;
  const guard = (use: Use) => guardStream(stream, use, () => session?.isWaiting ?? true);
  let guarded = guard(options);
  held.defer(() => guarded[Symbol.dispose]());
  try {
    ({ session } = await openAsClient(stream, options.agent));
  } catch (error) {
    held.dispose();
    throw error;
  }
  return {
    session,
    handTo(use) {
      guarded[Symbol.dispose]();
      guarded = guard(use);
    },
    [Symbol.dispose]: () => held.dispose(),
  };
}

/** Closes `stream` when `signal` aborts, or nothing comes though `isWaiting`. Dispose what it returns at the end. */
function guardStream(stream: TcpStream, { timeoutMs, signal }: Use, isWaiting: () => boolean): Disposable {
  const held = new DisposableStack();
  held.use(closeOnAbort(stream, signal));
  held.use(watchSilence(stream, { silenceMaxMs: timeoutMs, isWaiting, reason: () => silenceOf(stream, timeoutMs) }));
  return held;
}

/** A connection that was there and fell silent has broken off, however early; but who never spoke may not be app. */
function silenceOf({ peer, bytesRead }: TcpStream, timeoutMs: number): AppError {
  const seconds = timeoutMs / 1000;
  if (bytesRead > 0) return new AppError("idle", `Nothing came from ${peer}, or was taken by it, for ${seconds} s`);
  return new AppError("idle", `${peer} took the connection, but said nothing for ${seconds} s`, {
    advice: "Check that app listens on that port, and run the same command again",
  });
}

/** A connection to the first address that takes one. Throws `not_connected`, or the reason of `signal`. */
async function connect(target: Target, timeoutMs: number, signal?: AbortSignal): Promise<Deno.TcpConn> {
  const addresses = await resolve(target.host);
  const failures: unknown[] = [];
  for (const hostname of addresses) {
    signal?.throwIfAborted();
    try {
      return prepared(await connectWithin(hostname, target.port, timeoutMs, signal));
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (isReset(error)) {
        throw new AppError("lost", `${target.host} took the connection and ended it`, { cause: error });
      }
      failures.push(error);
    }
  }
  const tried = addresses.length === 1 && addresses[0] === target.host ? "" : ` (${addresses.join(", ")})`;
  const reason = failures.map(reasonOf)[0] ?? "it has no address";
  throw new AppError("not_connected", `Cannot connect to ${target.host} port ${target.port}${tried}: ${reason}`, {
    cause: failures[0],
  });
}

function prepared(conn: Deno.TcpConn): Deno.TcpConn {
  try {
    conn.setNoDelay(true);
    conn.setKeepAlive(true);
    return conn;
  } catch (error) {
    conn.close();
    throw error;
  }
}

/** Whether a connection was made, and was gone again before anybody could look at it. */
function isReset(error: unknown): boolean {
  return error instanceof Deno.errors.NotConnected || error instanceof Deno.errors.ConnectionReset;
}

/** All addresses of a name, in the system's order; a literal address needs no look-up, nor the module for it. */
async function resolve(host: string): Promise<string[]> {
  if (/^[\d.]+$/.test(host) || host.includes(":")) return [host];
  const [{ lookup }, { default: process }] = await Promise.all([import("node:dns/promises"), import("node:process")]);
  Object.assign(process, { noDeprecation: true }); // Deno 2.5 would warn the person of something inside its own copy of that module
  try {
    const found = await lookup(host, { all: true, verbatim: true });
    return [...new Set(found.map(({ address }) => address))];
  } catch (cause) {
    throw new AppError("not_connected", `Cannot find the host "${host}"`, {
      cause,
      advice: "Check its spelling, or use its IP address",
    });
  }
}

/** `Deno.connect` takes no signal on all versions: a connection that comes too late is closed when it comes. */
async function connectWithin(
  hostname: string,
  port: number,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Deno.TcpConn> {
  const pending = Deno.connect({ hostname, port });
  const given = Promise.withResolvers<never>();
  const timer = setTimeout(() => given.reject(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs);
  const onAbort = () => given.reject(signal!.reason);
  signal?.addEventListener("abort", onAbort);
  try {
    return await Promise.race([pending, given.promise]);
  } catch (error) {
    pending.then((late) => late.close(), () => {}); // its failure is of no interest any more
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.ConnectionRefused) return "nothing listens there (connection refused)";
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/ \(os error \d+\)$/, "");
}
