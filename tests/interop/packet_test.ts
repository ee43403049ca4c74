/** The old programs of the format `packet`: the client against our server, and our client against the server. */
import { assertEquals, assertMatch } from "../support/assert.ts";
import { runApp, ServerProcess, temporaryDirectory } from "../support/program.ts";
import { OldServerProcess, oldTest, typeAtOldClient } from "./old_programs.ts";

/** What the old client prints for these lines of a person. */
async function oldClient(port: string, lines: readonly string[]): Promise<string[]> {
  return (await typeAtOldClient(lines.join("\n") + "\n", "packet_client", ".", "127.0.0.1", port)).split("\n");
}

oldTest("the old client gets the old answers to every command, on one connection", async () => {
  using shared = temporaryDirectory();
  const env = { XDG_STATE_HOME: shared.path };
  await using server = await ServerProcess.start(shared.path, [], { env });
  const answers = await oldClient(server.port, [
    "COMMANDS",
    "GET_CITY France",
    "GET_CITY Frnace",
    "GET_POPULATION France",
    "GET_POPULATION Frnace",
    "GET_CITY Antigua and Barbuda",
    "ADD_NEW_COUNTRY Atlantis,Poseidonia",
    "ADD_NEW_COUNTRY Atlantis,Poseidonia",
    "GET_CITY Atlantis",
    "HEART",
    "WHATEVER",
    "ADD_NEW_COUNTRY without a comma",
    "STOP",
  ]);
  assertEquals(answers, [
    "GET_CITY, GET_POPULATION, ADD_NEW_COUNTRY, HEART, STOP",
    "Paris",
    "No country found.",
    "68551653",
    "No country found",
    "Saint John's",
    "Atlantis and Poseidonia successfully added to database",
    "Country already exists",
    "Poseidonia",
    "beat",
    "Invalid command received by server",
    "Invalid command received by server",
  ]);
  const { log } = await server.stop();
  assertMatch(
    log,
    / packet capital "France" 0 bytes \d+ ms done \(received 8 bytes \(\d+ compressed, \d+ % larger\), sent /,
  );
  assertMatch(log, / packet capital "Frnace" 0 bytes \d+ ms not_found /);
  assertMatch(log, new RegExp(` records "${shared.path}/app/countries.csv" .*countries that are added go there`));
});

oldTest("five old clients at once, with one of ours, get each their own answers", async () => {
  using shared = temporaryDirectory();
  await using server = await ServerProcess.start(shared.path);
  const asks = Array.from({ length: 40 }, (_, index) => index % 2 ? "GET_CITY Peru" : "HEART");
  const expected = asks.map((ask) => ask === "HEART" ? "beat" : "Lima");
  const [ours, ...old] = await Promise.all([
    runApp(["capital", "127.0.0.1", server.port, "Peru"]),
    ...Array.from({ length: 5 }, () => oldClient(server.port, asks)),
  ]);
  assertEquals(ours, { code: 0, stdout: "Lima\n", stderr: "" });
  for (const answers of old) assertEquals(answers, expected);
});

oldTest("our commands speak to the old server, and say what compression saved", async () => {
  await using old = await OldServerProcess.start("packet_server");
  const app = (command: string, ...words: string[]) =>
    runApp([command, "127.0.0.1", String(old.port), ...words, "--wire", "packet"]);
  const { code, stdout, stderr } = await app("capital", "France");
  assertEquals([code, stdout], [0, "Paris\n"]);
  assertMatch(
    stderr,
    /^sent 8 bytes \(\d+ compressed, \d+ % larger\)\nreceived 6 bytes \(14 compressed, 133 % larger\)\n$/,
  );
  assertEquals((await app("population", "France")).stdout, "68287487\n");
  const added = await app("add", "Atlantis", "Poseidonia", "-q");
  assertEquals(added, { code: 0, stdout: "", stderr: "" });
  assertEquals((await app("add", "Atlantis", "Poseidonia", "-q")).code, 1);
  const unknown = await app("capital", "Mu", "-q");
  assertEquals([unknown.code, unknown.stdout], [1, ""]);
  assertMatch(unknown.stderr, /^No country found\.\nCheck the spelling/);
  const { stdout: beats } = await app("ping", "--count", "3");
  assertEquals(beats, "beat\nbeat\nbeat\n");
  assertEquals((await app("add", "A", "B", "7")).code, 2);
});

oldTest("an answer of the old server that comes byte by byte is understood", async () => {
  await using old = await OldServerProcess.start("packet_server", {}, 0.01);
  const { code, stdout } = await runApp(["capital", "127.0.0.1", String(old.port), "France", "--wire", "packet"]);
  assertEquals([code, stdout], [0, "Paris\n"]);
});
