/**
 * Time against size: a get of 1 MB, 10 MB, ... up to 10 GB, which must stay linear.
 *
 * The files are sparse on the server, so that the largest fits into memory once more, as what was got.
 */
import { ServerProcess } from "../support/program.ts";
import { formatTable, median } from "./measure.ts";
import { runApp } from "./peers/app.ts";
import { removeIfThere, targets } from "./peers/peer.ts";
import { makeYard, type Section } from "./section.ts";

const SIZES = [1e6, 1e7, 1e8, 1e9, 1e10] as const;

export const growth: Section = {
  name: "growth",
  title: "Growth: a get, by size",
  async measure({ rounds }) {
    using yard = makeYard(0);
    await using server = await ServerProcess.start(`${yard.path}/served`, ["--log", "off"]);
    const results: { sizeBytes: number; seconds: number }[] = [];
    for (const sizeBytes of SIZES) {
      Deno.truncateSync(`${yard.path}/served/big.bin`, sizeBytes);
      const times = [];
      for (let round = -1; round < rounds; round++) { // round -1 warms memory, which is slow at its first use
        removeIfThere(targets(yard).got);
        const start = performance.now();
        await runApp(yard.path, ["get", "127.0.0.1", server.port, "big.bin", "--output", "got.bin"]);
        if (round >= 0) times.push((performance.now() - start) / 1000);
      }
      results.push({ sizeBytes, seconds: median(times) });
    }
    const row = ({ sizeBytes, seconds }: typeof results[number]) => [
      `${sizeBytes / 1e6} MB`,
      seconds.toFixed(3),
      (sizeBytes / seconds / 1e9).toFixed(2),
    ];
    console.log(formatTable(["size", "seconds, median", "GB/s"], results.map(row)));
    return results;
  },
};
