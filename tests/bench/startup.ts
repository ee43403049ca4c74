/** A whole process for one file of 1 KB: what a script pays that calls `app` often. */
import { formatTimes, measureInterleaved } from "./measure.ts";
import { app } from "./peers/app.ts";
import { nginx } from "./peers/nginx.ts";
import { removeIfThere, run, startPeers, targets } from "./peers/peer.ts";
import { rsync } from "./peers/rsync.ts";
import { scp } from "./peers/scp.ts";
import { ServerProcess } from "../support/program.ts";
import { makeYard, type Section } from "./section.ts";

/** Starting a process takes so little time that more rounds are needed, and affordable. */
const ROUNDS_FACTOR = 5;
const REFERENCE = "deno eval 0";
const MAIN = new URL("../../main.ts", import.meta.url).pathname;

export const startup: Section = {
  name: "startup",
  title: "A whole process: get of 1 KB",
  async measure({ rounds, executable }) {
    using yard = makeYard(1_000);
    await using peers = await startPeers([app, nginx, rsync, scp], yard);
    const bare = { name: REFERENCE, run: () => run(Deno.execPath(), ["eval", "0"]) };
    await using server = await ServerProcess.start(`${yard.path}/served`, ["--log", "off"]);
    const { got } = targets(yard);
    const getWith = (name: string, command: string, words: readonly string[]) => ({
      name,
      prepare: () => removeIfThere(got),
      run: () => run(command, [...words, "get", "127.0.0.1", server.port, "big.bin", "--output", got, "--quiet"]),
    });
    const fromSource = getWith("app, from source", Deno.execPath(), ["run", "--quiet", "-A", MAIN]);
    const contenders = [bare, ...peers.flatMap((peer) => peer.get ?? []), fromSource];
    if (executable) contenders.push(getWith("app, packaged", executable, []));
    else console.log("missing: a packaged app (--executable PATH)");
    const results = await measureInterleaved(contenders, rounds * ROUNDS_FACTOR);
    console.log(formatTimes("whole process, ms", results, REFERENCE));
    return results;
  },
};
