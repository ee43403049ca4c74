/**
 * Hostile clients against the real process, and an honest one beside them: it is served, and the process stays as it
 * was. A tenth of each crowd in the gate, which asserts service; `deno task faults` sends all of them, and prints how
 * much of its speed the honest client keeps, beside the same crowd at a sink that does nothing.
 */
import { Client } from "../../client/mod.ts";
import { Random, SEED } from "../support/random.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { ServerProcess, temporaryDirectory } from "../support/program.ts";
import { assertNoDefect } from "../e2e/bad_input/refusals.ts";
import { formatTable } from "../bench/measure.ts";
import { type Service, useServer } from "./honest.ts";

const IS_FULL = Deno.env.get("FAULTS") === "full";
const SHARE = IS_FULL ? 1 : 10;
const USE_MS = IS_FULL ? 1_200 : 200;
const ROUNDS = IS_FULL ? 3 : 1;
const MEBIBYTE = 1_048_576;
const MEMORY_MAX_BYTES = 300 * MEBIBYTE;
const LOG_LINES_MAX = 400;

interface Crowd {
  readonly what: string;
  readonly kind: string;
  readonly count: number;
  readonly through?: readonly string[];
}

const FEW_FILES = ["sh", "-c", 'ulimit -n 256 && exec "$@"', "sh"];

const CROWDS: readonly Crowd[] = [
  { what: "say nothing", kind: "silent", count: 1_000 },
  { what: "send a byte a second", kind: "trickle", count: 200 },
  { what: "never read their answer", kind: "deaf", count: 200 },
  { what: "end in the middle of their opening", kind: "half", count: 200 },
  { what: "come and go", kind: "storm", count: 50 },
  { what: "send compressed bombs", kind: "bomb", count: 20 },
  { what: "announce 2^53 bytes and call it off", kind: "huge", count: 20 },
  { what: "say nothing, more than there are descriptors", kind: "silent", count: 4_000, through: FEW_FILES },
];

/** Another program of `attacker.ts`, as polite as a process can be. */
class Attacker implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #rest: Promise<unknown>;
  /** What it said when it was ready. */
  readonly said: string;

  private constructor(child: Deno.ChildProcess, said: string, reader: ReadableStreamDefaultReader<string>) {
    this.#child = child;
    this.said = said;
    this.#rest = (async () => {
      while (!(await reader.read()).done);
    })();
  }

  static async start(...args: string[]): Promise<Attacker> {
    const program = new URL("attacker.ts", import.meta.url).pathname;
    const child = new Deno.Command("nice", {
      args: ["-n", "19", Deno.execPath(), "run", "--quiet", "-A", "--no-check", program, ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let said = "";
    while (!said.includes("\n")) {
      const { value, done } = await reader.read();
      assert(!done, `the attacker ended: ${args}`);
      said += value;
    }
    return new Attacker(child, said, reader);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stdin.close().catch(() => {});
    await this.#child.status;
    await this.#rest;
  }
}

const rows: string[][] = [];

for (const crowd of CROWDS) {
  Deno.test({
    name: `an honest client is served beside ${crowd.count} that ${crowd.what}`,
    ignore: Deno.build.os !== "linux",
    fn: () => withstand(crowd),
  });
}

async function withstand({ what, kind, count, through }: Crowd): Promise<void> {
  using shared = temporaryDirectory();
  const bytes = new Random(SEED).bytes(4 * MEBIBYTE);
  Deno.writeFileSync(`${shared.path}/file`, bytes);
  Deno.writeFileSync(`${shared.path}/big`, new Uint8Array());
  Deno.truncateSync(`${shared.path}/big`, 256 * MEBIBYTE);
  await using server = await ServerProcess.start(shared.path, ["--allow-remove"], through ? { through } : {});
  await using sink = await Attacker.start("sink", "0", "0");
  const port = Number(server.port);
  const lanes = String(Math.ceil(count / SHARE));
  const use = () => useServer(port, "file", bytes, USE_MS);
  await use(); // warms caches
  const [calm, stormy]: [Service[], Service[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    {
      await using _elsewhere = await Attacker.start(kind, sink.said.split(" ")[1]!.trim(), lanes);
      calm.push(await use());
    }
    await using _here = await Attacker.start(kind, server.port, lanes);
    stormy.push(await use());
    await assertTakesPuts(port);
  }
  assert(peakMemoryBytes(server.pid) < MEMORY_MAX_BYTES, `its memory went up to ${peakMemoryBytes(server.pid)} bytes`);
  await use();
  assertEquals(Array.from(Deno.readDirSync(shared.path), ({ name }) => name).sort(), ["big", "file"]);
  const { code, log } = await server.stop();
  assertEquals(code, 0);
  assertNoDefect(log);
  const refusals = log.split("\n").filter((line) => !/ done$|^$/.test(line));
  assert(refusals.length < LOG_LINES_MAX, `${refusals.length} lines of refusals`);
  report(what, calm, stormy);
}

/** What a crowd leaves takes no room for others. */
async function assertTakesPuts(port: number): Promise<void> {
  await using client = new Client({ host: "127.0.0.1", port }, { retries: 0 });
  await client.makeDirectory("new");
  assertEquals((await client.stat("new")).kind, "directory");
  const names = (await Array.fromAsync(client.list(""))).flatMap(({ entries }) => entries.map(({ name }) => name));
  assertEquals(names, ["big", "file", "new"]);
  await client.remove("new");
}

function peakMemoryBytes(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)![1]) * 1024;
}

/** Times depend on the machine: they are told, and not asserted. */
function report(what: string, calm: readonly Service[], stormy: readonly Service[]): void {
  const best = (services: readonly Service[], pick: (service: Service) => number) =>
    [...services].map(pick).sort((a, b) => a - b)[Math.floor(services.length / 2)]!;
  const speed = ({ megabytesPerSecond }: Service) => megabytesPerSecond;
  rows.push([
    what,
    best(stormy, speed).toFixed(0),
    (best(stormy, speed) / best(calm, speed)).toFixed(2),
    ...[calm, stormy].flatMap((services) =>
      [({ pingMedian }: Service) => pingMedian, ({ pingP99 }: Service) => pingP99]
        .map((pick) => best(services, pick).toFixed(2))
    ),
  ]);
}

Deno.test("what hostile clients cost an honest one", () => {
  const head = [
    "clients that",
    "MB/s beside them",
    "of that beside a sink",
    "ping p50, sink",
    "p99, sink",
    "p50",
    "p99",
  ];
  console.log(formatTable(head, rows));
});
