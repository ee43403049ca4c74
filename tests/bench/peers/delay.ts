/** A network that is far away: a proxy that hands everything on, each way, only after a while. */

export interface FarAway extends AsyncDisposable {
  readonly port: number;
}

/** Hands what comes to `target` on, and what comes back, `oneWayMs` later. */
export function startDelay(target: number, oneWayMs: number): FarAway {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  const accepting = (async () => {
    for await (const near of listener) {
      const far = await Deno.connect({ hostname: "127.0.0.1", port: target });
      for (const conn of [near, far]) {
        conn.setNoDelay(true);
        open.add(conn);
      }
      void carry(near, far, oneWayMs);
      void carry(far, near, oneWayMs);
    }
  })();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      open.forEach((conn) => conn.close());
      await accepting;
    },
  };
}

async function carry(from: Deno.Conn, to: Deno.Conn, delayMs: number): Promise<void> {
  let sent: Promise<unknown> = Promise.resolve();
  const later = (send: () => Promise<unknown>) => {
    const due = new Promise((resolve) => setTimeout(resolve, delayMs));
    sent = Promise.all([sent, due]).then(send).catch(() => {}); // one side may be closed by then
  };
  try {
    const buffer = new Uint8Array(65_536);
    for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
      const bytes = buffer.slice(0, count);
      later(() => to.write(bytes));
    }
    later(() => to.closeWrite());
  } catch {
    // Closed at the end of the bench.
  }
}
