/**
 * How long a ping on another connection waits while one client puts and one gets a large file.
 *
 * Beside it, in turn, pings of a second server that has nothing to do: what they take, the machine's scheduler takes.
 */
import { openAsClient } from "../../protocol/exchange/opening.ts";
import { TcpStream } from "../../protocol/exchange/byte_stream.ts";
import { crc32 } from "../../protocol/wire/crc32.ts";
import { ByteWriter } from "../../protocol/wire/fields.ts";
import { FrameDecoder } from "../../protocol/wire/frame.ts";
import { encodeMessage } from "../../protocol/wire/messages/mod.ts";
import { ServerProcess } from "../support/program.ts";
import { formatTable, median } from "./measure.ts";
import { runApp } from "./peers/app.ts";
import { removeIfThere, targets, type Yard } from "./peers/peer.ts";
import { makeYard, type Section } from "./section.ts";

/** Before each ping. */
const PAUSE_MS = 2;
const IDLE_PINGS = 1_000;

export const latency: Section = {
  name: "latency",
  title: "A ping beside a put and a get of a large file",
  async measure({ rounds, sizeBytes }) {
    using yard = makeYard(sizeBytes);
    await using server = await ServerProcess.start(`${yard.path}/served`, ["--log", "off"]);
    await using neighbour = await ServerProcess.start(`${yard.path}/served`, ["--log", "off"]);
    using pinger = await Pinger.connect(server.port);
    using neighbourPinger = await Pinger.connect(neighbour.port);
    const idle: number[] = [];
    while (idle.length < IDLE_PINGS) idle.push(await pinger.ping());
    const busy: number[] = [];
    const beside: number[] = [];
    const alone: number[] = [];
    const withPings: number[] = [];
    await transferBoth(yard, server.port); // warms memory and caches
    for (let round = 0; round < rounds; round++) {
      alone.push(await transferBoth(yard, server.port));
      let isOver = false;
      const transfers = transferBoth(yard, server.port).finally(() => isOver = true);
      while (!isOver) {
        busy.push(await pinger.ping());
        beside.push(await neighbourPinger.ping());
      }
      withPings.push(await transfers);
    }
    const kept = median(alone) / median(withPings);
    const pings = [
      rowOf("nothing else to do", idle),
      rowOf("beside a put and a get", busy),
      rowOf("of an idle server, meanwhile", beside),
    ];
    console.log(formatTable(["ping, ms", "pings", "p50", "p99", "longest"], pings));
    console.log(formatTable(["put and get at once", "seconds, median"], [
      ["without pings", median(alone).toFixed(2)],
      ["with pings", median(withPings).toFixed(2)],
      ["speed kept", kept.toFixed(2)],
    ]));
    const quantiles = { idle: quantilesOf(idle), busy: quantilesOf(busy), beside: quantilesOf(beside) };
    return { ...quantiles, alone, withPings, kept };
  },
};

/** A put and a get at once, by two processes; in seconds, until both are done. */
async function transferBoth(yard: Yard, port: string): Promise<number> {
  const { got, stored } = targets(yard);
  [got, stored].forEach(removeIfThere);
  const start = performance.now();
  await Promise.all([
    runApp(yard.path, ["get", "127.0.0.1", port, "big.bin", "--output", "got.bin"]),
    runApp(yard.path, ["put", "127.0.0.1", port, "big.bin", "--as", "put.bin"]),
  ]);
  return (performance.now() - start) / 1000;
}

function quantilesOf(times: readonly number[]): { p50: number; p99: number; longest: number } {
  const sorted = [...times].sort((a, b) => a - b);
  const quantile = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!;
  return { p50: quantile(0.5), p99: quantile(0.99), longest: quantile(1) };
}

function rowOf(name: string, times: readonly number[]): string[] {
  const { p50, p99, longest } = quantilesOf(times);
  return [name, String(times.length), ...[p50, p99, longest].map((ms) => ms.toFixed(2))];
}

/** A session that does nothing but ping. */
class Pinger implements Disposable {
  readonly #stream: TcpStream;
  readonly #decoder = new FrameDecoder(crc32);

  private constructor(stream: TcpStream) {
    this.#stream = stream;
  }

  static async connect(port: string): Promise<Pinger> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
    conn.setNoDelay(true);
    const stream = new TcpStream(conn);
    const { session } = await openAsClient(stream, "bench");
    await session.flush();
    return new Pinger(stream);
  }

  /** How long one ping took, in ms. */
  async ping(): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    const start = performance.now();
    const writer = new ByteWriter();
    encodeMessage({ type: "ping", id: 1 }, writer, crc32);
    await this.#stream.write(writer.written());
    while (!this.#decoder.next()) {
      const count = await this.#stream.read(this.#decoder.room());
      if (count === null) throw new Error("The server closed the connection of the pings");
      this.#decoder.filled(count);
    }
    return performance.now() - start;
  }

  [Symbol.dispose](): void {
    this.#stream.close();
  }
}
