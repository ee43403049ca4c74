/**
 * A TCP proxy between a client and a server, which does harm: it cuts, stalls or flips a bit at a chosen byte, holds
 * the bytes back from there on until it is told to go on, or only tells that this byte has passed, for harm elsewhere.
 *
 * Bytes are counted over all connections, per direction, so "after n bytes" means the same however they are cut up.
 */

export interface Harm {
  /** Which way the bytes go that are counted. */
  readonly direction: "to server" | "to client";
  /** The byte at which it happens. */
  readonly offset: number;
  readonly kind: "cut" | "stall" | "flip" | "hold" | "tell";
  /** For `flip`: which bit. */
  readonly bit?: number;
}

export class HarmfulProxy implements AsyncDisposable {
  readonly port: string;
  /** Resolved when the harm is done: everything before it has been handed on. */
  readonly harmed: Promise<void>;
  /** Connections so far. */
  connections = 0;
  /** Bytes that came so far, each way. */
  readonly counts: Record<Harm["direction"], number> = { "to server": 0, "to client": 0 };
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #target: number;
  readonly #open = new Set<Deno.Conn>();
  readonly #accepting: Promise<void>;
  readonly #pumps = new Set<Promise<void>>();
  #harm: Harm | undefined;
  readonly #tellHarmed: () => void;
  readonly #released = Promise.withResolvers<void>();

  constructor(targetPort: string | number, harm?: Harm) {
    ({ promise: this.harmed, resolve: this.#tellHarmed } = Promise.withResolvers<void>());
    this.#target = Number(targetPort);
    this.#harm = harm;
    this.port = String(this.#listener.addr.port);
    this.#accepting = this.#accept();
  }

  /** Lets go what was held. */
  release(): void {
    this.#released.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
    this.#listener.close();
    this.#closeAll();
    await this.#accepting;
    this.#closeAll(); // one may have been accepted in that moment
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
        const at = this.#offsetOfHarm(count, direction);
        if (at === undefined) await writeAll(to, bytes);
        else if (!await this.#doHarm(bytes, at, to)) return;
      }
      await to.closeWrite();
    } catch {
      this.#close(from); // one side is gone, so the other goes too
      this.#close(to);
    }
  }

  /** Where in the next `count` bytes harm is to be done; `undefined` if nowhere. */
  #offsetOfHarm(count: number, direction: Harm["direction"]): number | undefined {
    const start = this.counts[direction];
    this.counts[direction] += count;
    const harm = this.#harm;
    if (harm?.direction !== direction || harm.offset < start || harm.offset >= start + count) return undefined;
    return harm.offset - start;
  }

  /** Hands `bytes` on as far as the harm at `at` lets them; whether this direction goes on. */
  async #doHarm(bytes: Uint8Array, at: number, to: Deno.Conn): Promise<boolean> {
    const { kind, bit = 0 } = this.#harm!;
    this.#harm = undefined;
    if (kind === "flip") bytes[at]! ^= 1 << bit;
    const before = kind === "flip" || kind === "tell" ? bytes : bytes.subarray(0, at);
    await writeAll(to, before).finally(() => this.#tellHarmed());
    if (kind === "cut") this.#closeAll();
    if (kind === "cut" || kind === "stall") return false;
    if (kind === "hold") await this.#released.promise;
    await writeAll(to, bytes.subarray(before.length));
    return true;
  }

  #closeAll(): void {
    for (const conn of this.#open) this.#close(conn);
  }

  #close(conn: Deno.Conn): void {
    if (!this.#open.delete(conn)) return;
    conn.close();
  }
}

async function writeAll(to: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}
