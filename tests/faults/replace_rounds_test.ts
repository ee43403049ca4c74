/**
 * Replacing a file that changed in places, between real processes, over a connection that is cut, stalls or loses a bit,
 * and with kill -9 of either side at any byte: the old or the new file is there, whole, and the next run completes it.
 */
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import { equalBytes } from "../../protocol/exchange/proof.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { names } from "../support/names_in.ts";
import { ServerProcess, startApp, temporaryDirectory } from "../support/program.ts";
import { type Harm, HarmfulProxy } from "../support/proxy.ts";
import { Random } from "../support/random.ts";
import { playRounds, type Round, type RoundResult } from "./rounds.ts";
import { Transfer } from "./transfer.ts";

const KINDS = ["cut", "stall", "flip", "kill server", "kill client"] as const;
const NEW = new Random(21).bytes(12 * BLOCK_BYTES + 5_000);
const MTIME = new Date(1_700_000_000_123);

interface ReplaceStage extends AsyncDisposable {
  readonly path: string;
  readonly served: string;
  server: ServerProcess;
}

for (const way of ["put", "get"] as const) {
  const name =
    `a ${way} that replaces a changed file and is broken off leaves the old one, and the next one completes it`;
  Deno.test(
    name,
    () => playRounds({ name, rounds: 60, open: openStage, play: (stage, round) => play(stage, round, way) }),
  );
}

function startServer(served: string): Promise<ServerProcess> {
  return ServerProcess.start(served, ["--log", "off", "--allow-overwrite"]);
}

async function openStage(): Promise<ReplaceStage> {
  const directory = temporaryDirectory();
  const served = `${directory.path}/served`;
  Deno.mkdirSync(served);
  Deno.mkdirSync(`${directory.path}/local`);
  const stage: ReplaceStage = {
    path: directory.path,
    served,
    server: await startServer(served),
    async [Symbol.asyncDispose]() {
      await stage.server[Symbol.asyncDispose]();
      directory[Symbol.dispose]();
    },
  };
  return stage;
}

async function play(stage: ReplaceStage, round: Round, way: "put" | "get"): Promise<RoundResult> {
  const local = `${stage.path}/local`;
  const [from, to] = way === "put" ? [local, stage.served] : [stage.served, local];
  const old = editedRandomly(round.random);
  for (const path of [from, to]) {
    for (const name of names(path)) Deno.removeSync(`${path}/${name}`);
    Deno.writeFileSync(`${path}/file`, path === from ? NEW : old);
  }
  Deno.utimeSync(`${from}/file`, MTIME, MTIME);
  const kind = KINDS[round.number % KINDS.length]!;
  const harm = drawHarm(round.random, way, kind);
  round.describe({ kind, harm });
  const code = await runHarmed(stage, way, kind, harm);
  const there = Deno.readFileSync(`${to}/file`);
  const isNew = equalBytes(there, NEW);
  assert(isNew || code !== 0 && equalBytes(there, old), `exit code ${code}, and what is there is neither old nor new`);
  if (kind === "kill server") stage.server = await startServer(stage.served);
  const completed = await start(stage, way, stage.server.port, []).outcome;
  assertEquals(completed.code, 0, completed.stdout + completed.stderr);
  assert(equalBytes(Deno.readFileSync(`${to}/file`), NEW), "the next run left something else");
  assertEquals([names(to), Deno.statSync(`${to}/file`).mtime], [["file"], MTIME]);
  const { resumedBytes } = JSON.parse(completed.stdout.trimEnd().split("\n").at(-1)!);
  return { kind, counted: [`exit ${code}`, resumedBytes > 0 ? "then resumed" : "then anew"] };
}

/** `NEW` as it may have been: some blocks of it otherwise, and shorter or longer. */
function editedRandomly(random: Random): Uint8Array {
  const old = new Uint8Array(NEW.length + (random.below(3) - 1) * random.below(3 * BLOCK_BYTES));
  old.set(NEW.subarray(0, old.length));
  for (let edits = random.below(8); edits > 0; edits--) {
    const at = random.below(old.length - BLOCK_BYTES);
    old.set(random.bytes(random.below(BLOCK_BYTES)), at);
  }
  return old;
}

/** Mostly in the direction of the data, and within the first megabytes: how many travel is another matter each time. */
function drawHarm(random: Random, way: "put" | "get", kind: typeof KINDS[number]): Harm {
  const isOfData = random.below(5) > 0;
  const direction = (way === "put") === isOfData ? "to server" : "to client";
  const offset = random.below(isOfData && random.below(4) > 0 ? 4 * BLOCK_BYTES : 500);
  return { kind: kind.startsWith("kill") ? "tell" : kind as Harm["kind"], direction, offset, bit: random.below(8) };
}

async function runHarmed(stage: ReplaceStage, way: "put" | "get", kind: string, harm: Harm): Promise<number> {
  await using proxy = new HarmfulProxy(stage.server.port, harm);
  const transfer = start(stage, way, proxy.port, ["--retries", "0", "--timeout", "1"]);
  await Promise.race([proxy.harmed, transfer.outcome]);
  if (kind === "kill server") await stage.server.stop("SIGKILL");
  if (kind === "kill client") transfer.kill();
  return (await transfer.outcome).code;
}

function start(stage: ReplaceStage, way: "put" | "get", port: string, more: readonly string[]): Transfer {
  const words = [way, "127.0.0.1", port, "file", "--if-exists", "replace", "--json", ...more];
  return new Transfer(startApp(words, { cwd: `${stage.path}/local` }));
}
