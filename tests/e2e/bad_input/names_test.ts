/** The name traps, over every command that names something on the server or stores something here. */
import { main } from "../../../main.ts";
import { FakeTerminal, NEVER_INTERRUPTED } from "../../cli/fake_terminal.ts";
import { startServed } from "../../server/served.ts";
import { assertEquals, assertStringIncludes } from "../../support/assert.ts";
import { names as namesIn } from "../../support/names_in.ts";
import { APP, type Outcome, runApp, ServerProcess, temporaryDirectory } from "../../support/program.ts";
import { canRun } from "./lost_rights.ts";
import { BENIGN, TRAPS, UNSPEAKABLE } from "./name_traps.ts";
import { assertNoDefect, assertRefusals, assertRefused, type Refusal } from "./refusals.ts";

const ANOTHER = "Choose another name";

/** Each command with a name in each of its places; `there` is HOST PORT. Words stand behind `--`. */
const COMMANDS: readonly ((there: readonly string[], name: string) => string[])[] = [
  (there, name) => ["get", ...there, "--", name],
  (there, name) => ["put", ...there, "/etc/hosts", `--as=${name}`],
  (there, name) => ["list", ...there, "--", name],
  (there, name) => ["stat", ...there, "--", name],
  (there, name) => ["digest", ...there, "--", name],
  (there, name) => ["mkdir", ...there, "--", name],
  (there, name) => ["move", ...there, "--", name, "new"],
  (there, name) => ["move", ...there, "--", "file", name],
  (there, name) => ["remove", ...there, "--", name],
];

/** The program in this process: a process for each command and name would take a minute. */
async function runHere(args: readonly string[]): Promise<Outcome> {
  const terminal = new FakeTerminal();
  const code = await main(args, terminal, NEVER_INTERRUPTED);
  return { code, stdout: terminal.results.join("\n"), stderr: terminal.noted };
}

/** What `list` takes for the shared directory or for a directory, and `--as` for no value, is no trap to them. */
function isTrapFor([command]: readonly string[], name: string): boolean {
  if (command === "list") return name !== "" && name !== "a/";
  return command !== "put" || name !== "";
}

Deno.test("every trap is refused by every command, and nothing is touched", async () => {
  await using served = startServed({ "file": "content" }, { allowOverwrite: true, allowRemove: true });
  const there = ["127.0.0.1", String(served.port)];
  for (const [name, reason] of [...TRAPS, ...UNSPEAKABLE]) {
    for (const args of COMMANDS.map((command) => command(there, name)).filter((args) => isTrapFor(args, name))) {
      assertRefused(await runHere(args), { args, code: 1, says: `: ${reason}`, next: ANOTHER });
    }
  }
  assertEquals([namesIn(served.root), served.records.length], [["file"], 0]);
});

Deno.test("traps reach the program through a real command line, and are quoted so that they do no harm", async () => {
  using shared = temporaryDirectory();
  using here = temporaryDirectory();
  Deno.writeTextFileSync(`${shared.path}/file`, "content");
  await using server = await ServerProcess.start(shared.path, ["--allow-overwrite", "--allow-remove"]);
  const there = ["127.0.0.1", server.port];
  const refusals = TRAPS.map(([name, reason], index): Refusal => {
    const args = COMMANDS[index % COMMANDS.length]!(there, name);
    if (!isTrapFor(args, name)) args[0] = "stat";
    return { args, code: 1, says: `: ${reason}`, next: ANOTHER };
  });
  await assertRefusals(refusals, { cwd: here.path });
  assertEquals([namesIn(shared.path), namesIn(here.path)], [["file"], []]);
  const { stderr } = await runApp(["stat", ...there, "\u001b[31mred"]);
  assertStringIncludes(stderr, String.raw`"\u{1b}[31mred"`);
  const { log } = await server.stop();
  assertEquals(log, "", "a name that breaks the rule is not even sent");
});

/** Words before the program that give it one more argument, which is no text. */
const WITH_NO_TEXT = ["sh", "-c", String.raw`exec "$@" "$(printf 'a\377b')"`, "sh"];
const CAN_BE_GIVEN_NO_TEXT = canRun([...WITH_NO_TEXT, ...APP, "--version"]);
if (!CAN_BE_GIVEN_NO_TEXT) console.log("skipped: this runtime itself refuses arguments that are no text");

Deno.test({
  name: "bytes that are no text lead nowhere, and are told as what nothing stands under",
  ignore: !CAN_BE_GIVEN_NO_TEXT,
  async fn() {
    using shared = temporaryDirectory();
    await using server = await ServerProcess.start(shared.path);
    const refusals = ["get", "put", "stat", "digest"].map((command): Refusal => ({
      args: [command, "127.0.0.1", server.port],
      code: 1,
      says: "there is nothing under that name",
      next: "",
    }));
    await assertRefusals(refusals, { through: WITH_NO_TEXT });
    assertEquals(namesIn(shared.path), []);
  },
});

Deno.test("names that only look like traps mean themselves, in every command", async () => {
  await using served = startServed({ "file": "content" }, { allowOverwrite: true, allowRemove: true });
  using here = temporaryDirectory();
  const there = ["127.0.0.1", String(served.port)];
  for (const name of BENIGN) {
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await runHere(args);
      assertEquals(code, 0, `app ${args.join(" ")}\n${stderr}`);
      return stdout;
    };
    await run("put", ...there, "/etc/hosts", `--as=${name}`);
    assertEquals(await Deno.readFile(`${served.root}/${name}`), await Deno.readFile("/etc/hosts"), name);
    assertStringIncludes(await run("stat", ...there, "--", name), name);
    assertStringIncludes(await run("digest", ...there, "--", name), name);
    await run("get", ...there, `--output=${here.path}/${name}`, "--", name);
    assertEquals(await Deno.readFile(`${here.path}/${name}`), await Deno.readFile("/etc/hosts"), name);
    await run("move", ...there, "--", name, "moved");
    await run("move", ...there, "--", "moved", name);
    await run("remove", ...there, "--", name);
    if (!name.includes("/")) {
      await run("mkdir", ...there, "--", name);
      await run("list", ...there, "--", name);
      await run("remove", ...there, "--", name);
    }
  }
});

Deno.test("the same names travel both ways between processes, many in one command", async () => {
  using shared = temporaryDirectory();
  using here = temporaryDirectory();
  using back = temporaryDirectory();
  const names = BENIGN.filter((name) => !name.includes("/") && name !== "-");
  for (const name of names) Deno.writeTextFileSync(`${here.path}/${name}`, name);
  await using server = await ServerProcess.start(shared.path);
  const there = ["127.0.0.1", server.port, "--"];
  const put = await runApp(["put", ...there, ...names], { cwd: here.path });
  assertEquals([put.code, put.stderr], [0, ""]);
  const get = await runApp(["get", ...there, ...names], { cwd: back.path });
  assertEquals([get.code, get.stderr], [0, ""]);
  for (const name of names) assertEquals(Deno.readTextFileSync(`${back.path}/${name}`), name);
  assertEquals([namesIn(shared.path), namesIn(back.path)], [names.toSorted(), names.toSorted()]);
  assertNoDefect((await server.stop()).log);
});

Deno.test("the reason is told however long the name is", async () => {
  using shared = temporaryDirectory();
  const longest = "ü".repeat(127) + "x";
  Deno.writeTextFileSync(`${shared.path}/${longest}`, "taken");
  await using server = await ServerProcess.start(shared.path);
  const there = ["127.0.0.1", server.port];
  const deep = `${longest}/`.repeat(15) + "x";
  await assertRefusals([
    {
      args: ["put", ...there, "/etc/hosts", "--as", longest],
      code: 1,
      says: `": the name is taken`,
      next: "--if-exists",
    },
    { args: ["get", ...there, deep], code: 1, says: "part of the name is a file", next: "Name a directory" },
    // A number would make it longer than the file system takes.
    {
      args: ["put", ...there, "/etc/hosts", "--as", longest, "--if-exists", "rename"],
      code: 1,
      says: "does not take that name",
      next: ANOTHER,
    },
  ]);
  assertEquals(namesIn(shared.path), [longest]);
});

Deno.test("a file whose name is written in other marks here has the composed name there", async () => {
  using shared = temporaryDirectory();
  using here = temporaryDirectory();
  Deno.writeTextFileSync(`${here.path}/u\u0308ber`, "content");
  await using server = await ServerProcess.start(shared.path);
  const { code, stderr } = await runApp(["put", "127.0.0.1", server.port, "u\u0308ber"], { cwd: here.path });
  assertEquals([code, stderr], [0, ""]);
  assertEquals(namesIn(shared.path), ["\u00fcber"]);
});
