/** One large file got and put, beside the tools that people use instead; and what flushing costs on a disk. */
import { startApp } from "../support/program.ts";
import { formatSpeeds, formatTable, type Measured, measureInterleaved, median } from "./measure.ts";
import { app } from "./peers/app.ts";
import { cp } from "./peers/cp.ts";
import { nc } from "./peers/nc.ts";
import { nginx } from "./peers/nginx.ts";
import { removeIfThere, startPeers, targets, type Yard } from "./peers/peer.ts";
import { rsync } from "./peers/rsync.ts";
import { scp } from "./peers/scp.ts";
import { ServerProcess } from "../support/program.ts";
import { makeYard, type Section, type Settings } from "./section.ts";

const REFERENCE = rsync.name;

export const largeFile: Section = {
  name: "large",
  title: "One large file, verified, to a file in memory-backed storage",
  async measure(settings) {
    const { rounds, sizeBytes } = settings;
    using yard = makeYard(sizeBytes);
    await using peers = await startPeers([app, rsync, nginx, nc, scp, cp], yard);
    const results: Record<string, Measured[]> = {};
    for (const way of ["get", "put"] as const) {
      results[way] = await measureInterleaved(peers.flatMap((peer) => peer[way] ?? []), rounds);
      console.log(formatSpeeds(`${way}, GB/s`, results[way], sizeBytes, REFERENCE));
    }
    return results;
  },
};

export const flush: Section = {
  name: "flush",
  title: "What flushing costs: a put to a disk",
  async measure({ rounds, sizeBytes }: Settings) {
    using yard = makeYard(sizeBytes, Deno.env.get("TMPDIR") ?? "/tmp");
    await using server = await ServerProcess.start(`${yard.path}/served`, ["--log", "off"]);
    const times = [];
    for (let round = 0; round < rounds; round++) times.push(await timePut(yard, server.port));
    const wholeSeconds = median(times.map(({ wholeSeconds }) => wholeSeconds));
    const flushSeconds = median(times.map(({ flushSeconds }) => flushSeconds));
    console.log(formatTable(["put to a disk", "seconds, median"], [
      ["all of it", wholeSeconds.toFixed(2)],
      ["of that, flushing", flushSeconds.toFixed(2)],
    ]));
    return { wholeSeconds, flushSeconds };
  },
};

/** One put; its flush lasts from the event that announces it to the end. */
async function timePut(yard: Yard, port: string): Promise<{ wholeSeconds: number; flushSeconds: number }> {
  removeIfThere(targets(yard).stored);
  const start = performance.now();
  const child = startApp(["put", "127.0.0.1", port, "big.bin", "--as", "put.bin", "--json"], {
    cwd: `${yard.path}/local`,
  });
  const [flushingAt] = await Promise.all([firstFlushing(child.stdout), child.stdin.close(), child.stderr.cancel()]);
  const { success } = await child.status;
  if (!success || flushingAt === undefined) throw new Error("The put to the disk failed");
  const end = performance.now();
  return { wholeSeconds: (end - start) / 1000, flushSeconds: (end - flushingAt) / 1000 };
}

async function firstFlushing(stdout: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<number | undefined> {
  let flushingAt: number | undefined;
  for await (const text of stdout.pipeThrough(new TextDecoderStream())) {
    if (text.includes('"flushing"')) flushingAt ??= performance.now();
  }
  return flushingAt;
}
