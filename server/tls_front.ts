/**
 * TLS on a port that speaks other things, too. The runtime can begin TLS only on connections of a TLS listener; so each
 * connection that begins with TLS is handed on, byte by byte, to a listener of our own on this machine, and served as
 * what comes out of that. Nobody else gets anything from that listener: what did not come from here is closed at once,
 * though the runtime keeps such a connection open until its other end begins TLS or goes.
 *
 * Each end, half end and reset is carried over: a stream without TLS's own mark of its end is an error inside.
 */
import { AppError } from "../protocol/errors.ts";
import { type ByteStream, TcpStream } from "../protocol/exchange/byte_stream.ts";
import { watchSilence } from "../protocol/exchange/idle.ts";
import { CLIENT_HELLO_BYTES_MAX } from "../protocol/limits.ts";
import { CERTIFICATE_NAME } from "../protocol/tls/certificate.ts";
import { type AlertName, encodeAlert, judgeClientHello } from "../protocol/tls/client_hello.ts";
import type { Identity } from "./identity.ts";
import { sayLastWords } from "./refusal.ts";
import { type Joined, joinStreams } from "./tls_pump.ts";

const LOOPBACK = "127.0.0.1";
/** How long accepting pauses when the process has no descriptors left. */
const ACCEPT_PAUSE_MS = 50;
/** Connections that may have come before we know whether they are ours. */
const UNSORTED_MAX = 1_000;
/** A client that takes nothing for so long, though we have closed the connection, loses what it did not take. */
const TAKEN_WITHIN_MS = 1_000;

let isWarm = false;

/** A connection that has become an encrypted one. */
export interface Secured {
  /** What is said inside. */
  readonly stream: TcpStream;
  /** To be called when `stream` is closed: resolved when the client has what was said last, or takes nothing more. */
  finish(): Promise<void>;
}

export class TlsFront {
  readonly #listener: Deno.TlsListener;
  readonly #accepting: Promise<void>;
  /** Who waits for the far end of a connection, by the port of its near end. */
  readonly #expected = new Map<number, (conn: Deno.TlsConn) => void>();
  /** What came while somebody was still connecting, and so may be theirs. */
  readonly #unsorted = new Map<number, Deno.TlsConn>();
  readonly #warmedUp: Promise<void>;
  #connecting = 0;
  #isClosed = false;

  constructor({ certificatePem, privateKeyPem }: Identity) {
    this.#listener = Deno.listenTls({ hostname: LOOPBACK, port: 0, cert: certificatePem, key: privateKeyPem });
    this.#accepting = this.#accept();
    this.#warmedUp = isWarm ? Promise.resolve() : this.#warmUp(certificatePem);
    isWarm = true;
  }

  /** Takes no more connections; those that there are go on. */
  async close(): Promise<void> {
    await this.#warmedUp;
    this.#isClosed = true;
    this.#listener.close();
    await this.#accepting;
  }

  /**
   * Makes `outer`, which is at the first byte of TLS, an encrypted connection. Throws `malformed` or `unsupported` after
   * having said so in TLS, and `lost`.
   */
  async secure(outer: ByteStream): Promise<Secured> {
    const hello = await readHello(outer);
    const { near, far } = await this.#pair();
    const joined = joinStreams(outer, near, hello);
    const stream = new TcpStream(far, outer);
    const secured = { stream, finish: () => finish(outer, near, joined) };
    try {
      await far.handshake();
      return secured;
    } catch (cause) {
      stream.close();
      await secured.finish();
      const detail = cause instanceof Error ? cause.message : String(cause);
      throw new AppError("lost", `TLS did not come about: ${detail}`, { cause });
    }
  }

  /** A handshake with ourselves: the first one in a process takes 40 ms, for which the first client would wait. */
  async #warmUp(certificatePem: string): Promise<void> {
    try {
      const { conn, far } = await this.#connect();
      using near = await Deno.startTls(conn, { hostname: CERTIFICATE_NAME, caCerts: [certificatePem] });
      using served = await far;
      await Promise.all([near.handshake(), served.handshake()]);
    } catch {
      // Then the first client waits.
    }
  }

  /** Both ends of a new connection on this machine. */
  async #pair(): Promise<{ near: TcpStream; far: Deno.TlsConn }> {
    const { conn, far } = await this.#connect();
    return { near: new TcpStream(conn), far: await far };
  }

  async #connect(): Promise<{ conn: Deno.TcpConn; far: Promise<Deno.TlsConn> }> {
    const { hostname, port } = this.#listener.addr as Deno.NetAddr;
    this.#connecting++;
    try {
      const conn = await Deno.connect({ hostname, port });
      conn.setNoDelay(true);
      return { conn, far: this.#farEndOf((conn.localAddr as Deno.NetAddr).port) };
    } catch (cause) {
      throw new AppError("failed", `Cannot begin TLS: ${cause instanceof Error ? cause.message : cause}`, { cause });
    } finally {
      // Not before ours is taken out of them.
      if (--this.#connecting === 0) this.#closeUnsorted();
    }
  }

  #farEndOf(port: number): Promise<Deno.TlsConn> {
    const there = this.#unsorted.get(port);
    this.#unsorted.delete(port);
    return there ? Promise.resolve(there) : new Promise((resolve) => this.#expected.set(port, resolve));
  }

  async #accept(): Promise<void> {
    while (!this.#isClosed) {
      try {
        this.#sort(await this.#listener.accept());
      } catch {
        if (!this.#isClosed) await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE_MS));
      }
    }
    this.#closeUnsorted();
  }

  #sort(conn: Deno.TlsConn): void {
    const { hostname, port } = conn.remoteAddr as Deno.NetAddr;
    if (hostname !== (this.#listener.addr as Deno.NetAddr).hostname) return conn.close(); // ours come from there
    const resolve = this.#expected.get(port);
    this.#expected.delete(port);
    if (resolve) return resolve(conn);
    this.#unsorted.get(port)?.close();
    if (this.#connecting > 0 && this.#unsorted.size < UNSORTED_MAX) this.#unsorted.set(port, conn);
    else conn.close();
  }

  #closeUnsorted(): void {
    this.#unsorted.forEach((conn) => conn.close());
    this.#unsorted.clear();
  }
}

/** The client's first message, whole. Throws when it is none of TLS 1.3, after having told the client. */
async function readHello(outer: ByteStream): Promise<Uint8Array> {
  const bytes = new Uint8Array(CLIENT_HELLO_BYTES_MAX);
  for (let length = 0, needed = 1;;) {
    while (length < needed) {
      const count = await outer.read(bytes.subarray(length));
      if (count === null) throw new AppError("lost", "The connection ended inside the first message of TLS");
      length += count;
    }
    const verdict = judgeClientHello(bytes.subarray(0, length));
    if (verdict === "good") return bytes.subarray(0, length);
    if (typeof verdict === "number" && verdict <= bytes.length) needed = verdict;
    else throw await refuse(outer, typeof verdict === "number" ? "decode_error" : verdict);
  }
}

/** Tells the client in TLS; the error for the log. */
async function refuse(outer: ByteStream, alert: AlertName): Promise<AppError> {
  await sayLastWords(outer, () => outer.write(encodeAlert(alert)));
  return alert === "protocol_version"
    ? new AppError("unsupported", "The client speaks no TLS 1.3")
    : new AppError("malformed", "The first message of TLS cannot be read");
}

async function finish(outer: ByteStream, near: ByteStream, { toClient, toServer }: Joined): Promise<void> {
  const reason = () => new AppError("idle", `Nothing was taken for ${TAKEN_WITHIN_MS} ms`);
  using _watch = watchSilence(outer, { silenceMaxMs: TAKEN_WITHIN_MS, isWaiting: () => false, reason });
  await toClient;
  outer.close();
  near.close();
  await toServer;
}
