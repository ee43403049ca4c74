/** Compression as a user sees it: what goes over the connection, by what both sides were told. */
import { assert, assertEquals } from "../support/assert.ts";
import { runApp, ServerProcess, temporaryDirectory } from "../support/program.ts";
import { HarmfulProxy } from "../support/proxy.ts";
import { Random } from "../support/random.ts";
import { describeTree } from "../support/random_tree.ts";

const ALL = ["--allow-overwrite", "--allow-remove"];

/** A tree of source code: 300 files with much in common. */
function makeSources(path: string): void {
  const random = new Random(9);
  const words = Array.from({ length: 300 }, () => random.bytes(4).toHex());
  for (let index = 0; index < 300; index++) {
    const text = Array.from({ length: 60 }, () => `const ${random.pick(words)} = ${random.pick(words)}();\n`).join("");
    const directory = `${path}/d${index % 10}`;
    Deno.mkdirSync(directory, { recursive: true });
    Deno.writeTextFileSync(`${directory}/f${index}.js`, text);
  }
}

/** The share of the tree's size that went over the connection for `words`, as the summary has it. */
async function shareOnWire(cwd: string, port: string, [command, ...words]: readonly string[]): Promise<number> {
  const { code, stdout, stderr } = await runApp([command!, "127.0.0.1", port, ...words, "--json"], { cwd });
  assertEquals(code, 0, stderr);
  const { bytesOnWire, sizeBytes } = JSON.parse(stdout.trimEnd().split("\n").at(-1)!);
  return bytesOnWire / sizeBytes;
}

Deno.test("--compress on makes less of a tree both ways; auto leaves it on this machine, and so does off", async () => {
  using directory = temporaryDirectory();
  const [here, served] = [`${directory.path}/here`, `${directory.path}/served`];
  makeSources(`${here}/src`);
  Deno.mkdirSync(served);
  await using server = await ServerProcess.start(served, ALL);
  const share = (...words: string[]) => shareOnWire(here, server.port, words);
  assert(await share("push", "src", "on", "--compress", "on") < 0.4);
  assert(await share("pull", "on", "back", "--compress", "on") < 0.4);
  assert(await share("push", "src", "auto") > 1);
  assert(await share("push", "src", "off", "--compress", "off") > 1);
  for (const path of [`${served}/on`, `${here}/back`, `${served}/auto`, `${served}/off`]) {
    assertEquals(describeTree(path), describeTree(`${here}/src`));
  }
});

Deno.test("a server with --compress off compresses for nobody, and serves them all the same", async () => {
  using directory = temporaryDirectory();
  const [here, served] = [`${directory.path}/here`, `${directory.path}/served`];
  makeSources(`${here}/src`);
  Deno.mkdirSync(served);
  await using server = await ServerProcess.start(served, [...ALL, "--compress", "off"]);
  assert(await shareOnWire(here, server.port, ["push", "src", "on", "--compress", "on"]) > 1);
  assertEquals(describeTree(`${served}/on`), describeTree(`${here}/src`));
});

Deno.test("what does not compress grows by less than a thousandth with --compress on", async () => {
  using directory = temporaryDirectory();
  const content = new Random(10).bytes(5_000_000);
  Deno.writeFileSync(`${directory.path}/noise`, content);
  Deno.mkdirSync(`${directory.path}/served`);
  await using server = await ServerProcess.start(`${directory.path}/served`);
  await using proxy = new HarmfulProxy(server.port);
  const words = ["127.0.0.1", proxy.port, "noise", "--compress", "on"];
  assertEquals((await runApp(["put", ...words], { cwd: directory.path })).code, 0);
  assert(proxy.counts["to server"] < 1.001 * content.length, `${proxy.counts["to server"]}`);
  Deno.removeSync(`${directory.path}/noise`);
  assertEquals((await runApp(["get", ...words], { cwd: directory.path })).code, 0);
  assert(proxy.counts["to client"] < 1.001 * content.length, `${proxy.counts["to client"]}`);
  assertEquals(Deno.readFileSync(`${directory.path}/noise`), content);
});

Deno.test("what is compressed inside TLS, to and from a pipe, and in a shell, is what it was", async () => {
  using directory = temporaryDirectory();
  const [here, served] = [`${directory.path}/here`, `${directory.path}/served`];
  makeSources(`${here}/src`);
  Deno.mkdirSync(served);
  await using server = await ServerProcess.start(served, ["--identity", `${directory.path}/key.pem`]);
  const options = { cwd: here, env: { XDG_STATE_HOME: directory.path } };
  const stdin = new Random(11).bytes(700_000).map((byte) => byte & 15);
  const on = ["127.0.0.1", server.port, "--compress", "on"];
  assertEquals((await runApp(["put", ...on, "-", "--as", "piped"], { ...options, stdin })).code, 0);
  assertEquals(Deno.readFileSync(`${served}/piped`), stdin);
  const lines = new TextEncoder().encode("put src\nget src/d1/f1.js -o again.js\n");
  const shell = await runApp(["shell", ...on], { ...options, stdin: lines });
  assertEquals(shell.code, 0, shell.stderr);
  assertEquals(Object.keys(describeTree(`${served}/src`)), Object.keys(describeTree(`${here}/src`)));
  assertEquals(Deno.readTextFileSync(`${here}/again.js`), Deno.readTextFileSync(`${here}/src/d1/f1.js`));
});
