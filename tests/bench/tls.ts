/**
 * One large file, encrypted on its way: beside the bare TLS of the runtime, and what people use over ssh; and how many
 * round trips a first answer takes.
 */
import { Client } from "../../client/mod.ts";
import { type Identity, openIdentity, serve } from "../../server/mod.ts";
import { formatSpeeds, formatTable, type Measured, measureInterleaved, median } from "./measure.ts";
import { startDelay } from "./peers/delay.ts";
import { app } from "./peers/app.ts";
import { appTls } from "./peers/app_tls.ts";
import { bareTls } from "./peers/bare_tls.ts";
import { startPeers } from "./peers/peer.ts";
import { rsyncOverSsh } from "./peers/rsync_ssh.ts";
import { scp } from "./peers/scp.ts";
import { makeYard, type Section } from "./section.ts";

export const tls: Section = {
  name: "tls",
  title: "One large file, encrypted, to a file in memory-backed storage",
  async measure({ rounds, sizeBytes }) {
    using yard = makeYard(sizeBytes);
    await using peers = await startPeers([appTls, bareTls, app, scp, rsyncOverSsh], yard);
    const results: Record<string, Measured[]> = {};
    for (const way of ["get", "put"] as const) {
      results[way] = await measureInterleaved(peers.flatMap((peer) => peer[way] ?? []), rounds);
      console.log(formatSpeeds(`${way}, GB/s`, results[way], sizeBytes, bareTls.name));
    }
    return { ...results, roundTrips: await measureRoundTrips(await openIdentity(`${yard.path}/identity.pem`), rounds) };
  },
};

const ONE_WAY_MS = 25;

/** From the first byte of a connection to the first answer, in round trips. */
async function measureRoundTrips(identity: Identity, rounds: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of ["plain", "encrypted"]) {
    const isEncrypted = name === "encrypted";
    await using server = serve({ root: ".", port: 0, ...(isEncrypted ? { identity } : {}) });
    await using far = startDelay(server.port, ONE_WAY_MS);
    const times: number[] = [];
    for (let round = -1; round < rounds; round++) {
      await using client = new Client({
        host: "127.0.0.1",
        port: far.port,
        ...(isEncrypted ? { key: identity.key } : {}),
      });
      const start = performance.now();
      await client.stat("");
      if (round >= 0) times.push(performance.now() - start); // round -1 pays for what is used for the first time
    }
    counts[name] = median(times) / (2 * ONE_WAY_MS);
  }
  const rows = Object.entries(counts).map(([name, count]) => [name, count.toFixed(2)]);
  console.log(
    formatTable([`first answer over ${2 * ONE_WAY_MS} ms there and back`, "round trips behind the connection"], rows),
  );
  return counts;
}
