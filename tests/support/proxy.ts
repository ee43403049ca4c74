/**
 * A TCP proxy between a client and a server, which does harm: it cuts, stalls or flips a bit at a chosen byte.
 *
 * Bytes are counted over all connections, per direction, so "after n bytes" means the same however they are cut up.
 */

export interface Harm {
  /** Which way the bytes go that are counted. */
  readonly direction: "to server" | "to client";
  /** The byte at which it happens. */
  readonly offset: number;
  readonly kind: "cut" | "stall" | "flip";
  /** For `flip`: which bit. */
  readonly bit?: number;
}

export class HarmfulProxy implements AsyncDisposable {
  readonly port: string;
  /** Resolved when the harm is done: everything before it has been handed on. */
  readonly harmed: Promise<void>;
  /** Connections so far. */
  connections = 0;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #target: number;
  readonly #open = new Set<Deno.Conn>();
  readonly #accepting: Promise<void>;
  readonly #pumps = new Set<Promise<void>>();
  readonly #counts = { "to server": 0, "to client": 0 };
  #harm: Harm | undefined;
  readonly #tellHarmed: () => void;

  constructor(targetPort: string | number, harm?: Harm) {
    ({ promise: this.harmed, resolve: this.#tellHarmed } = Promise.withResolvers<void>());
    this.#target = Number(targetPort);
    this.#harm = harm;
    this.port = String(this.#listener.addr.port);
    this.#accepting = this.#accept();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.#closeAll();
    await this.#accepting;
    await Promise.all(this.#pumps);
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      this.connections++;
      try {
        const server = await Deno.connect({ hostname: "127.0.0.1", port: this.#target });
        [client, server].forEach((conn) => this.#open.add(conn));
        this.#track(this.#pump(client, server, "to server"));
        this.#track(this.#pump(server, client, "to client"));
      } catch {
        client.close(); // the server is not there: neither are we
      }
    }
  }

  #track(pump: Promise<void>): void {
    const tracked = pump.finally(() => this.#pumps.delete(tracked));
    this.#pumps.add(tracked);
  }

  async #pump(from: Deno.Conn, to: Deno.Conn, direction: Harm["direction"]): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
        const bytes = buffer.subarray(0, count);
        const allowed = this.#doHarm(bytes, direction);
        if (allowed === undefined) return;
        for (let at = 0; at < allowed;) at += await to.write(bytes.subarray(at, allowed));
        if (allowed < count) return this.#closeAll();
      }
      await to.closeWrite();
    } catch {
      this.#close(from); // one side is gone, so the other goes too
      this.#close(to);
    }
  }

  /** How many of `bytes` go on; fewer than all means that the connection is cut, `undefined` that it stalls. */
  #doHarm(bytes: Uint8Array, direction: Harm["direction"]): number | undefined {
    const start = this.#counts[direction];
    this.#counts[direction] += bytes.length;
    const harm = this.#harm;
    if (harm?.direction !== direction || harm.offset < start || harm.offset >= start + bytes.length) {
      return bytes.length;
    }
    this.#harm = undefined;
    this.#tellHarmed();
    const at = harm.offset - start;
    if (harm.kind === "cut") return at;
    if (harm.kind === "stall") return undefined;
    bytes[at]! ^= 1 << (harm.bit ?? 0);
    return bytes.length;
  }

  #closeAll(): void {
    for (const conn of this.#open) this.#close(conn);
  }

  #close(conn: Deno.Conn): void {
    if (!this.#open.delete(conn)) return;
    conn.close();
  }
}
