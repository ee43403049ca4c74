/**
 * A directory of large files that is renamed, and pushed again: time, and bytes on the wire, beside `rsync --delete`, which
 * looks for a file of another name only with `--fuzzy`, and only in the same directory. `--rounds` as everywhere.
 */
import { startApp } from "../support/program.ts";
import { type Contender, formatTable, formatTimes, measureInterleaved } from "./measure.ts";
import { pathOf, type Yard } from "./peers/peer.ts";
import { makeYard, type Section } from "./section.ts";
import { RSYNC, startRsync, startServerOf } from "./trees.ts";

const FILES = 1_000;
const FILE_BYTES = 1_048_576;

export const moved: Section = {
  name: "moved",
  title: "A directory of 1,000 files of 1 MiB that was renamed, in memory-backed storage",
  async measure({ rounds }) {
    using yard = makeYard(0);
    fill(`${yard.path}/local/tree/0`);
    await using server = await startServerOf(yard);
    const bytes: Record<string, number> = {};
    const contenders = [appPush(yard, server.port, bytes)];
    await using held = new AsyncDisposableStack();
    if (pathOf("rsync")) {
      const { daemon, url } = await startRsync(yard);
      held.use(daemon);
      contenders.push(
        rsyncPush(yard, RSYNC, `${url}/rsync/`, [], bytes),
        rsyncPush(yard, `${RSYNC}, --fuzzy`, `${url}/fuzzy/`, ["--fuzzy", "--delete-after", "--no-whole-file"], bytes),
      );
    } else console.log("missing: rsync");
    for (const { run } of contenders) await run();
    const results = await measureInterleaved(
      contenders.map((one) => ({ ...one, prepare: () => rename(yard) })),
      rounds,
    );
    console.log(formatTimes("push after the rename, ms", results, RSYNC));
    const rows = Object.entries(bytes).map(([name, count]) => [name, count.toLocaleString("en-US")]);
    console.log(formatTable(["push after the rename", "bytes on the wire"], rows));
    return { results, bytes };
  },
};

function fill(path: string): void {
  Deno.mkdirSync(path, { recursive: true });
  const content = new Uint8Array(FILE_BYTES);
  for (let at = 0; at < FILE_BYTES; at += 65_536) crypto.getRandomValues(content.subarray(at, at + 65_536));
  const view = new DataView(content.buffer);
  for (let index = 0; index < FILES; index++) {
    view.setUint32(0, index);
    Deno.writeFileSync(`${path}/file-${index}`, content);
  }
}

/** To a name that it never had, so that each contender has stored it under another one. */
function rename({ path }: Yard): void {
  const [{ name }] = [...Deno.readDirSync(`${path}/local/tree`)] as [Deno.DirEntry];
  Deno.renameSync(`${path}/local/tree/${name}`, `${path}/local/tree/${Number(name) + 1}`);
}

function appPush(yard: Yard, port: string, bytes: Record<string, number>): Contender {
  const name = "app push --delete, no flush";
  const words = ["push", "127.0.0.1", port, "tree", "app", "--delete", "--no-flush", "--json"];
  return {
    name,
    async run() {
      const child = startApp(words, { cwd: `${yard.path}/local` });
      const [{ success, stdout, stderr }] = await Promise.all([child.output(), child.stdin.close()]);
      if (!success) throw new Error(new TextDecoder().decode(stderr));
      bytes[name] = JSON.parse(new TextDecoder().decode(stdout).trimEnd().split("\n").at(-1)!).bytesOnWire;
    },
  };
}

function rsyncPush(
  { path }: Yard,
  name: string,
  url: string,
  more: readonly string[],
  bytes: Record<string, number>,
): Contender {
  return {
    name,
    async run() {
      const args = ["-a", "--delete", "--stats", ...more, `${path}/local/tree/`, url];
      const { success, stdout, stderr } = await new Deno.Command("rsync", { args, stdin: "null" }).output();
      if (!success) throw new Error(new TextDecoder().decode(stderr));
      const counts = new TextDecoder().decode(stdout).matchAll(/^Total bytes (?:sent|received): ([\d,]+)$/gm);
      bytes[name] = [...counts].reduce((sum, [, count]) => sum + Number(count!.replaceAll(",", "")), 0);
    },
  };
}
