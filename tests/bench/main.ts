/**
 * `deno task bench [SECTION...] [--size 2GiB] [--rounds 5] [--executable PATH]`: speed and memory, beside the tools that
 * people use instead, each section in one interleaved run. Needs Linux. Prints tables, writes
 * bench-results/latest.json, asserts nothing.
 *
 * `app` is here what executables are made of, run by the Deno that runs the bench.
 */
// @ts-types="../../protocol/cli/std_parse_args.d.ts"
import { parseArgs } from "@std/cli/parse-args";
import { parseSize } from "../../protocol/cli/format.ts";
import { drive } from "../support/program.ts";
import { growth } from "./growth.ts";
import { idleConnections } from "./idle_connections.ts";
import { delta } from "./delta.ts";
import { flush, largeFile } from "./large_file.ts";
import { latency } from "./latency.ts";
import { lookups } from "./lookups.ts";
import { describeMachine } from "./measure.ts";
import { memory } from "./memory.ts";
import { moved } from "./moved.ts";
import type { Settings } from "./section.ts";
import { slow } from "./slow.ts";
import { startup } from "./startup.ts";
import { tls } from "./tls.ts";
import { sameTrees, treeGrowth, trees } from "./trees.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

const SECTIONS = [
  largeFile,
  tls,
  flush,
  memory,
  startup,
  idleConnections,
  latency,
  lookups,
  growth,
  trees,
  sameTrees,
  treeGrowth,
  slow,
  delta,
  moved,
];

const { _: wanted, ...options } = parseArgs(Deno.args, { string: ["_", "size", "rounds", "executable"] }) as
  & { _: string[] }
  & Record<"size" | "rounds" | "executable", string | undefined>;
const settings: Settings = {
  sizeBytes: parseSize(options.size ?? "2GiB") ?? fail(`Not a size: ${options.size}`),
  rounds: Number(options.rounds ?? 5),
  executable: options.executable,
};
const unknown = wanted.filter((name) => !SECTIONS.some((section) => section.name === name));
if (unknown.length > 0) fail(`No such section: ${unknown}; there are ${SECTIONS.map(({ name }) => name).join(", ")}`);

bundle();
const machine = describeMachine();
console.log(JSON.stringify({ machine, settings }, null, 1));
const results: Record<string, unknown> = {};
for (const section of SECTIONS) {
  if (wanted.length > 0 && !wanted.includes(section.name)) continue;
  console.log(`\n### ${section.title}\n`);
  results[section.name] = await section.measure(settings);
}
Deno.mkdirSync("bench-results", { recursive: true });
Deno.writeTextFileSync("bench-results/latest.json", JSON.stringify({ machine, settings, results }, null, 1) + "\n");
console.log("\nWritten to bench-results/latest.json");

function bundle(): void {
  const { success } = new Deno.Command(Deno.execPath(), { args: ["task", "bundle"], cwd: ROOT }).outputSync();
  if (!success) fail("`deno task bundle` failed");
  drive([Deno.execPath(), "run", "--quiet", "-A", `${ROOT}dist/bundle/main.js`]);
}

function fail(message: string): never {
  console.error(message);
  Deno.exit(2);
}
