/**
 * `deno task demo`: a server in a temporary directory, then list, get, put, and a get that is killed and goes on.
 *
 * Prints each command as a person would type it and what it really printed. Ends with exit code 0 only if everything
 * was as promised, and leaves nothing behind, whatever happens.
 */
import { formatSize } from "../protocol/cli/format.ts";
import { ServerProcess, startApp, temporaryDirectory } from "./support/program.ts";

const FIXTURES = new URL("../fixtures/files/", import.meta.url);
const BIG_NAME = "film.bin";
const BIG_BYTES = 300_000_000;
/** The get is killed once this much has come. */
const KILL_AT_BYTES = 50_000_000;
const CHUNK_BYTES = 1_000_000;
const POLL_MS = 2;
const WAIT_MAX_MS = 15_000;

/** The commands under way. */
const RUNNING = new Set<Deno.ChildProcess>();

/** Something was not as promised. */
class BrokenPromise extends Error {}

async function demo(directory: string, interrupted: Promise<never>): Promise<void> {
  Deno.mkdirSync(`${directory}/photos`);
  Deno.copyFileSync(new URL("img.jpg", FIXTURES), `${directory}/photos/img.jpg`);
  Deno.copyFileSync(new URL("apple.jpg", FIXTURES), `${directory}/apple.jpg`);
  writeBigFile(`${directory}/photos/${BIG_NAME}`);

  say("# One machine shares a directory; --port 0 picks a free port.");
  say("$ app serve photos --port 0");
  await using server = await ServerProcess.start("photos", [], { cwd: directory });
  server.startLines.forEach(say);
  await Promise.race([interrupted, useServer(server, directory)]);
}

async function useServer(server: ServerProcess, directory: string): Promise<void> {
  const { port } = server;
  const app = (...args: string[]) => show(args, directory);

  say("\n# Another one lists, gets and puts.");
  const listed = await app("list", "127.0.0.1", port);
  promise(listed.stdout === `${BIG_NAME}\nimg.jpg\n`, "the list does not have the two files that are shared");
  await app("get", "127.0.0.1", port, "img.jpg");
  verifySame(`${directory}/img.jpg`, `${directory}/photos/img.jpg`);
  await app("put", "127.0.0.1", port, "apple.jpg");
  verifySame(`${directory}/photos/apple.jpg`, `${directory}/apple.jpg`);

  say("\n# A get of 300 MB is killed on its way (kill -9).");
  const get = ["get", "127.0.0.1", port, BIG_NAME, "--output", "downloads/"];
  const heldBytes = await killOnItsWay(get, directory);
  promise(!isThere(`${directory}/downloads/${BIG_NAME}`), "an unfinished file is visible under its name");
  const held = formatSize(heldBytes);
  say(`# ${held} had come; there is no ${BIG_NAME} yet. The same command goes on after the last whole block:`);
  const { stderr } = await app(...get);
  promise(/resumed/.test(stderr), "the second get did not say that it went on from the first one");
  verifySame(`${directory}/downloads/${BIG_NAME}`, `${directory}/photos/${BIG_NAME}`);
  const left = Array.from(Deno.readDirSync(`${directory}/downloads`), (entry) => entry.name);
  promise(left.length === 1, `something else was left in downloads/: ${left.join(", ")}`);
  say("# Compared byte by byte: the same.");

  say("\n# The server gets a SIGTERM, and ends in order.");
  const { code } = await server.stop();
  promise(code === 0, `the server ended with exit code ${code}`);
}

/** Runs one command to its end, and wants exit code 0. */
async function show(args: readonly string[], cwd: string): Promise<Outcome> {
  const outcome = await start(args, cwd).ended;
  promise(outcome.code === 0, `app ${args[0]} ended with exit code ${outcome.code}`);
  return outcome;
}

/** Starts a get and kills it when a good part of the file has come; how much had. */
async function killOnItsWay(args: readonly string[], cwd: string): Promise<number> {
  const { child, ended } = start(args, cwd);
  const until = performance.now() + WAIT_MAX_MS;
  // Another process writes the file: there is no event to wait for.
  while (RUNNING.has(child) && partialBytes(`${cwd}/downloads`) < KILL_AT_BYTES && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  killIfRunning(child);
  const { signal } = await ended;
  promise(signal === "SIGKILL", "the get was over before it could be killed");
  say("Killed");
  const bytes = partialBytes(`${cwd}/downloads`);
  promise(bytes >= KILL_AT_BYTES, `only ${formatSize(bytes)} came within ${WAIT_MAX_MS / 1000} s`);
  return bytes;
}

interface Outcome {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts a command and shows it; what it printed is shown when it has ended. */
function start(args: readonly string[], cwd: string): { child: Deno.ChildProcess; ended: Promise<Outcome> } {
  say(`$ app ${args.join(" ")}`);
  const child = startApp(args, { cwd });
  RUNNING.add(child);
  return { child, ended: finish(child) };
}

async function finish(child: Deno.ChildProcess): Promise<Outcome> {
  const [output] = await Promise.all([child.output(), child.stdin.close()]);
  RUNNING.delete(child);
  const [stdout, stderr] = [output.stdout, output.stderr].map((bytes) => new TextDecoder().decode(bytes));
  const printed = (stderr! + stdout!).trimEnd();
  if (printed !== "") say(printed);
  return { code: output.code, signal: output.signal, stdout: stdout!, stderr: stderr! };
}

function killIfRunning(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // it has ended by itself
  }
}

/** The size of the unfinished file in `directory`; 0 while there is none. */
function partialBytes(directory: string): number {
  try {
    for (const { name } of Deno.readDirSync(directory)) {
      if (/^\.app-partial-[0-9a-f]+$/.test(name)) return Deno.statSync(`${directory}/${name}`).size;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // not made yet, or published in that moment
  }
  return 0;
}

/** Random bytes, with each chunk numbered, so that no two are the same. */
function writeBigFile(path: string): void {
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (let at = 0; at < chunk.length; at += 65_536) crypto.getRandomValues(chunk.subarray(at, at + 65_536));
  using file = Deno.openSync(path, { write: true, createNew: true });
  for (let number = 0; number < BIG_BYTES / CHUNK_BYTES; number++) {
    new DataView(chunk.buffer).setUint32(0, number);
    for (let at = 0; at < chunk.length;) at += file.writeSync(chunk.subarray(at));
  }
}

function verifySame(path: string, original: string): void {
  using a = Deno.openSync(path);
  using b = Deno.openSync(original);
  const [inA, inB] = [new Uint8Array(CHUNK_BYTES), new Uint8Array(CHUNK_BYTES)];
  for (let countA = 1; countA > 0;) {
    countA = fill(a, inA);
    const countB = fill(b, inB);
    const isSame = countA === countB && isSameBytes(inA.subarray(0, countA), inB.subarray(0, countB));
    promise(isSame, `${path} differs from ${original}`);
  }
}

function fill(file: Deno.FsFile, into: Uint8Array): number {
  let at = 0;
  for (let count: number | null = 1; count && at < into.length; at += count ?? 0) {
    count = file.readSync(into.subarray(at));
  }
  return at;
}

function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false; // `every` takes four times as long
  return true;
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function promise(isKept: boolean, otherwise: string): asserts isKept {
  if (!isKept) throw new BrokenPromise(otherwise);
}

function say(line: string): void {
  console.log(line);
}

/** Rejects at the first SIGINT or SIGTERM, so that everything is cleaned up on the way out. */
function rejectOnSignals(): Promise<never> {
  const { promise: interrupted, reject } = Promise.withResolvers<never>();
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  for (const signal of signals) Deno.addSignalListener(signal, () => reject(new BrokenPromise("it was interrupted")));
  interrupted.catch(() => {}); // it may come when nobody waits for it any more
  return interrupted;
}

async function main(): Promise<number> {
  using directory = temporaryDirectory();
  const began = performance.now();
  try {
    await demo(directory.path, rejectOnSignals());
  } catch (error) {
    console.error(`\nThe demo failed: ${error instanceof BrokenPromise ? error.message : (error as Error).stack}`);
    return 1;
  } finally {
    RUNNING.forEach(killIfRunning);
    await Promise.all(Array.from(RUNNING, (child) => child.status));
  }
  say(`\nEverything was as promised (${((performance.now() - began) / 1000).toFixed(1)} s).`);
  return 0;
}

Deno.exit(await main());
