/** On a terminal: what is missing is asked for, progress is painted and fits, and Ctrl-C works everywhere. */
import stringWidth from "string-width";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { visible } from "../support/names_in.ts";
import { runApp, ServerProcess, temporaryDirectory } from "../support/program.ts";
import { HarmfulProxy } from "../support/proxy.ts";
import { HAS_PYTHON } from "../support/python.ts";
import { Random } from "../support/random.ts";
import { CTRL_C, TerminalProcess } from "../support/terminal_process.ts";

const CONTENT = new Random(12).bytes(24_000_000);
const LATE = 20_000_000;

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: !HAS_PYTHON, fn });
}

/** The lines that were painted over one another; the terminal adds the key. */
function painted(shown: string): string[] {
  return shown.split(/\r|\n/).map((line) => line.replace("\x1b[K", "").replace("^C", "")).filter((line) =>
    /\d%/.test(line)
  );
}

test("a person is asked for HOST, PORT and NAME when they are missing", async () => {
  using shared = temporaryDirectory();
  using here = temporaryDirectory();
  Deno.writeTextFileSync(`${shared.path}/a.txt`, "content");
  await using server = await ServerProcess.start(shared.path);
  await using app = new TerminalProcess(["get"], 80, { cwd: here.path });
  await app.until(/Enter ip --> $/);
  await app.type("127.0.0.1\n");
  await app.until(/Enter port --> $/);
  await app.type(`${server.port}\n`);
  await app.until(/Enter file name on server --> $/);
  await app.type("a.txt\n");
  assertEquals(await app.finished(), 0, app.shown);
  assertMatch(app.shown, /\ba\.txt successfully downloaded\.\r\n$/);
  assertEquals(Deno.readTextFileSync(`${here.path}/a.txt`), "content");
});

test("what was given is not asked for", async () => {
  using shared = temporaryDirectory();
  Deno.writeTextFileSync(`${shared.path}/a.txt`, "content");
  await using server = await ServerProcess.start(shared.path);
  await using app = new TerminalProcess(["list", `127.0.0.1:${server.port}`], 80);
  assertEquals(await app.finished(), 0, app.shown);
  assertMatch(app.shown, /^a\.txt\r\n$/m);
  assertEquals(app.shown.includes("Enter"), false, app.shown);
});

test("an answer that is empty is a mistake, as a word that is missing", async () => {
  await using app = new TerminalProcess(["list"], 80);
  await app.until(/Enter ip --> $/);
  await app.type("\n");
  assertEquals(await app.finished(), 2, app.shown);
  assertMatch(app.shown, /HOST is missing\r\nRun: app list --help\r\n$/);
});

test("Ctrl-C at a question ends with 130", async () => {
  await using app = new TerminalProcess(["list"], 80);
  await app.until(/Enter ip --> $/);
  await app.type(CTRL_C);
  assertEquals(await app.finished(), 130, app.shown);
});

test("serve --ask asks for the port as the old server did, and an empty answer takes that of --port", async () => {
  using shared = temporaryDirectory();
  for (const [port, answer] of [["6000", "0"], ["0", ""]] as const) {
    await using app = new TerminalProcess(["serve", shared.path, "--ask", "--port", port], 80);
    await app.until(/Enter desired port --> $/);
    await app.type(`${answer}\n`);
    await app.until(/Running on port: \d+\r\n/);
    const running = Number(/port: (\d+)/.exec(app.shown)![1]);
    assert(running > 0 && running !== 6000, app.shown);
    await app.until(/Sharing: .*\r\n/);
    await app.type(CTRL_C);
    assertEquals(await app.finished(), 0, app.shown);
  }
});

test("serve --ask refuses what is no port", async () => {
  for (const answer of ["many", "65536", "-1"]) {
    await using app = new TerminalProcess(["serve", "--ask"], 80);
    await app.until(/Enter desired port --> $/);
    await app.type(`${answer}\n`);
    assertEquals(await app.finished(), 2, app.shown);
    assertMatch(app.shown, /is no port: it must be a number from 0 to 65535\r\n/);
  }
});

Deno.test("serve --ask without a terminal is a mistake", async () => {
  const { code, stderr } = await runApp(["serve", "--ask", "--port", "0"], { patienceMs: 10_000 });
  assertEquals([code, stderr], [2, "--ask needs a terminal\nSay --port N instead\n"]);
});

for (const columns of [24, 80]) {
  test(`progress fits a terminal of ${columns} columns, Ctrl-C ends the get with 130, and the next one goes on`, async () => {
    const name = "写真 from the mountains, and of the sea 🎈🎈.bin";
    using shared = temporaryDirectory();
    using here = temporaryDirectory();
    Deno.writeFileSync(`${shared.path}/${name}`, CONTENT);
    await using server = await ServerProcess.start(shared.path);
    await using proxy = new HarmfulProxy(server.port, { direction: "to client", offset: LATE, kind: "stall" });
    await using app = new TerminalProcess(["get", "127.0.0.1", proxy.port, name], columns, { cwd: here.path });
    await Promise.all([proxy.harmed, app.until(/\d%.*\r/)]);
    await app.type(CTRL_C);
    assertEquals(await app.finished(), 130, app.shown);
    for (const line of painted(app.shown)) assert(stringWidth(line) < columns, JSON.stringify(line));
    assertMatch(app.shown, /Interrupted\r\n[^\n]+\r\n$/);
    assertEquals(visible(here.path), []);
    const again = await runApp(["get", "127.0.0.1", server.port, name, "--json"], { cwd: here.path });
    assertEquals(again.code, 0, again.stderr);
    assert(JSON.parse(again.stdout.trimEnd().split("\n").at(-1)!).resumedBytes > 0, again.stdout);
    assertEquals(Deno.readFileSync(`${here.path}/${name}`), CONTENT);
  });
}
