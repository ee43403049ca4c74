/** Servers that break off, lie, or say nothing: each connection is given to a script. */
import { QuietReader } from "../../protocol/exchange/quiet_reader.ts";
import { TcpStream } from "../../protocol/exchange/byte_stream.ts";
import { openAsServer, readFirstBytes } from "../../protocol/exchange/opening.ts";
import type { Session } from "../../protocol/exchange/session.ts";
import { AppError } from "../../protocol/errors.ts";
import { parseOpening } from "../../protocol/wire/opening.ts";

export interface FakeServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** How many connections there were. */
  readonly connections: number;
}

/** Accepts connections and gives each to `script`, with its number from 0 on; closes it when that ends. */
export function startFakeServer(script: (conn: Deno.TcpConn, number: number) => Promise<void>): FakeServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const running = new Set<Promise<void>>();
  const conns = new Set<Deno.TcpConn>();
  const failures: unknown[] = [];
  let connections = 0;
  const close = (conn: Deno.TcpConn) => conns.delete(conn) && conn.close();
  const accepting = (async () => {
    for await (const conn of listener) {
      conns.add(conn);
      conn.setNoDelay(true); // as the server does: otherwise what comes in pieces takes 40 ms
      const end = script(conn, connections++).catch((error) => isGone(error) || failures.push(error));
      running.add(end.then(() => void close(conn)));
    }
  })();
  return {
    host: "127.0.0.1",
    port: (listener.addr as Deno.NetAddr).port,
    get connections() {
      return connections;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      conns.forEach(close);
      await Promise.all(running);
      if (failures.length > 0) throw failures[0];
    },
  };
}

/** The same, after both openings and `hello`. `session.nextRequest()` gives the requests. */
export function startFakeSessions(script: (session: Session, number: number) => Promise<void>): FakeServer {
  return startFakeServer(async (conn, number) => {
    const stream = new TcpStream(new Borrowed(conn) as unknown as Deno.Conn);
    const first = await readFirstBytes(new QuietReader(stream));
    if (!first) return;
    const opening = parseOpening(first.line);
    if (opening.kind !== "abilities") throw new Error(`the client asked in words: ${first.line}`);
    const options = { agent: "fake", requestsAheadMax: 10 };
    const { session, hello } = await openAsServer(stream, first, opening.abilities, options);
    await hello();
    await script(session, number);
    await session.flush();
  });
}

/** A server that answers each request with what `answer` sends. */
export function answering(answer: (session: Session) => void | Promise<void>): FakeServer {
  return startFakeSessions(async (session) => {
    while (await session.nextRequest()) await answer(session);
  });
}

/** A server that says `text`, whatever it is told. */
export function answeringText(text: string): FakeServer {
  return startFakeServer(async (conn) => {
    await conn.write(new TextEncoder().encode(text));
    await conn.closeWrite();
    await untilEnd(conn);
  });
}

/** Sends `bytes` as data of a transfer. */
export async function sendData(session: Session, bytes: Uint8Array): Promise<void> {
  const buffer = new Uint8Array(bytes.length + 9);
  buffer.set(bytes, 5);
  await session.sendData(buffer, bytes.length);
}

/** Waits until the client has gone. */
export async function untilEnd(conn: Deno.TcpConn): Promise<void> {
  const sink = new Uint8Array(16_384);
  while (await conn.read(sink) !== null);
}

/** A connection that somebody else closes. */
class Borrowed {
  readonly #conn: Deno.TcpConn;
  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }
  get remoteAddr() {
    return this.#conn.remoteAddr;
  }
  read(into: Uint8Array) {
    return this.#conn.read(into);
  }
  write(bytes: Uint8Array) {
    return this.#conn.write(bytes);
  }
  closeWrite() {
    return this.#conn.closeWrite();
  }
  close() {}
}

/** A script fails when its client, or the test, closes the connection: that is how most of them end. */
function isGone(error: unknown): boolean {
  if (error instanceof AppError && error.code === "lost") return true;
  const gone = [Deno.errors.BadResource, Deno.errors.ConnectionReset, Deno.errors.BrokenPipe, Deno.errors.Interrupted];
  return gone.some((type) => error instanceof type);
}
