/**
 * A link that is slow and far away, as a process of its own: hands on what comes, each way, no faster than its rate, and
 * after its delay. All connections share the rate.
 *
 *     slow_link_program.ts LISTEN_HOST TARGET_HOST TARGET_PORT BYTES_A_SECOND ONE_WAY_MS      (0 bytes: no limit)
 *
 * Prints its port.
 */
const [listenHost, targetHost, targetPort, rate, oneWayMs] = Deno.args as [string, string, string, string, string];
const bytesPerMs = Number(rate) / 1000 || Infinity;
const delayMs = Number(oneWayMs);
const PIECE_BYTES = 16_384;
/** What is under way, and waits for its turn, at most: it is a cable with a router. */
const QUEUE_BYTES_MAX = bytesPerMs === Infinity ? 4_194_304 : delayMs * bytesPerMs + 262_144;

interface Direction {
  /** When the last bit that came will have gone. */
  freeAtMs: number;
}

class Queue {
  readonly #pieces: { bytes: Uint8Array; dueMs: number }[] = [];
  #queuedBytes = 0;
  #hasEnded = false;
  #changed = Promise.withResolvers<void>();

  async add(bytes: Uint8Array, dueMs: number): Promise<void> {
    this.#pieces.push({ bytes, dueMs });
    this.#queuedBytes += bytes.length;
    this.#change();
    while (this.#queuedBytes > QUEUE_BYTES_MAX) await this.#changed.promise;
  }

  end(): void {
    this.#hasEnded = true;
    this.#change();
  }

  async next(): Promise<Uint8Array | undefined> {
    while (this.#pieces.length === 0) {
      if (this.#hasEnded) return;
      await this.#changed.promise;
    }
    const { bytes, dueMs } = this.#pieces.shift()!;
    const waitMs = dueMs - performance.now();
    if (waitMs > 0.5) await new Promise((resolve) => setTimeout(resolve, waitMs));
    this.#queuedBytes -= bytes.length;
    this.#change();
    return bytes;
  }

  #change(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }
}

async function carry(from: Deno.Conn, to: Deno.Conn, direction: Direction): Promise<void> {
  const queue = new Queue();
  const writing = write(queue, to);
  const buffer = new Uint8Array(PIECE_BYTES);
  for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
    direction.freeAtMs = Math.max(direction.freeAtMs, performance.now()) + count / bytesPerMs;
    await queue.add(buffer.slice(0, count), direction.freeAtMs + delayMs);
  }
  queue.end();
  await writing;
}

async function write(queue: Queue, to: Deno.Conn): Promise<void> {
  for (let bytes = await queue.next(); bytes; bytes = await queue.next()) {
    for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
  }
  await to.closeWrite();
}

const listener = Deno.listen({ hostname: listenHost, port: 0 });
console.log(listener.addr.port);
const there: Direction = { freeAtMs: 0 };
const back: Direction = { freeAtMs: 0 };
for await (const near of listener) {
  near.setNoDelay(true);
  const far = await Deno.connect({ hostname: targetHost, port: Number(targetPort) });
  far.setNoDelay(true);
  const close = () => [near, far].forEach((conn) => conn.close());
  Promise.all([carry(near, far, there), carry(far, near, back)]).catch(() => {}).finally(() => {
    try {
      close();
    } catch {
      // One of them is closed already.
    }
  });
}
