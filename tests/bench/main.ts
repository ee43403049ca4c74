/**
 * `deno task bench [--size 1G] [--rounds 5]`: one large file got and put, beside the tools that people use instead, in
 * one interleaved run on memory-backed storage. Prints tables; writes bench-results/latest.json. Asserts nothing.
 */
import { parseSize } from "../../protocol/cli/format.ts";
import { Random } from "../support/random.ts";
import { describeMachine, formatTable, type Measured, measureInterleaved } from "./measure.ts";
import { areThere, cpPeer, type Peer, startAppPeer, startNginxPeer, startRsyncPeer, type Yard } from "./peers.ts";

const REFERENCE = "rsync daemon -W";

const sizeBytes = parseSize(optionOf("--size") ?? "1G")!;
const rounds = Number(optionOf("--rounds") ?? 5);

const yard: Yard = { path: Deno.makeTempDirSync({ ...memoryBacked(), prefix: "app-bench-" }) };
try {
  prepare(yard);
  const peers = await startPeers(yard);
  const get = await measureInterleaved(peers.map((peer) => peer.get), rounds);
  const put = await measureInterleaved(peers.flatMap((peer) => peer.put ?? []), rounds);
  for (const peer of peers) await peer[Symbol.asyncDispose]();
  report({ get, put });
} finally {
  Deno.removeSync(yard.path, { recursive: true });
}

function optionOf(name: string): string | undefined {
  const index = Deno.args.indexOf(name);
  return index < 0 ? undefined : Deno.args[index + 1];
}

function memoryBacked(): { dir?: string } {
  try {
    return Deno.statSync("/dev/shm").isDirectory ? { dir: "/dev/shm" } : {};
  } catch {
    return {};
  }
}

function prepare({ path }: Yard): void {
  const piece = new Random(1).bytes(1_048_576);
  for (const directory of ["served", "local"]) {
    Deno.mkdirSync(`${path}/${directory}`);
    using file = Deno.openSync(`${path}/${directory}/big.bin`, { createNew: true, write: true });
    for (let left = sizeBytes; left > 0; left -= piece.length) {
      file.writeSync(piece.subarray(0, Math.min(left, piece.length)));
    }
  }
}

async function startPeers(yard: Yard): Promise<Peer[]> {
  const peers = [await startAppPeer(yard), cpPeer(yard)];
  if (areThere("rsync")) peers.push(await startRsyncPeer(yard));
  else console.log("missing: rsync");
  if (areThere("nginx", "curl")) peers.push(await startNginxPeer(yard));
  else console.log("missing: nginx or curl");
  return peers;
}

function report({ get, put }: { get: Measured[]; put: Measured[] }): void {
  const machine = describeMachine();
  console.log(JSON.stringify(machine, null, 1) + "\n");
  console.log(formatTable(`get ${sizeBytes / 1e9} GB, to a file`, get, sizeBytes, REFERENCE));
  console.log(formatTable(`put ${sizeBytes / 1e9} GB, to a file`, put, sizeBytes, REFERENCE));
  Deno.mkdirSync("bench-results", { recursive: true });
  Deno.writeTextFileSync(
    "bench-results/latest.json",
    JSON.stringify({ machine, sizeBytes, rounds, get, put }, null, 1),
  );
  console.log("Written to bench-results/latest.json");
}
