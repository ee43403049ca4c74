/**
 * Whole trees beside the tools that people use instead: many small files, trees with nothing or little changed, what a
 * million entries take in memory, and time against size. `--rounds` as everywhere; `--size` bounds nothing here.
 *
 * `rsync` flushes nothing, so it is compared with `--no-flush`; what flushing adds is shown beside it.
 */
import { ServerProcess, startApp } from "../support/program.ts";
import { memoryOf } from "../support/process.ts";
import { type Contender, formatTable, formatTimes, type Measured, measureInterleaved, median } from "./measure.ts";
import { runApp } from "./peers/app.ts";
import { freePort, pathOf, removeIfThere, run, startServer, untilListening, type Yard } from "./peers/peer.ts";
import { SSH_PROGRAMS, startSshd } from "./peers/sshd.ts";
import { makeYard, type Section } from "./section.ts";

const FILE_BYTES = 4_096;
const FILES_IN_DIRECTORY = 100;
export const RSYNC = "rsync daemon";
const SCP = "scp -r (encrypted)";

export const trees: Section = {
  name: "trees",
  title: "Trees: 10,000 files of 4 KiB, in memory-backed storage and on a disk",
  async measure({ rounds }) {
    const results: Record<string, Record<string, Measured[]>> = {};
    for (const [where, folder] of [["memory", undefined], ["disk", Deno.env.get("TMPDIR") ?? "/tmp"]] as const) {
      using yard = makeYard(0, ...(folder ? [folder] : []));
      fillTree(`${yard.path}/local/tree`, 10_000, FILE_BYTES);
      await using peers = await startAll(yard);
      results[where] = {
        put: await measureInterleaved(peers.puts, rounds),
        get: await measureInterleaved(peers.gets, rounds),
      };
      for (const way of ["put", "get"] as const) {
        console.log(formatTimes(`${way}, ${where}, ms`, results[where][way]!, RSYNC));
      }
    }
    return results;
  },
};

export const sameTrees: Section = {
  name: "same",
  title: "Trees that are there already: nothing changed, and 1 % of the files",
  async measure({ rounds }) {
    const results: Record<string, Measured[]> = {};
    for (const count of [10_000, 100_000]) {
      using yard = makeYard(0);
      fillTree(`${yard.path}/local/tree`, count, 10);
      await using peers = await startAll(yard);
      const pushes = peers.puts.filter(({ name }) => name === RSYNC || name.endsWith("no flush"));
      for (const { run } of pushes) await run();
      const again = pushes.map(({ name, run }) => ({ name, run }));
      results[`${count} unchanged`] = await measureInterleaved(again, rounds);
      let version = 0;
      const changed = again.map((one) => ({
        ...one,
        prepare: () => change(`${yard.path}/local/tree`, count, ++version),
      }));
      results[`${count}, 1 % changed`] = await measureInterleaved(changed, rounds);
    }
    for (const [what, measured] of Object.entries(results)) console.log(formatTimes(`${what}, ms`, measured, RSYNC));
    return results;
  },
};

export const treeGrowth: Section = {
  name: "treegrowth",
  title: "Trees by their size: a push with nothing there, one with nothing changed, and the memory of both sides",
  async measure({ rounds }) {
    const rows: { entries: number; push: number; again: number; client: number; server: number }[] = [];
    for (const entries of [1_000, 10_000, 100_000, 1_000_000]) {
      using yard = makeYard(0);
      fillTree(`${yard.path}/local/tree`, entries, 0);
      await using server = await startServerOf(yard);
      const push = await timed(() => peakOfPush(yard, server.port));
      const times: number[] = [];
      for (let round = 0; round < Math.min(rounds, 3); round++) {
        times.push((await timed(() => peakOfPush(yard, server.port))).seconds);
      }
      rows.push({
        entries,
        push: push.seconds,
        again: median(times),
        client: push.result,
        server: memoryOf(server.pid, "VmHWM")!,
      });
    }
    console.log(formatTable(
      ["entries", "push, s", "us each", "nothing changed, s", "us each", "client, MB", "server, MB"],
      rows.map(({ entries, push, again, client, server }) => [
        entries.toLocaleString("en-US"),
        ...[push, again].flatMap((seconds) => [seconds.toFixed(2), (seconds * 1e6 / entries).toFixed(1)]),
        ...[client, server].map((bytes) => (bytes / 1e6).toFixed(0)),
      ]),
    ));
    return rows;
  },
};

/** Files of `sizeBytes`, a hundred in each directory. */
function fillTree(path: string, count: number, sizeBytes: number): void {
  const content = crypto.getRandomValues(new Uint8Array(sizeBytes));
  for (let index = 0; index < count; index++) {
    const directory = directoryOf(path, index);
    if (index % FILES_IN_DIRECTORY === 0) Deno.mkdirSync(directory, { recursive: true });
    Deno.writeFileSync(`${directory}/file-${index}`, content);
  }
}

function change(path: string, count: number, version: number): void {
  for (let index = 0; index < count; index += 100) {
    Deno.writeTextFileSync(`${directoryOf(path, index)}/file-${index}`, `version ${version}`);
  }
}

function directoryOf(path: string, index: number): string {
  return `${path}/${Math.floor(index / 100 / FILES_IN_DIRECTORY)}/${Math.floor(index / FILES_IN_DIRECTORY)}`;
}

interface TreePeers extends AsyncDisposable {
  readonly puts: Contender[];
  readonly gets: Contender[];
}

async function startAll(yard: Yard): Promise<TreePeers> {
  const { path } = yard;
  const server = await startServerOf(yard);
  const push = (...more: string[]) => runApp(path, ["push", "127.0.0.1", server.port, "tree", "app", "-q", ...more]);
  const pull = (...more: string[]) => runApp(path, ["pull", "127.0.0.1", server.port, "app", "got", "-q", ...more]);
  const clear = (name: string) => () => removeIfThere(`${path}/${name}`);
  const puts: Contender[] = [
    { name: "app push, no flush", prepare: clear("served/app"), run: () => push("--no-flush") },
    { name: "app push", prepare: clear("served/app"), run: () => push() },
  ];
  const gets: Contender[] = [
    { name: "app pull, no flush", prepare: clear("local/got"), run: () => pull("--no-flush") },
    { name: "app pull", prepare: clear("local/got"), run: () => pull() },
  ];
  const held = new AsyncDisposableStack();
  held.use(server);
  if (pathOf("rsync")) {
    const { daemon, url } = await startRsync(yard);
    held.use(daemon);
    puts.push({
      name: RSYNC,
      prepare: clear("served/rsync"),
      run: () => run("rsync", ["-a", "-W", `${path}/local/tree/`, `${url}/rsync/`]),
    });
    gets.push({
      name: RSYNC,
      prepare: clear("local/rsynced"),
      run: () => run("rsync", ["-a", "-W", `${url}/app/`, `${path}/local/rsynced/`]),
    });
  } else console.log("missing: rsync");
  const scpPrograms = [...SSH_PROGRAMS, "scp"];
  if (scpPrograms.every(pathOf)) {
    const sshd = await startSshd(`${path}/ssh`);
    held.use(sshd);
    const scp = (from: string, to: string) => run("scp", ["-r", ...sshd.options, "-P", String(sshd.port), from, to]);
    puts.push({
      name: SCP,
      prepare: clear("served/scp"),
      run: () => scp(`${path}/local/tree`, `127.0.0.1:${path}/served/scp`),
    });
    gets.push({
      name: SCP,
      prepare: clear("local/scp"),
      run: () => scp(`127.0.0.1:${path}/served/app`, `${path}/local/scp`),
    });
  } else console.log(`missing: one of ${scpPrograms.join(", ")}`);
  if (pathOf("nc") && pathOf("tar")) {
    puts.push(tarOverNc(yard, "local/tree", "served/tar"));
    gets.push(tarOverNc(yard, "served/app", "local/tar"));
  } else console.log("missing: tar or nc");
  return { puts, gets, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

export function startServerOf({ path }: Yard): Promise<ServerProcess> {
  return ServerProcess.start(`${path}/served`, ["--log", "off", "--allow-overwrite", "--allow-remove"]);
}

export async function startRsync({ path }: Yard): Promise<{ daemon: AsyncDisposable; url: string }> {
  const port = freePort();
  const settings = `address = 127.0.0.1\nport = ${port}\nuse chroot = no\nuid = ${Deno.uid()}\ngid = ${Deno.gid()}\n`;
  Deno.writeTextFileSync(`${path}/rsyncd.conf`, `${settings}[served]\npath = ${path}/served\nread only = no\n`);
  const daemon = await startServer("rsync", ["--daemon", "--no-detach", `--config=${path}/rsyncd.conf`], port);
  return { daemon, url: `rsync://127.0.0.1:${port}/served` };
}

/** Bare files, without any check of what arrived. */
function tarOverNc({ path }: Yard, from: string, to: string): Contender {
  let port = 0;
  let taking: Promise<void> = Promise.resolve();
  return {
    name: "tar | nc",
    async prepare() {
      await taking;
      removeIfThere(`${path}/${to}`);
      Deno.mkdirSync(`${path}/${to}`);
      port = freePort();
      taking = run("sh", ["-c", `exec nc -l 127.0.0.1 ${port} | tar x -C ${path}/${to}`]);
      await untilListening(port);
    },
    async run() {
      await run("sh", ["-c", `tar c -C ${path}/${from} . | nc -N 127.0.0.1 ${port}`]);
      await taking;
    },
  };
}

async function timed<T>(work: () => Promise<T>): Promise<{ seconds: number; result: T }> {
  const start = performance.now();
  const result = await work();
  return { seconds: (performance.now() - start) / 1000, result };
}

/** Pushes the tree; the most memory that the client had, in bytes. */
async function peakOfPush({ path }: Yard, port: string): Promise<number> {
  const child = startApp(["push", "127.0.0.1", port, "tree", "app", "-q", "--no-flush"], { cwd: `${path}/local` });
  let peak = 0;
  const timer = setInterval(() => peak = memoryOf(child.pid, "VmHWM") ?? peak, 20);
  const [{ success, stderr }] = await Promise.all([child.output(), child.stdin.close()]);
  clearInterval(timer);
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return peak;
}
