/** Somebody between a client and its server, or in the server's place: records every byte that comes, and may answer. */

export class Middleman implements AsyncDisposable {
  readonly port: number;
  /** What came from clients, one for each connection. */
  readonly received: Uint8Array[] = [];
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #accepting: Promise<void>;
  readonly #open = new Set<Deno.Conn>();

  /** `answer` is said when something has come; without one, what comes is handed on to `targetPort`, both ways. */
  constructor({ answer, targetPort }: { answer?: Uint8Array | string; targetPort?: number }) {
    this.port = this.#listener.addr.port;
    const words = typeof answer === "string" ? new TextEncoder().encode(answer) : answer;
    this.#accepting = this.#accept((conn) => words ? this.#answer(conn, words) : this.#handOn(conn, targetPort!));
  }

  /** All that came from all clients, as text with one letter for each byte. */
  get heard(): string {
    return this.received.map((bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")).join("");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#open) this.#close(conn);
    await this.#accepting;
  }

  async #accept(meet: (conn: Deno.Conn) => Promise<void>): Promise<void> {
    const meetings: Promise<void>[] = [];
    for await (const conn of this.#listener) {
      this.#open.add(conn);
      meetings.push(meet(conn).catch(() => {}).finally(() => this.#close(conn))); // the client may have gone
    }
    await Promise.all(meetings);
  }

  async #answer(conn: Deno.Conn, words: Uint8Array): Promise<void> {
    const record = this.#recorder();
    for await (const bytes of piecesOf(conn)) {
      if (record(bytes)) await writeAll(conn, words);
    }
  }

  async #handOn(conn: Deno.Conn, port: number): Promise<void> {
    const record = this.#recorder();
    const server = await Deno.connect({ hostname: "127.0.0.1", port });
    this.#open.add(server);
    const back = (async () => {
      for await (const bytes of piecesOf(server)) await writeAll(conn, bytes);
      await conn.closeWrite();
    })().catch(() => {});
    for await (const bytes of piecesOf(conn)) {
      record(bytes);
      await writeAll(server, bytes);
    }
    await server.closeWrite();
    await back;
    this.#close(server);
  }

  /** Keeps what a new connection says; whether that was its first. */
  #recorder(): (bytes: Uint8Array) => boolean {
    const index = this.received.push(new Uint8Array()) - 1;
    return (bytes) => {
      const before = this.received[index]!;
      this.received[index] = Uint8Array.of(...before, ...bytes);
      return before.length === 0;
    };
  }

  #close(conn: Deno.Conn): void {
    if (this.#open.delete(conn)) conn.close();
  }
}

async function* piecesOf(conn: Deno.Conn): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(65_536);
  for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
    yield buffer.slice(0, count);
  }
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}
