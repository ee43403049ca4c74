/**
 * A tree of source code over a link of 100 Mbit/s and 20 ms there and back, beside the tools that compress, in two kinds
 * of slow network. The tree is what npm installs for some large packages, cut to a sixteenth of `--size`.
 *
 * scp waits for an answer several times per file, so it gets a part of the tree, as does everybody in that table.
 */
import { ServerProcess } from "../support/program.ts";
import { type Contender, formatTable, formatTimes, type Measured, measureInterleaved } from "./measure.ts";
import { freePort, pathOf, removeIfThere, run, startServer, untilListening, type Yard } from "./peers/peer.ts";
import { slowNamespaces, type SlowNetwork, slowProxy } from "./peers/slow_link.ts";
import { SSH_PROGRAMS, startSshd } from "./peers/sshd.ts";
import { runApp } from "./peers/app.ts";
import { makeYard, type Section } from "./section.ts";

const PACKAGES = ["typescript@5", "webpack@5", "@angular/core@20", "@angular/cli@20"];
const FILES_OF_SCP = 100;
const ROUNDS_MAX = 3;
const PLAIN_BYTES = 25_000_000;
const RSYNC = "rsync -az, daemon";
const SCP = "scp -rC";

export const slow: Section = {
  name: "slow",
  title: "Source code over a link of 100 Mbit/s and 20 ms",
  async measure({ rounds, sizeBytes }) {
    using yard = makeYard(0);
    const tree = await installTree(yard, sizeBytes / 16);
    if (!tree) return "skipped: npm is not reachable";
    console.log(`${tree.files} files, ${(tree.bytes / 1e6).toFixed(0)} MB; the part of ${FILES_OF_SCP}`);
    const results: Record<string, Measured[]> = {};
    for (const open of [slowNamespaces, slowProxy]) {
      await using network = await open();
      if (!network) continue;
      console.log(formatTable(["plain bytes over it", "MB/s"], [["nc", (await speedOfNc(network)).toFixed(1)]]));
      for (const [name, part] of [["all", "tree"], ["part", "part"]] as const) {
        await using peers = await startAll(yard, network, part);
        const reference = part === "tree" ? RSYNC : SCP;
        const measured = await measureInterleaved(peers.contenders, Math.min(rounds, ROUNDS_MAX));
        results[`${network.name}, ${name}`] = measured;
        console.log(formatTimes(`${name}, over ${network.name}, ms`, measured, reference));
      }
    }
    return { tree, results };
  },
};

/** Into `local/tree`, and the first files of it into `local/part`; `undefined` where npm cannot. */
async function installTree({ path }: Yard, bytesMax: number): Promise<{ files: number; bytes: number } | undefined> {
  if (!pathOf("npm")) return skipped("no npm");
  const folder = `${path}/npm`;
  Deno.mkdirSync(folder);
  Deno.writeTextFileSync(`${folder}/package.json`, '{"private":true}');
  const words = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder, ...PACKAGES];
  try {
    await run("npm", words);
  } catch (error) {
    return skipped(String(error).split("\n")[0]!);
  }
  const left = { files: Infinity, bytes: bytesMax };
  takeFiles(`${folder}/node_modules`, `${path}/local/tree`, left);
  const part = { files: FILES_OF_SCP, bytes: Infinity };
  takeFiles(`${path}/local/tree`, `${path}/local/part`, part);
  removeIfThere(folder);
  return measureTree(`${path}/local/tree`);
}

function skipped(reason: string): undefined {
  console.log(`skipped: npm is not reachable: ${reason}`);
}

/** Copies files until nothing is left of `left`. */
function takeFiles(from: string, to: string, left: { files: number; bytes: number }): void {
  Deno.mkdirSync(to);
  for (const { name, isFile, isDirectory } of [...Deno.readDirSync(from)].sort((a, b) => a.name < b.name ? -1 : 1)) {
    if (left.files <= 0 || left.bytes <= 0) return;
    if (isDirectory) takeFiles(`${from}/${name}`, `${to}/${name}`, left);
    if (!isFile) continue;
    Deno.copyFileSync(`${from}/${name}`, `${to}/${name}`);
    left.files--;
    left.bytes -= Deno.statSync(`${to}/${name}`).size;
  }
}

function measureTree(path: string): { files: number; bytes: number } {
  const sum = { files: 0, bytes: 0 };
  for (const { name, isDirectory } of Deno.readDirSync(path)) {
    const { files, bytes } = isDirectory
      ? measureTree(`${path}/${name}`)
      : { files: 1, bytes: Deno.statSync(`${path}/${name}`).size };
    sum.files += files;
    sum.bytes += bytes;
  }
  return sum;
}

interface SlowPeers extends AsyncDisposable {
  readonly contenders: Contender[];
}

async function startAll(yard: Yard, network: SlowNetwork, part: string): Promise<SlowPeers> {
  const held = new AsyncDisposableStack();
  const contenders = [
    ...await startApps(yard, network, part, held),
    ...(pathOf("rsync") ? [await startRsync(yard, network, part, held)] : missing("rsync")),
  ];
  const absent = [...SSH_PROGRAMS, "scp"].filter((program) => !pathOf(program));
  if (part === "part") {
    if (absent.length === 0) contenders.push(await startScp(yard, network, part, held));
    else missing(absent.join(", "));
  }
  return { contenders, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

function missing(what: string): [] {
  console.log(`missing: ${what}`);
  return [];
}

/** Ours: in plain beside rsync's daemon, encrypted beside scp; without waiting for the disk, as both of them. */
async function startApps({ path }: Yard, network: SlowNetwork, part: string, held: AsyncDisposableStack) {
  const { address, through } = network;
  const contenders: Contender[] = [];
  for (const [kind, more] of [["plain", ["--plain"]], ["TLS", []]] as const) {
    const state = `${path}/state-${kind}`;
    const env = { XDG_STATE_HOME: state };
    const args = ["--address", address, "--log", "off", "--public-write", "--no-link", ...more];
    const server = held.use(await ServerProcess.start(`${path}/served`, args, { through, env }));
    const { host, port } = await network.linkTo(Number(server.port));
    const compress = host.startsWith("127.") ? "on" : "auto";
    const words = ["push", host, String(port), part, kind, "-q", "--no-flush", "--compress", compress];
    contenders.push({
      name: `app push, ${kind}`,
      prepare: () => removeIfThere(`${path}/served/${kind}`),
      run: () => runApp(path, words, { XDG_STATE_HOME: `${path}/client-${kind}` }),
    });
  }
  return contenders;
}

async function startRsync({ path }: Yard, network: SlowNetwork, part: string, held: AsyncDisposableStack) {
  const { address, through } = network;
  const port = freePort();
  const settings = `address = ${address}\nport = ${port}\nuse chroot = no\nuid = ${Deno.uid()}\ngid = ${Deno.gid()}\n`;
  Deno.writeTextFileSync(`${path}/rsyncd.conf`, `${settings}[served]\npath = ${path}/served\nread only = no\n`);
  const args = ["--daemon", "--no-detach", `--config=${path}/rsyncd.conf`];
  held.use(await startServer("rsync", args, port, through));
  const link = await network.linkTo(port);
  return {
    name: RSYNC,
    prepare: () => removeIfThere(`${path}/served/rsync`),
    run: () => run("rsync", ["-az", `${path}/local/${part}/`, `rsync://${link.host}:${link.port}/served/rsync/`]),
  };
}

async function startScp({ path }: Yard, network: SlowNetwork, part: string, held: AsyncDisposableStack) {
  removeIfThere(`${path}/ssh`);
  const sshd = held.use(await startSshd(`${path}/ssh`, network));
  const { host, port } = await network.linkTo(sshd.port);
  const options = [...sshd.options, "-P", String(port), "-r", "-C"];
  return {
    name: SCP,
    prepare: () => removeIfThere(`${path}/served/scp`),
    run: () => run("scp", [...options, `${path}/local/${part}`, `${host}:${path}/served/scp`]),
  };
}

/** What the link itself can, in MB/s. */
async function speedOfNc(network: SlowNetwork): Promise<number> {
  if (!pathOf("nc")) return NaN;
  const port = freePort();
  const taking = run("sh", ["-c", [...network.through, "nc", "-l", network.address, port, ">/dev/null"].join(" ")]);
  await untilListening(port, network.through);
  const { host, port: near } = await network.linkTo(port);
  const start = performance.now();
  await run("sh", ["-c", `head -c ${PLAIN_BYTES} /dev/zero | nc -N ${host} ${near}`]);
  await taking;
  return PLAIN_BYTES / 1e3 / (performance.now() - start);
}
