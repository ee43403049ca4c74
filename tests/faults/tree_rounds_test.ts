/**
 * Push and pull of a tree, between real processes, over a connection that is cut, stalls or loses a bit, and with kill -9
 * of either side at any byte: every file is as it was before or as it is to be, never anything else, and the next run
 * makes the trees equal.
 */
import { assert, assertEquals } from "../support/assert.ts";
import { ServerProcess, startApp, temporaryDirectory } from "../support/program.ts";
import { type Harm, HarmfulProxy } from "../support/proxy.ts";
import { describeTop, describeTree, editRandomly, makeRandomTree } from "../support/random_tree.ts";
import { HANDSHAKE_BYTES, KnownServer } from "./known_server.ts";
import { playRounds, type Round, type RoundResult } from "./rounds.ts";
import { Transfer } from "./transfer.ts";

const KINDS = ["cut", "stall", "flip", "kill server", "kill client"] as const;

/** A directory on each side, and a server of one of them. */
interface TreeStage extends AsyncDisposable {
  readonly path: string;
  readonly served: string;
  /** Where they encrypt. */
  readonly known: KnownServer | undefined;
  server: ServerProcess;
  start(): Promise<ServerProcess>;
}

for (const way of ["push", "pull"] as const) {
  for (const [where, rounds, makeKnown] of [["", 100, undefined], [" inside TLS", 40, KnownServer.make]] as const) {
    const name = `a ${way}${where} that is broken off leaves nothing half, and the next one completes it`;
    const open = async () => openStage(await makeKnown?.());
    Deno.test(name, () => playRounds({ name, rounds, open, play: (stage, round) => play(stage, round, way) }));
  }
}

async function openStage(known: KnownServer | undefined): Promise<TreeStage> {
  const directory = temporaryDirectory();
  const path = directory.path;
  const served = `${path}/served`;
  Deno.mkdirSync(served);
  const words = ["--log", "off", "--allow-overwrite", "--allow-remove", ...known?.serverWords ?? []];
  const start = () => ServerProcess.start(served, words);
  const stage: TreeStage = {
    path,
    served,
    known,
    server: await start(),
    start,
    async [Symbol.asyncDispose]() {
      await stage.server[Symbol.asyncDispose]();
      known?.[Symbol.dispose]();
      directory[Symbol.dispose]();
    },
  };
  return stage;
}

async function play(stage: TreeStage, round: Round, way: "push" | "pull"): Promise<RoundResult> {
  const { random } = round;
  const [from, to] = way === "push"
    ? [`${stage.path}/local`, `${stage.served}/tree`]
    : [`${stage.served}/tree`, `${stage.path}/local`];
  for (const path of [from, to]) if (isThere(path)) Deno.removeSync(path, { recursive: true });
  makeRandomTree(random, from, 20 + random.below(100));
  await copy(from, to);
  editRandomly(random, from, 60);
  const before = describeTree(to);
  const wanted = describeTree(from);
  const kind = KINDS[round.number % KINDS.length]!;
  const harm = await drawHarm(stage, round, way, kind, to);
  round.describe({ kind, harm });
  const code = await runHarmed(stage, way, kind, harm);
  const there = describeTree(to);
  if (code === 0) assertEquals(there, wanted, "it said that it was done");
  for (const [name, facts] of Object.entries(there)) {
    if (name.endsWith("/")) continue; // times of directories are set at the end
    const isKnown = facts === before[name] || facts === wanted[name] || bytesOf(facts) === bytesOf(wanted[name]);
    assert(isKnown, `${name} is ${facts}, neither ${before[name]} nor ${wanted[name]}`);
  }
  assertNothingLost(before, wanted, there);
  if (kind === "kill server") stage.server = await stage.start();
  const completed = await run(stage, way, stage.server.port, []);
  assertEquals(completed.code, 0, completed.stderr);
  assertEquals(describeTree(to), wanted, "the next run");
  assertEquals(describeTop(to), describeTop(from), "the directory itself");
  return { kind, counted: [`exit ${code}`] };
}

/** Somewhere in what a run without harm says, which is measured with one that changes nothing there. */
async function drawHarm(
  stage: TreeStage,
  { random }: Round,
  way: "push" | "pull",
  kind: typeof KINDS[number],
  to: string,
): Promise<Harm> {
  await using proxy = new HarmfulProxy(stage.server.port);
  const kept = `${stage.path}/kept`;
  await copy(to, kept);
  const { code, stderr } = await run(stage, way, proxy.port, []);
  assertEquals(code, 0, stderr);
  Deno.removeSync(to, { recursive: true });
  await copy(kept, to);
  Deno.removeSync(kept, { recursive: true });
  const direction = random.below(3) > 0 === (way === "push") ? "to server" : "to client";
  const offset = random.below(proxy.counts[direction]);
  return { direction, offset, kind: kind.startsWith("kill") ? "tell" : kind as Harm["kind"], bit: random.below(8) };
}

async function runHarmed(stage: TreeStage, way: "push" | "pull", kind: string, harm: Harm): Promise<number> {
  await using proxy = new HarmfulProxy(stage.server.port, harm);
  const transfer = start(stage, way, proxy.port, ["--timeout", "1", "--retries", "0"]);
  if (kind.startsWith("kill")) {
    await Promise.race([proxy.harmed, transfer.outcome]);
    if (kind === "kill client") transfer.kill();
    else await stage.server.stop("SIGKILL");
  }
  const { code, stderr } = await transfer.outcome;
  const wasOther = stage.known !== undefined && harm.kind === "flip" && harm.offset < HANDSHAKE_BYTES;
  assert([0, 1, 4, 137].includes(code) || code === 3 && wasOther, `exit ${code}: ${stderr}`);
  return code;
}

function start(stage: TreeStage, way: "push" | "pull", port: string, more: readonly string[]): Transfer {
  const words = way === "push" ? [`${stage.path}/local`, "tree"] : ["tree", `${stage.path}/local`];
  const all = [way, "127.0.0.1", port, ...words, "--delete", "--max-delete", "1000", "-q", ...more];
  return new Transfer(startApp(all, { env: stage.known?.envAt(port) ?? {} }));
}

function run(stage: TreeStage, way: "push" | "pull", port: string, more: readonly string[]) {
  return start(stage, way, port, more).outcome;
}

async function copy(from: string, to: string): Promise<void> {
  const { success } = await new Deno.Command("cp", { args: ["-a", from, to] }).output();
  assert(success);
}

/** What only has another name is under one of the two at any time; what a directory stood in the way of comes last. */
function assertNothingLost(before: Facts, wanted: Facts, there: Facts): void {
  const contents = new Set(Object.values(there).map(bytesOf));
  const goes = (name: string) => wanted[name] === undefined && wanted[`${name}/`] === undefined && !name.endsWith("/");
  for (const [name, facts] of Object.entries(before).filter(([name]) => goes(name))) {
    const isMoved = (to: string) => bytesOf(wanted[to]) === bytesOf(facts) && before[`${to}/`] === undefined;
    if (Object.keys(wanted).some(isMoved)) assert(contents.has(bytesOf(facts)), `the content of ${name} is gone`);
  }
}

type Facts = Readonly<Record<string, string>>;

/** Without time and bits, which may still be set. */
function bytesOf(facts: string | undefined): string | undefined {
  return facts?.replace(/^\d+ \d+ /, "");
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
