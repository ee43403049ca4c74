/** A server in this process over a temporary directory, and ways to speak with it: as a client, and byte by byte. */
import { Client } from "../../client/mod.ts";
import type { ClientOptions } from "../../client/mod.ts";
import { TcpStream } from "../../protocol/exchange/byte_stream.ts";
import { openAsClient } from "../../protocol/exchange/opening.ts";
import type { Session } from "../../protocol/exchange/session.ts";
import { type LogRecord, serve, type ServeOptions, type Server } from "../../server/mod.ts";
import { assert } from "../support/assert.ts";
import { temporaryDirectory } from "../support/program.ts";

/** Waits this long for what must come, so that a test fails instead of hanging. */
const PATIENCE_MS = 10_000;

export interface Served extends AsyncDisposable {
  readonly server: Server;
  readonly port: number;
  /** The shared directory. */
  readonly root: string;
  /** One for every line that a log would have. */
  readonly records: LogRecord[];
  /** A client with no patience for retries, unless `options` say otherwise; dispose it. */
  client(options?: ClientOptions): Client;
}

/** Serves a new directory with `files` on a free port of 127.0.0.1. */
export function startServed(
  files: Readonly<Record<string, string | Uint8Array>> = {},
  options: Omit<ServeOptions, "root" | "port" | "log"> = {},
): Served {
  const directory = temporaryDirectory();
  for (const [name, content] of Object.entries(files)) {
    const path = `${directory.path}/${name}`;
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    Deno.writeFileSync(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
  }
  const records: LogRecord[] = [];
  const server = serve({ root: directory.path, port: 0, log: (record) => records.push(record), ...options });
  return {
    server,
    port: server.port,
    root: directory.path,
    records,
    client: (clientOptions = {}) =>
      new Client({ host: "127.0.0.1", port: server.port }, { retries: 0, retryWaitMs: 0, ...clientOptions }),
    async [Symbol.asyncDispose]() {
      server.stopNow();
      await soon(server.finished, "the end of the server");
      directory[Symbol.dispose]();
    },
  };
}

/** `promise`, or a failure that names what did not come. */
export async function soon<T>(promise: Promise<T>, what: string, patienceMs = PATIENCE_MS): Promise<T> {
  const tooLate = Promise.withResolvers<never>();
  const timer = setTimeout(() => tooLate.reject(new Error(`it took too long: ${what}`)), patienceMs);
  try {
    return await Promise.race([promise, tooLate.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** A connection without any protocol. */
export class RawConnection implements Disposable {
  readonly #conn: Deno.TcpConn;
  #isOpen = true;

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  static async open(port: number): Promise<RawConnection> {
    return new RawConnection(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  async write(content: string | Uint8Array): Promise<void> {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  /** Ends our side. */
  async end(): Promise<void> {
    await this.#conn.closeWrite();
  }

  /** Everything up to the end, as text. */
  async readAll(): Promise<string> {
    return new TextDecoder().decode(await this.readBytes());
  }

  async readBytes(patienceMs?: number): Promise<Uint8Array> {
    const pieces: number[] = [];
    const buffer = new Uint8Array(65_536);
    for (;;) {
      const count = await soon(this.#conn.read(buffer), "the end of the connection", patienceMs);
      if (count === null) return Uint8Array.from(pieces);
      pieces.push(...buffer.subarray(0, count));
    }
  }

  /** The next `count` bytes. */
  async readExactly(count: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count;) {
      const more = await soon(this.#conn.read(bytes.subarray(at)), `${count} bytes`);
      assert(more !== null, `the connection ended after ${at} of ${count} bytes`);
      at += more;
    }
    return bytes;
  }

  /** The next line, without its end. */
  async readLine(): Promise<string> {
    const byte = new Uint8Array(1);
    let line = "";
    while (await soon(this.#conn.read(byte), "a line") !== null && byte[0] !== 10) {
      line += String.fromCharCode(byte[0]!);
    }
    return line;
  }

  [Symbol.dispose](): void {
    if (this.#isOpen) this.#conn.close();
    this.#isOpen = false;
  }
}

/** Sends `content` on a new connection, ends our side, and reads the whole answer. */
export async function exchange(port: number, content: string | Uint8Array): Promise<string> {
  using conn = await RawConnection.open(port);
  await conn.write(content);
  await conn.end();
  return await conn.readAll();
}

/** A session that the test drives message by message. */
export async function openSession(port: number): Promise<{ session: Session; stream: TcpStream } & Disposable> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay(true); // as the client does: otherwise what comes in two pieces takes 40 ms
  const stream = new TcpStream(conn);
  const { session } = await openAsClient(stream, "test");
  return { session, stream, [Symbol.dispose]: () => stream.close() };
}

/** The next message, which must be of that type. */
export async function receive(session: Session, type: string) {
  const message = await soon(session.receive(), type);
  assert(message.type === type, `"${message.type}" came instead of "${type}": ${JSON.stringify(message)}`);
  return message;
}
