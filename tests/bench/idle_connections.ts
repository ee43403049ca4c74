/** What a connection costs the server that is open, has answered one request, and says nothing. */
import { Client } from "../../client/mod.ts";
import { memoryOf } from "../support/process.ts";
import { ServerProcess } from "../support/program.ts";
import { formatTable } from "./measure.ts";
import { makeYard, type Section } from "./section.ts";

const CONNECTIONS = 500;

export const idleConnections: Section = {
  name: "idle",
  title: `Memory of the server for ${CONNECTIONS} idle connections`,
  async measure({ rounds }) {
    const rows = [];
    for (let round = 0; round < rounds; round++) rows.push(await measureOnce());
    rows.sort((a, b) => a - b);
    const kilobytes = (bytes: number | undefined) => (bytes! / 1000).toFixed(0);
    const middle = rows[Math.floor(rows.length / 2)];
    console.log(formatTable(["KB each, median", "least - most"], [
      [kilobytes(middle), `${kilobytes(rows[0])} - ${kilobytes(rows.at(-1))}`],
    ]));
    return { bytesEach: rows };
  },
};

/** Bytes for each connection, over what the server held after it had served the first. */
async function measureOnce(): Promise<number> {
  using yard = makeYard(1_000);
  await using server = await ServerProcess.start(`${yard.path}/served`, ["--log", "off"]);
  await using open = new AsyncDisposableStack();
  const connect = async () => {
    await open.use(new Client({ host: "127.0.0.1", port: Number(server.port) })).stat("big.bin");
  };
  await connect();
  const before = memoryOf(server.pid, "VmRSS")!;
  for (let count = 0; count < CONNECTIONS; count++) await connect();
  return (memoryOf(server.pid, "VmRSS")! - before) / CONNECTIONS;
}
