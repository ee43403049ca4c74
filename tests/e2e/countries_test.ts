/** Countries as a person asks for them: the commands, `serve --data`, and what is told of a file that is broken. */
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { runApp, ServerProcess, temporaryDirectory } from "../support/program.ts";

const CSV = "Country,Capital,Population\nPeru,Lima,34\nMu,Hiranipura,\n";

Deno.test("capital and population answer with nothing else on stdout, and with exit codes", async () => {
  using shared = temporaryDirectory();
  await using server = await ServerProcess.start(shared.path);
  const app = (...words: string[]) => runApp([words[0]!, "127.0.0.1", server.port, ...words.slice(1)]);
  assertEquals(await app("capital", "antigua", "and", "barbuda"), { code: 0, stdout: "Saint John's\n", stderr: "" });
  assertEquals(await app("population", "FRANCE"), { code: 0, stdout: "68551653\n", stderr: "" });
  const unknown = await app("capital", "Frnace");
  assertEquals([unknown.code, unknown.stdout], [1, ""]);
  assertMatch(unknown.stderr, /^No country found\. Did you mean France\?\nCheck the spelling/);
  assertEquals((await app("capital")).code, 2);
  assertEquals((await app("add", "Atlantis", "Poseidonia", "many")).code, 2);
  const { stdout } = await app("population", "France", "--json");
  assertEquals(JSON.parse(stdout), { event: "record", country: "France", population: 68551653 });
});

Deno.test("ping answers beat as often as it is asked, and tells how long it took", async () => {
  using shared = temporaryDirectory();
  await using server = await ServerProcess.start(shared.path);
  const plain = await runApp(["ping", "127.0.0.1", server.port, "--count", "3"]);
  assertEquals([plain.code, plain.stdout], [0, "beat\nbeat\nbeat\n"]);
  assertMatch(plain.stderr, /^3 heartbeats: min \d+\.\d{3}, avg \d+\.\d{3}, max \d+\.\d{3} ms\n$/);
  const json = await runApp(["ping", "127.0.0.1", server.port, "--json"]);
  const events = json.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(events.map(({ event }) => event), ["beat", "done"]);
  assert(events[1].minMs <= events[1].averageMs && events[1].averageMs <= events[1].maxMs);
});

for (const option of ["--data", "--file"]) {
  Deno.test(`serve ${option} answers from that file, adds to it, and reports its broken rows`, async () => {
    using shared = temporaryDirectory();
    const file = `${shared.path}/data.csv`;
    Deno.writeTextFileSync(file, `${CSV}Spain,,\n`);
    await using server = await ServerProcess.start(shared.path, [option, file]);
    const app = (...words: string[]) => runApp([words[0]!, "127.0.0.1", server.port, ...words.slice(1)]);
    assertEquals((await app("capital", "Mu")).stdout, "Hiranipura\n");
    assertEquals((await app("capital", "France")).code, 1);
    const unknown = await app("population", "Mu");
    assertEquals([unknown.code, unknown.stdout], [1, ""]);
    const added = await app("add", "Spain", "Madrid", "48,000,000");
    assertEquals(added, { code: 0, stdout: "Spain and Madrid successfully added to database\n", stderr: "" });
    assertEquals((await app("add", "españa, the", "X")).code, 0);
    const again = await app("add", "SPAIN", "X");
    assertEquals([again.code, again.stderr.split("\n")[0]], [1, "Country already exists"]);
    assert(Deno.readTextFileSync(file).includes('"Spain","Madrid","48000000"\n'));
    const { log } = await server.stop();
    assertMatch(log, / records ".*\/data\.csv" .* bad_record \(line 4, column 7: the capital is missing\)/);
  });
}

Deno.test("two servers on one file add each country once, and know what the other added", async () => {
  using shared = temporaryDirectory();
  const file = `${shared.path}/data.csv`;
  Deno.writeTextFileSync(file, CSV);
  await using one = await ServerProcess.start(shared.path, ["--data", file]);
  await using other = await ServerProcess.start(shared.path, ["--data", file]);
  for (let round = 0; round < 3; round++) {
    const adds = [one, other, one, other].map(({ port }, index) =>
      runApp(["add", "127.0.0.1", port, `Land ${round}`, `Town ${index}`, "--retries", "0"])
    );
    const codes = (await Promise.all(adds)).map(({ code }) => code);
    assertEquals(codes.toSorted(), [0, 1, 1, 1]);
  }
  assertEquals(Deno.readTextFileSync(file).split("\n").length, CSV.split("\n").length + 3);
});

Deno.test("serve with a file that is not there, or is none, says so and ends", async () => {
  using shared = temporaryDirectory();
  const missing = await runApp(["serve", shared.path, "--port", "0", "--data", `${shared.path}/no.csv`]);
  assertEquals([missing.code, missing.stdout], [1, ""]);
  assertMatch(missing.stderr, /^Cannot read ".*no\.csv": there is nothing under that name\n/);
  const directory = await runApp(["serve", shared.path, "--port", "0", "--data", shared.path]);
  assertEquals(directory.code, 1);
  assertMatch(directory.stderr, /it is no file/);
});
