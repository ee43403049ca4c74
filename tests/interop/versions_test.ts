/**
 * Encrypted between the two versions of the runtime that the program runs on, both ways: their TLS is not the same.
 * Needs `DENO_LTS`; where these tests run on that version themselves, the other one is not at hand.
 */
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { APP, drive, runApp, ServerProcess, temporaryDirectory } from "../support/program.ts";
import { Random } from "../support/random.ts";

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
