/**
 * kill -9 of a server while clients add countries: no row is torn, and none that was acknowledged is lost.
 *
 * The kill comes behind the n-th acknowledgement, when the next additions of four clients are under way.
 */
import { Client } from "../../client/mod.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { ServerProcess, temporaryDirectory } from "../support/program.ts";
import { recordsFolder } from "../records/records_folder.ts";
import { playRounds, type Round, type RoundResult } from "./rounds.ts";

const NAME = "no addition is torn or lost by kill -9 of the server";
const ROUNDS = 100;
const WRITERS = 4;

Deno.test(NAME, () => playRounds({ name: NAME, rounds: ROUNDS, open: () => Promise.resolve(stage()), play }));

function stage() {
  const folder = recordsFolder("Country,Capital,Population\n");
  const shared = temporaryDirectory();
  return {
    folder,
    shared: shared.path,
    [Symbol.asyncDispose]() {
      folder[Symbol.dispose]();
      shared[Symbol.dispose]();
      return Promise.resolve();
    },
  };
}

async function play({ folder, shared }: ReturnType<typeof stage>, round: Round): Promise<RoundResult> {
  const killAfter = round.random.below(30);
  round.describe({ killAfter });
  const before = await rowsOf(folder);
  const server = await ServerProcess.start(shared, ["--data", folder.file, "--log", "off"]);
  const acknowledged: string[] = [];
  const enough = Promise.withResolvers<void>();
  const writers = Array.from({ length: WRITERS }, async (_, writer) => {
    await using client = new Client({ host: "127.0.0.1", port: Number(server.port) }, { retries: 0 });
    for (let index = 0;; index++) {
      const country = `Land ${round.number} ${writer} ${index}`;
      const isStored = await client.add({ country, capital: `Town of ${country}` }).then(() => true, () => false);
      if (!isStored) return;
      acknowledged.push(country);
      if (acknowledged.length > killAfter) enough.resolve();
    }
  });
  await enough.promise;
  await server.stop("SIGKILL");
  await Promise.all(writers);

  const text = folder.read();
  const isTorn = !text.endsWith("\n");
  const after = await rowsOf(folder);
  for (const country of acknowledged) assertEquals(after.get(country), `Town of ${country}`);
  for (const [country, capital] of after) assertEquals(capital, `Town of ${country}`);
  for (const country of before.keys()) assert(after.has(country), `${country} is gone`);
  assertEquals(folder.faults, []);
  const unacknowledged = after.size - before.size - acknowledged.length;
  return { kind: "kill -9", counted: [isTorn ? "torn" : "whole", `${unacknowledged} stored and not acknowledged`] };
}

/** The rows as a store reads them: country and capital of each line. */
async function rowsOf(folder: ReturnType<typeof recordsFolder>): Promise<Map<string, string>> {
  const store = folder.store();
  const rows = new Map<string, string>();
  for (const [, country] of folder.read().matchAll(/^"([^"]*)",/gm)) {
    const record = await store.find(country!);
    if (record) rows.set(record.country, record.capital);
  }
  return rows;
}
