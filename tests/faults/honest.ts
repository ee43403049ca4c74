/** An honest client beside others: what it asks for comes, and how long that takes. */
import { Client } from "../../client/mod.ts";
import { crc32 } from "../../protocol/wire/crc32.ts";
import { openSession, receive } from "../server/served.ts";
import { assertEquals } from "../support/assert.ts";

const PING_PAUSE_MS = 2;

/** What an honest client had in some time. */
export interface Service {
  readonly megabytesPerSecond: number;
  /** In ms. */
  readonly pingMedian: number;
  readonly pingP99: number;
}

/** Gets `name`, whose content is `bytes`, time and again, and pings after that, for `ms` each, and at least twice. */
export async function useServer(port: number, name: string, bytes: Uint8Array, ms: number): Promise<Service> {
  const start = performance.now();
  let gets = 0;
  for (; gets < 2 || performance.now() - start < ms; gets++) await getOnce(port, name, bytes);
  const seconds = (performance.now() - start) / 1000;
  const pings = (await pingFor(port, ms)).sort((a, b) => a - b);
  const quantile = (part: number) => pings[Math.min(pings.length - 1, Math.floor(part * pings.length))]!;
  return {
    megabytesPerSecond: gets * bytes.length / seconds / 1e6,
    pingMedian: quantile(0.5),
    pingP99: quantile(0.99),
  };
}

/** On a connection of its own each time, as a command does it. */
async function getOnce(port: number, name: string, expected: Uint8Array): Promise<void> {
  using opened = await openSession(port);
  const { session } = opened;
  session.send({ type: "get", name, eager: true });
  await receive(session, "offer");
  let [crc, sizeBytes] = [0, 0];
  for (let message = await session.receive(); message.type === "data"; message = await session.receive()) {
    crc = crc32(message.bytes, crc);
    sizeBytes += message.bytes.length;
  }
  assertEquals([sizeBytes, crc], [expected.length, crc32(expected)]);
  session.send({ type: "stored", sizeBytes, crc });
  await session.end();
}

async function pingFor(port: number, ms: number): Promise<number[]> {
  await using client = new Client({ host: "127.0.0.1", port }, { retries: 0 });
  const start = performance.now();
  const times: number[] = [];
  while (times.length < 2 || performance.now() - start < ms) {
    times.push(await client.ping());
    await new Promise((resolve) => setTimeout(resolve, PING_PAUSE_MS));
  }
  return times;
}
