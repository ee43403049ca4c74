/**
 * Connecting: every address of a name in turn, each within the deadline; then TLS, where the server's key is known; and
 * then the opening. Where no key is known, a server that speaks only TLS tells its own, which is remembered for the
 * next time: from then on nothing is said to that server in plain any more.
 */
import { AppError } from "../protocol/errors.ts";
import { closeOnAbort, TcpStream } from "../protocol/exchange/byte_stream.ts";
import { type CompressChoice, offeredCompressions } from "../protocol/compressions.ts";
import { watchSilence } from "../protocol/exchange/idle.ts";
import { beginSession, type ClientOpening, exchangeOpenings } from "../protocol/exchange/opening.ts";
import type { Session } from "../protocol/exchange/session.ts";
import { parseKey } from "../protocol/tls/key.ts";
import type { KnownHosts } from "./known_hosts.ts";
import { type Use, withPatience } from "./patience.ts";
import { formatTarget, type Target } from "./target.ts";
import type { KnownKey } from "./tls.ts";

/** What a client trusts. */
export interface Trust {
  /** Asked for the keys of targets that have none, and told of new ones. @default none: only plain connections */
  readonly knownHosts?: KnownHosts | undefined;
  /** Speak only with servers whose key is known. @default false */
  readonly isStrict?: boolean | undefined;
}

export interface DialOptions extends Use, Trust {
  readonly target: Target;
  readonly agent: string;
  /** Whether what is moved is compressed, where that pays and the server can. @default "auto": not on loopback */
  readonly compress?: CompressChoice | undefined;
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

/**
 * A connection without any protocol, for the old formats. Throws `not_connected`, the reason of `signal`, and
 * `tls_required` or `unknown_host` where plain words are not for that server.
 */
export async function dialStream(
  { target, ...use }: Omit<DialOptions, "agent">,
  isWaiting: () => boolean,
): Promise<DialedStream> {
  const known = await knownKeyOf({ target, ...use });
  if (known) {
    throw new AppError("tls_required", `Cannot speak an old format with ${formatTarget(target)}: none is encrypted`, {
      advice: "Its key is known, so only our own format is for it: use a command without --wire",
    });
  }
  if (use.isStrict) throw unknownHost(target, "and the old formats know none");
  const stream = new TcpStream(await connect(target, use));
  const held = new DisposableStack();
  held.use(stream);
  held.use(guardStream(stream, use, isWaiting));
  return { stream, [Symbol.dispose]: () => held.dispose() };
}

/**
 * Throws `not_connected` when no connection came about; `wrong_key` and `unknown_host`; then `lost`, `idle` or `not_app`,
 * what the server refused the connection for, or the reason of `signal`.
 */
export async function dial(options: DialOptions): Promise<DialedSession> {
  const { target, knownHosts, isStrict } = options;
  const known = await knownKeyOf(options);
  const opened = await open(options, known);
  const { refused, key } = opened.opening.abilities;
  const told = known === undefined && refused === "tls_required" ? key : undefined;
  if (told === undefined && (known || refused || !isStrict)) return begin(opened, options);
  opened[Symbol.dispose]();
  if (told === undefined) throw unknownHost(target, "and it tells none");
  const fingerprint = await (await import("../protocol/tls/fingerprint.ts")).fingerprintOf(told);
  if (isStrict) throw unknownHost(target, `and it tells ${fingerprint}`);
  if (!knownHosts) throw new AppError("tls_required", `${formatTarget(target)} only speaks TLS, with ${fingerprint}`);
  const which = `the key that it told (${fingerprint})`;
  return begin(await open(options, { key: told, which }, () => knownHosts.remember(target, told)), options);
}

function unknownHost(target: Target, detail: string): AppError {
  return new AppError("unknown_host", `The key of ${formatTarget(target)} is not known here, ${detail}`);
}

/** That of the target itself, or the one that is remembered. */
async function knownKeyOf({ target, knownHosts }: Pick<DialOptions, "target" | "knownHosts">) {
  if (target.key !== undefined) return { key: target.key, which: "the key of the link" };
  return await knownHosts?.keyOf(target);
}

/** A connection on which both sides have said their opening lines. */
interface Opened extends Disposable {
  readonly stream: TcpStream;
  readonly opening: ClientOpening;
  guard(use: Use, isWaiting: () => boolean): void;
}

/** Connects, inside TLS where there is a key; `onProven` comes between its proof and our first word. */
async function open(
  options: DialOptions,
  known: KnownKey | undefined,
  onProven: () => Promise<void> = () => Promise.resolve(),
): Promise<Opened> {
  const { target, agent } = options;
  if (known) parseKey(known.key); // throws before anybody is met
  const plain = await connect(target, options);
  const conn = known ? await (await import("./tls.ts")).secure(plain, target, known, options) : plain;
  const stream = new TcpStream(conn);
  let guarded = guardStream(stream, options, () => true);
  const dispose = () => {
    guarded[Symbol.dispose]();
    stream.close();
  };
  try {
    if (known) await onProven();
    const { secret } = known ? target : {};
    const compress = offeredCompressions(options.compress ?? "auto", stream.peer);
    const opening = await exchangeOpenings(stream, {
      agent,
      ...(compress === undefined ? {} : { compress }),
      ...(secret === undefined ? {} : { secret }),
    });
    return {
      stream,
      opening,
      guard(use, isWaiting) {
        guarded[Symbol.dispose]();
        guarded = guardStream(stream, use, isWaiting);
      },
      [Symbol.dispose]: dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

function begin(opened: Opened, options: DialOptions): DialedSession {
  try {
    const session = beginSession(opened.stream, opened.opening);
    const handTo = (use: Use) => opened.guard(use, () => session.isWaiting);
    handTo(options);
    const dispose = () => {
      session.close();
      opened[Symbol.dispose]();
    };
    return { session, handTo, [Symbol.dispose]: dispose };
  } catch (error) {
    opened[Symbol.dispose]();
    throw error;
  }
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
async function connect(target: Target, use: Use): Promise<Deno.TcpConn> {
  const { signal } = use;
  const addresses = await resolve(target.host);
  const failures: unknown[] = [];
  for (const hostname of addresses) {
    signal?.throwIfAborted();
    try {
      return prepared(await connectWithin(hostname, target.port, use));
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
async function connectWithin(hostname: string, port: number, use: Use): Promise<Deno.TcpConn> {
  const pending = Deno.connect({ hostname, port });
  try {
    return await withPatience(pending, use, () => new Error(`no answer within ${use.timeoutMs / 1000} s`));
  } catch (error) {
    pending.then((late) => late.close(), () => {}); // its failure is of no interest any more
    throw error;
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.ConnectionRefused) return "nothing listens there (connection refused)";
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/ \(os error \d+\)$/, "");
}
