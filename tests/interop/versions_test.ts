/**
 * Encrypted and compressed between the two versions of the runtime that the program runs on, both ways: their TLS is not
 * the same, nor what they can compress with.
 * Needs `DENO_LTS`; where these tests run on that version themselves, the other one is not at hand.
 */
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { APP, drive, runApp, ServerProcess, temporaryDirectory } from "../support/program.ts";
import { Random } from "../support/random.ts";
import { describeTree } from "../support/random_tree.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const SOURCES = ["main.ts", "protocol", "server", "client"];

const lts = Deno.env.get("DENO_LTS");
const ignore = !lts || Deno.version.deno.startsWith("2.5.");
if (ignore) console.log("skipped: no other version of Deno");

/** The words that start the program on the other version, from a copy in `folder` that has what this version knows. */
function wordsOfLts(folder: string): string[] {
  for (const name of SOURCES) {
    assert(new Deno.Command("cp", { args: ["-R", ROOT + name, folder] }).outputSync().success);
  }
  const { test: _, ...settings } = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`));
  Deno.writeTextFileSync(`${folder}/deno.json`, JSON.stringify(settings));
  const store = "DENO_TLS_CA_STORE=system,mozilla"; // where npm packages come from may be known to the system only
  return ["/usr/bin/env", store, lts!, "run", "--quiet", "-A", "--no-lock", "--no-check", `${folder}/main.ts`];
}

for (const server of ["this version", "Deno 2.5"] as const) {
  Deno.test({
    name: `encrypted with a server on ${server} and a client on the other: files both ways, lists, and a wrong key`,
    ignore,
    async fn() {
      using copy = temporaryDirectory();
      using shared = temporaryDirectory();
      using here = temporaryDirectory();
      const content = new Random(3).bytes(3_000_000);
      Deno.writeFileSync(`${shared.path}/big.bin`, content);
      const ours = APP;
      const other = wordsOfLts(copy.path);
      const [ofServer, ofClient] = server === "this version" ? [ours, other] : [other, ours];
      const options = { cwd: here.path, env: { XDG_STATE_HOME: here.path } };
      try {
        drive(ofServer);
        await using process = await ServerProcess.start(shared.path, ["--identity", `${copy.path}/identity.pem`]);
        drive(ofClient);
        const app = (...words: string[]) => runApp([words[0]!, "127.0.0.1", process.port, ...words.slice(1)], options);
        const list = await app("list");
        assertEquals([list.code, list.stdout], [0, "big.bin\n"], list.stderr);
        assertEquals((await app("get", "big.bin")).code, 0);
        assertEquals(Deno.readFileSync(`${here.path}/big.bin`), content);
        assertEquals((await app("put", "big.bin", "--as", "back.bin")).code, 0);
        assertEquals(Deno.readFileSync(`${shared.path}/back.bin`), content);
        const known = `${here.path}/app/known_hosts`;
        Deno.writeTextFileSync(known, Deno.readTextFileSync(known).replace(/ .*/, ` ${"A".repeat(43)}`));
        const refused = await app("list");
        assertEquals(refused.code, 3);
        assertMatch(refused.stderr, /could not prove that it has the key that is known/);
      } finally {
        drive(ours);
      }
    },
  });
}

for (const server of ["this version", "Deno 2.5"] as const) {
  Deno.test({
    name: `compressed with a server on ${server} and a client on the other: a tree there and back`,
    ignore,
    async fn() {
      using copy = temporaryDirectory();
      using shared = temporaryDirectory();
      using here = temporaryDirectory();
      const random = new Random(4);
      Deno.mkdirSync(`${here.path}/tree`);
      for (let index = 0; index < 30; index++) {
        const content = random.bytes(10_000 * index).map((byte) => byte & 15);
        Deno.writeFileSync(`${here.path}/tree/${index}`, content);
      }
      const ours = APP;
      const other = wordsOfLts(copy.path);
      const [ofServer, ofClient] = server === "this version" ? [ours, other] : [other, ours];
      try {
        drive(ofServer);
        await using process = await ServerProcess.start(shared.path);
        drive(ofClient);
        for (const words of [["push", "tree", "there"], ["pull", "there", "back"]]) {
          const [command, ...names] = words as [string, ...string[]];
          const args = [command, "127.0.0.1", process.port, ...names, "--compress", "on", "--json"];
          const { code, stdout, stderr } = await runApp(args, { cwd: here.path });
          assertEquals(code, 0, stderr);
          const { bytesOnWire, sizeBytes } = JSON.parse(stdout.trimEnd().split("\n").at(-1)!);
          assert(bytesOnWire < 0.6 * sizeBytes, `${bytesOnWire} bytes for ${sizeBytes}`);
        }
        assertEquals(describeTree(`${here.path}/back`), describeTree(`${here.path}/tree`));
      } finally {
        drive(ours);
      }
    },
  });
}
