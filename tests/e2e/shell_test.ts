/** `app shell`, piped and on a terminal. */
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { type Outcome, runApp, ServerProcess, temporaryDirectory } from "../support/program.ts";
import { HarmfulProxy } from "../support/proxy.ts";
import { Random } from "../support/random.ts";
import { HAS_PYTHON } from "../support/python.ts";
import { CTRL_C, TerminalProcess } from "../support/terminal_process.ts";

const CTRL_D = "\x04";
const ARROW_UP = "\x1b[A";
const PROMPT = /app> (.\[\d+G)?$/;

const textOf = (...lines: string[]) => new TextEncoder().encode(lines.join("\n"));

function pipe(port: string, lines: string[], ...options: string[]): Promise<Outcome> {
  return runApp(["shell", "127.0.0.1", port, ...options], { stdin: textOf(...lines), patienceMs: 30_000 });
}

Deno.test("piped lines run without a prompt or colours, over one connection", async () => {
  using shared = temporaryDirectory();
  using here = temporaryDirectory();
  Deno.writeTextFileSync(`${shared.path}/two words.txt`, "content");
  await using server = await ServerProcess.start(shared.path);
  const lines = ["list", `get "two words.txt" --output '${here.path}/got.txt'`, "", "  mkdir sub", "list"];
  const { code, stdout, stderr } = await pipe(server.port, lines);
  assertEquals([code, stderr], [0, ""]);
  assertEquals(stdout.split("\n"), [
    "two words.txt",
    "two words.txt successfully downloaded as got.txt.",
    "sub successfully made.",
    "sub/",
    "two words.txt",
    "",
  ]);
  assertEquals(Deno.readTextFileSync(`${here.path}/got.txt`), "content");
  const { log } = await server.stop();
  const peers = Array.from(log.matchAll(/^\S+ (\S+) stranger (list|get|mkdir) /gm), ([, peer]) => peer);
  assertEquals([peers.length, new Set(peers).size], [4, 1], log);
});

Deno.test("piped lines may have the names that the old program had", async () => {
  using shared = temporaryDirectory();
  await using server = await ServerProcess.start(shared.path);
  const lines = ["GET_CITY Antigua and Barbuda", "GET_POPULATION France", "HEART", "STOP"];
  const { code, stdout } = await pipe(server.port, lines);
  assertEquals(code, 0);
  assertMatch(stdout, /^Saint John's\n\d{8}\nbeat\n$/);
});

Deno.test("piped, the exit code is that of the last command that failed, and the others still run", async () => {
  using shared = temporaryDirectory();
  Deno.writeTextFileSync(`${shared.path}/a.txt`, "content");
  await using server = await ServerProcess.start(shared.path);
  const { code, stdout, stderr } = await pipe(server.port, ['list "', "get nothing", "list"]);
  assertEquals([code, stdout], [1, "a.txt\n"]);
  assertMatch(stderr, /^The line ends before the closing "\n.*\nCannot open "nothing"/);
  assertEquals((await pipe(server.port, ["stat nothing", "lst", "list", "STOP", "nonsense"])).code, 2);
  assertEquals((await pipe(server.port, ["stat nothing", "list", "exit", "nonsense"])).code, 1);
  assertEquals((await pipe(server.port, [])).code, 0);
});

Deno.test("--json goes through to every command and every mistake", async () => {
  using shared = temporaryDirectory();
  Deno.writeTextFileSync(`${shared.path}/a.txt`, "content");
  await using server = await ServerProcess.start(shared.path);
  const { code, stdout, stderr } = await pipe(server.port, ["list", "stat x", "nonsense"], "--json");
  assertEquals([code, stderr], [2, ""]);
  const events = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(events.map(({ event, code }) => [event, code]), [
    ["entry", undefined],
    ["error", "not_found"],
    ["error", "usage"],
  ]);
});

Deno.test("a shell that finds no server says so before it reads anything, with exit code 3", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const { code, stderr } = await pipe(String(port), ["list"]);
  assertEquals(code, 3);
  assertMatch(stderr, /nothing listens there/);
});

Deno.test("help and COMMANDS show the same commands, without HOST PORT", async () => {
  using shared = temporaryDirectory();
  await using server = await ServerProcess.start(shared.path);
  const [help, old, one, capital, oldCapital] = await Promise.all(
    [["help"], ["COMMANDS"], ["help get"], ["help capital"], ["help GET_CITY"]].map((lines) =>
      pipe(server.port, lines)
    ),
  );
  assertEquals(old, help);
  assertEquals(oldCapital, capital);
  assertMatch(capital!.stdout, /^capital: /);
  assertMatch(help!.stdout, /^get NAME\.\.\. +Get files and directories$/m);
  assertMatch(help!.stdout, /GET_CITY \(capital\)/);
  assertMatch(one!.stdout, /^get: Get files and directories\n\nUsage: get NAME\.\.\. \[OPTIONS\]\n/);
  assertEquals(/HOST PORT/.test(help!.stdout + one!.stdout), false);
});

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: !HAS_PYTHON, fn });
}

/** A shell that keeps its history, and what it gets, below `folder`. */
function shellOf(port: string, folder: string): TerminalProcess {
  return new TerminalProcess(["shell", "127.0.0.1", port], 100, { cwd: folder, env: { XDG_STATE_HOME: folder } });
}

/** What is shown from now on, when `pattern` came. */
async function after(app: TerminalProcess, text: string, pattern: RegExp): Promise<string> {
  app.shown = "";
  await app.type(text);
  await app.until(pattern);
  return app.shown;
}

test("on a terminal a shell has a prompt, completion with Tab and history with the arrows; Ctrl-D ends it", async () => {
  using shared = temporaryDirectory();
  Deno.writeTextFileSync(`${shared.path}/apple pie.txt`, "content");
  Deno.writeTextFileSync(`${shared.path}/other.txt`, "content");
  await using server = await ServerProcess.start(shared.path);
  await using app = shellOf(server.port, shared.path);
  await app.until(PROMPT);
  assertMatch(app.shown, /Connected to 127\.0\.0\.1 \d+; help shows the commands, Ctrl-D ends\r\n/);
  await after(app, "dig", /dig$/);
  await after(app, "\t", /digest $|est (.\[\d+G)?$/);
  await after(app, "a", /a$/);
  await after(app, "\t", /pple\\ pie\.txt (.\[\d+G)?$/);
  const answer = await after(app, "\r", PROMPT);
  assertMatch(answer, /[0-9a-f]{128} {2}apple pie\.txt\r\n/);
  await after(app, "nonsense\r", PROMPT);
  assertMatch(app.shown, /Unknown command "nonsense"\r\nEnter: help\r\n/);
  await after(app, ARROW_UP, /nonsense/);
  await after(app, ARROW_UP, /digest apple\\ pie\.txt/);
  assertMatch(await after(app, "\r", PROMPT), /[0-9a-f]{128} {2}apple pie\.txt\r\n/);
  await app.type(CTRL_D);
  assertEquals(await app.finished(), 0, app.shown);
  assert(app.shown.endsWith("\n"), JSON.stringify(app.shown));
});

test("Ctrl-C forgets the line that is being typed", async () => {
  using shared = temporaryDirectory();
  await using server = await ServerProcess.start(shared.path);
  await using app = shellOf(server.port, shared.path);
  await app.until(PROMPT);
  await after(app, "remove everything", /everything$/);
  await after(app, CTRL_C, /\^C\r\n[^]*app> (.\[\d+G)?$/);
  await after(app, "mkdir sub\r", /sub successfully made\.\r\n[^]*app> /);
  await app.type("exit\r");
  assertEquals(await app.finished(), 0, app.shown);
});

test("Ctrl-C ends the running command and not the shell, which connects anew for the next one", async () => {
  using shared = temporaryDirectory();
  using here = temporaryDirectory();
  Deno.writeFileSync(`${shared.path}/large.bin`, new Random(4).bytes(8_000_000));
  await using server = await ServerProcess.start(shared.path);
  await using proxy = new HarmfulProxy(server.port, { direction: "to client", offset: 6_000_000, kind: "stall" });
  await using app = shellOf(proxy.port, here.path);
  await app.until(PROMPT);
  await app.type("get large.bin\r");
  await Promise.all([proxy.harmed, app.until(/\d%/)]);
  await after(app, CTRL_C, /Interrupted\r\n[^]*app> (.\[\d+G)?$/);
  await after(app, "get large.bin\r", /large\.bin successfully downloaded\.\r\n[^]*app> /);
  await app.type("exit\r");
  assertEquals(await app.finished(), 0, app.shown);
  assertEquals(Deno.statSync(`${here.path}/large.bin`).size, 8_000_000);
});

test("a server that dies is told of at once, and the next command finds the one that came in its place", async () => {
  using shared = temporaryDirectory();
  Deno.writeTextFileSync(`${shared.path}/a.txt`, "content");
  await using first = await ServerProcess.start(shared.path);
  await using app = shellOf(first.port, shared.path);
  await app.until(PROMPT);
  app.shown = "";
  await first.stop("SIGKILL");
  await app.until(/; the next command connects to the server again\r\n[^]*app> /);
  assertMatch(await after(app, "list\r", /nothing listens there[^]*app> (.\[\d+G)?$/), /Cannot connect/);
  await using _second = await ServerProcess.start(shared.path, ["--port", first.port]);
  await after(app, "list\r", /a\.txt\r\n[^]*app> /);
  await app.type("STOP\r");
  assertEquals(await app.finished(), 0, app.shown);
});

test("the history of a terminal is there in the next shell, and a pipe neither reads nor writes one", async () => {
  using shared = temporaryDirectory();
  using state = temporaryDirectory();
  const file = `${state.path}/app/shell_history`;
  await using server = await ServerProcess.start(shared.path);
  const env = { XDG_STATE_HOME: state.path };
  await runApp(["shell", "127.0.0.1", server.port], { stdin: textOf("list"), env });
  assertEquals(Array.from(Deno.readDirSync(state.path)), []);
  {
    await using app = shellOf(server.port, state.path);
    await app.until(PROMPT);
    await after(app, "mkdir sub\r", /sub successfully made\.\r\n[^]*app> /);
    await after(app, "get app://secret\r", PROMPT);
    await app.type("exit\r");
    assertEquals(await app.finished(), 0, app.shown);
  }
  assertEquals(Deno.readTextFileSync(file), "mkdir sub\nexit\n");
  await using app = shellOf(server.port, state.path);
  await app.until(PROMPT);
  await after(app, ARROW_UP, /exit/);
  await after(app, ARROW_UP, /mkdir sub/);
  await after(app, CTRL_C, /\^C\r\n[^]*app> (.\[\d+G)?$/);
  await app.type(CTRL_D);
  assertEquals(await app.finished(), 0, app.shown);
});
