/** A large file that changed in places, by all commands that replace files: only what changed is sent. */
import { assert, assertEquals, assertStringIncludes } from "../support/assert.ts";
import { names } from "../support/names_in.ts";
import { runApp, ServerProcess, startApp, temporaryDirectory } from "../support/program.ts";
import { HarmfulProxy } from "../support/proxy.ts";
import { Random } from "../support/random.ts";

const BLOCK = 1_048_576;
const OLD = new Random(8).bytes(16 * BLOCK + 777);
const NEW = OLD.slice();
NEW.set(new Random(9).bytes(BLOCK), 5 * BLOCK + 100);
const MTIME = new Date(1_700_000_000_123);
/** What may travel: the two blocks that changed, the end, and words. */
const WIRE_BYTES_MAX = 2 * BLOCK + 777 + 4_000;

/** `OLD` on the side that receives, `NEW` on the other one, as `dir/file`. */
async function stage(way: "to server" | "to client") {
  const shared = temporaryDirectory();
  const here = temporaryDirectory();
  const [from, to] = way === "to server" ? [here.path, shared.path] : [shared.path, here.path];
  for (const [path, bytes] of [[from, NEW], [to, OLD]] as const) {
    Deno.mkdirSync(`${path}/dir`);
    Deno.writeFileSync(`${path}/dir/file`, bytes);
  }
  Deno.utimeSync(`${from}/dir/file`, MTIME, MTIME);
  const server = await ServerProcess.start(shared.path, ["--allow-overwrite", "--allow-remove"]);
  return {
    here: here.path,
    port: server.port,
    target: `${to}/dir/file`,
    verify() {
      assertEquals(Deno.readFileSync(`${to}/dir/file`), NEW);
      assertEquals(Deno.statSync(`${to}/dir/file`).mtime, MTIME);
      assertEquals(names(`${to}/dir`).filter((name) => name !== ".app-trash"), ["file"]);
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      shared[Symbol.dispose]();
      here[Symbol.dispose]();
    },
  };
}

const COMMANDS = [
  ["to server", ["put"], ["dir/file", "--as", "dir/file", "--if-exists", "replace"]],
  ["to client", ["get"], ["dir/file", "--output", "dir/file", "--if-exists", "replace"]],
  ["to server", ["push"], ["dir", "dir"]],
  ["to client", ["pull"], ["dir", "dir"]],
] as const;

for (const [way, [command], words] of COMMANDS) {
  Deno.test(`${command} of a file that changed in places sends what changed, and the old one is there until then`, async () => {
    await using on = await stage(way);
    const isTree = command === "push" || command === "pull";
    await using proxy = new HarmfulProxy(on.port, { direction: way, offset: BLOCK, kind: "hold" });
    const before = Deno.statSync(on.target);
    const child = startApp([command, "127.0.0.1", proxy.port, ...words, "--json"], { cwd: on.here });
    await child.stdin.close();
    await proxy.harmed;
    assertEquals(Deno.readFileSync(on.target), OLD);
    proxy.release();
    const { success, stdout } = await child.output();
    const text = new TextDecoder().decode(stdout);
    assert(success, text);
    on.verify();
    const after = Deno.statSync(on.target);
    assert(after.ino !== before.ino, "the old file was written to");
    assertEquals(after.mode, before.mode);
    assert(proxy.counts[way] < WIRE_BYTES_MAX, `${proxy.counts[way]} bytes travelled`);
    const last = JSON.parse(text.trimEnd().split("\n").at(-1)!);
    if (isTree) assertEquals([last.files, last.fileBytes], [1, NEW.length]);
    else assertEquals([last.reusedBytes, last.resumedBytes], [14 * BLOCK, 0]);
  });
}

for (
  const [way, command, words] of [["to server", "put", []], ["to client", "get", ["--output", "dir/file"]]] as const
) {
  Deno.test(`${command} says how much was taken from the file that it replaced, and only then`, async () => {
    await using on = await stage(way);
    const target = command === "put" ? ["--as", "dir/file"] : words;
    const run = () =>
      runApp([command, "127.0.0.1", on.port, "dir/file", ...target, "--if-exists", "replace"], { cwd: on.here });
    const first = await run();
    assertEquals(first.code, 0, first.stderr);
    assertStringIncludes(first.stderr, "14.7 MB of dir/file were taken from the file that it replaced");
    Deno.removeSync(on.target);
    const anew = await run();
    assertEquals([anew.code, anew.stderr.includes("taken from")], [0, false], anew.stderr);
    on.verify();
  });
}

Deno.test("a put that breaks off while blocks are compared goes on with those that it had, old ones included", async () => {
  await using on = await stage("to server");
  const words = ["dir/file", "--as", "dir/file", "--if-exists", "replace", "--json"];
  const directory = on.target.replace("/file", "");
  const watcher = Deno.watchFs(directory);
  let broken: Deno.ChildProcess;
  {
    await using proxy = new HarmfulProxy(on.port, { direction: "to server", offset: 1.5 * BLOCK, kind: "hold" });
    broken = startApp(["put", "127.0.0.1", proxy.port, ...words, "--retries", "0"], { cwd: on.here });
    await broken.stdin.close();
    const partial = () => names(directory).find((name) => /^\.app-partial-[0-9a-f]+$/.test(name));
    for await (const _event of watcher) {
      const name = partial();
      if (name && Deno.statSync(`${directory}/${name}`).size > 6 * BLOCK) break;
    }
  }
  assertEquals((await broken.output()).code, 4);
  assertEquals(Deno.readFileSync(on.target), OLD);
  const { code, stdout, stderr } = await runApp(["put", "127.0.0.1", on.port, ...words], { cwd: on.here });
  assertEquals(code, 0, stderr);
  const last = JSON.parse(stdout.trimEnd().split("\n").at(-1)!);
  assertEquals([last.resumedBytes, last.reusedBytes], [6 * BLOCK, 9 * BLOCK], stdout);
  on.verify();
});
