/**
 * A large file that replaces an older one of itself: 1 MiB changed in its middle, and 1 MiB inserted at its front.
 * Beside rsync's daemon with its own delta; both from one process to another, so that compared blocks cost both sides.
 * What travels is counted by a proxy, both ways, in a run that is not timed.
 */
import { ServerProcess } from "../support/program.ts";
import { HarmfulProxy } from "../support/proxy.ts";
import { type Contender, formatTable, type Measured, measureInterleaved } from "./measure.ts";
import { runApp } from "./peers/app.ts";
import { freePort, pathOf, run, startServer, type Yard } from "./peers/peer.ts";
import { makeYard, type Section } from "./section.ts";

const MIB = 1_048_576;
const RSYNC = "rsync daemon, delta";

/** A contender that can go another way, where bytes are counted. */
interface Way extends Contender {
  readonly port: string;
  runVia(port: string): Promise<void>;
}

export const delta: Section = {
  name: "delta",
  title: "A large file that changed, replaced in memory-backed storage",
  async measure({ rounds, sizeBytes }) {
    using yard = makeYard(0);
    for (const directory of ["local/tree", "served/pushed"]) Deno.mkdirSync(`${yard.path}/${directory}`);
    fillRandomly(`${yard.path}/base`, sizeBytes);
    await using peers = await startAll(yard);
    const results: Record<string, (Measured & { wireBytes: number })[]> = {};
    for (
      const [what, make] of [["1 MiB changed in the middle", change], ["1 MiB inserted at the front", insert]] as const
    ) {
      make(yard, sizeBytes);
      const measured = await measureInterleaved(peers.ways, rounds);
      const wireBytes = new Map<string, number>();
      for (const way of peers.ways) wireBytes.set(way.name, await countBytes(way));
      results[what] = measured.map((one) => ({ ...one, wireBytes: wireBytes.get(one.name)! }));
      printTable(what, results[what]);
    }
    return results;
  },
};

function printTable(what: string, results: readonly (Measured & { wireBytes: number })[]): void {
  const base = results.find(({ name }) => name === RSYNC)?.median;
  console.log(formatTable(
    [`${what}, ms`, "median", "fastest - slowest", "against rsync", "bytes on the wire"],
    results.map(({ name, median, fastest, slowest, wireBytes }) => [
      name,
      (median * 1000).toFixed(0),
      `${(fastest * 1000).toFixed(0)} - ${(slowest * 1000).toFixed(0)}`,
      base === undefined ? "-" : `${(median / base).toFixed(2)} x`,
      wireBytes.toLocaleString("en-US"),
    ]),
  ));
}

/** No two blocks are alike, as they would be if one piece were repeated. */
function fillRandomly(path: string, sizeBytes: number): void {
  using file = Deno.openSync(path, { createNew: true, write: true });
  appendRandomly(file, sizeBytes);
}

function appendRandomly(file: Deno.FsFile, sizeBytes: number): void {
  const piece = new Uint8Array(65_536);
  for (let left = sizeBytes; left > 0; left -= piece.length) {
    file.writeSync(crypto.getRandomValues(piece).subarray(0, Math.min(left, piece.length)));
  }
}

function change({ path }: Yard, sizeBytes: number): void {
  Deno.copyFileSync(`${path}/base`, `${path}/local/tree/file`);
  using file = Deno.openSync(`${path}/local/tree/file`, { write: true });
  file.seekSync(Math.floor(sizeBytes / 2), Deno.SeekMode.Start);
  appendRandomly(file, MIB);
}

function insert({ path }: Yard): void {
  using file = Deno.openSync(`${path}/local/tree/file`, { write: true, truncate: true });
  appendRandomly(file, MIB);
  using base = Deno.openSync(`${path}/base`, { read: true });
  const piece = new Uint8Array(MIB);
  for (let count = base.readSync(piece); count !== null; count = base.readSync(piece)) {
    file.writeSync(piece.subarray(0, count));
  }
}

async function startAll(yard: Yard): Promise<{ ways: Way[] } & AsyncDisposable> {
  const { path } = yard;
  const server = await ServerProcess.start(`${path}/served`, ["--log", "off", "--allow-overwrite"]);
  const replaced = (name: string) => () => Deno.copyFileSync(`${path}/base`, `${path}/served/${name}`);
  const put = (port: string) =>
    runApp(path, ["put", "127.0.0.1", port, "tree/file", "--as", "put.bin", "--if-exists", "replace"]);
  const push = (port: string) => runApp(path, ["push", "127.0.0.1", port, "tree", "pushed", "-q", "--no-flush"]);
  const ways: Way[] = [
    wayOf("app put", server.port, replaced("put.bin"), put),
    wayOf("app push, no flush", server.port, replaced("pushed/file"), push),
  ];
  const held = new AsyncDisposableStack();
  held.use(server);
  if (pathOf("rsync")) {
    const port = freePort();
    const settings = `address = 127.0.0.1\nport = ${port}\nuse chroot = no\nuid = ${Deno.uid()}\ngid = ${Deno.gid()}\n`;
    Deno.writeTextFileSync(`${path}/rsyncd.conf`, `${settings}[served]\npath = ${path}/served\nread only = no\n`);
    held.use(await startServer("rsync", ["--daemon", "--no-detach", `--config=${path}/rsyncd.conf`], port));
    const sync = (via: string) =>
      run("rsync", ["-I", "--no-whole-file", `${path}/local/tree/file`, `rsync://127.0.0.1:${via}/served/rsync.bin`]);
    ways.push(wayOf(RSYNC, String(port), replaced("rsync.bin"), sync));
  } else console.log("missing: rsync");
  return { ways, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

function wayOf(name: string, port: string, prepare: () => void, runVia: Way["runVia"]): Way {
  return { name, port, prepare, runVia, run: () => runVia(port) };
}

async function countBytes({ port, prepare, runVia }: Way): Promise<number> {
  await prepare?.();
  await using proxy = new HarmfulProxy(port);
  await runVia(proxy.port);
  return proxy.counts["to client"] + proxy.counts["to server"];
}
