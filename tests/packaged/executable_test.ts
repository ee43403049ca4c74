/** What is only true of the executable: it is whole, needs nothing, trusts nothing around it, and its size and start. */
import { Buffer } from "node:buffer";
import configuration from "../../deno.json" with { type: "json" };
import { CLIENT_COMMANDS } from "../../client/commands/mod.ts";
import { assert, assertEquals, assertStringIncludes } from "../support/assert.ts";
import { drive, type Outcome, runApp, ServerProcess, startApp, temporaryDirectory } from "../support/program.ts";
import { makeExecutable } from "./executable.ts";

const SIZE_BYTES_MAX = 120_000_000;
const STARTS = 9;

const COMMANDS = ["serve", ...Object.keys(CLIENT_COMMANDS)];

const executable = makeExecutable();
const sourceHelp = executable ? await helpPages() : [];
if (executable) drive(executable.words());

function test(name: string, fn: () => Promise<void> | void): void {
  Deno.test({ name, ignore: !executable, fn });
}

/** What every way to ask for help and the version comes to. */
async function helpPages(): Promise<Outcome[]> {
  const asked = [[], ["--help"], ["help"], ["--version"], ...COMMANDS.map((name) => [name, "--help"]), ["lsit"]];
  return await Promise.all(asked.map((args) => runApp(args)));
}

test("help of the executable is that of the source", async () => {
  assertEquals(await helpPages(), sourceHelp);
});

test("version of the executable is the one of deno.json, which is embedded", async () => {
  assertEquals(await runApp(["--version"]), { code: 0, stdout: `app ${configuration.version}\n`, stderr: "" });
});

test("executable has in it what its packages ask to be passed on", () => {
  const bytes = Buffer.from(Deno.readFileSync(executable!.path).buffer);
  const passed = Deno.readTextFileSync(new URL("../../THIRD_PARTY_LICENSES.txt", import.meta.url));
  assert(bytes.includes(passed), "the text is not in it");
});

test("executable runs in an empty directory with no environment at all, and leaves nothing there", async () => {
  using empty = temporaryDirectory();
  drive(executable!.words([]));
  await using server = await ServerProcess.start(".", [], { cwd: empty.path });
  assertEquals(await runApp(["list", "127.0.0.1", server.port], { cwd: empty.path }), {
    code: 0,
    stdout: "",
    stderr: "",
  });
  assertEquals((await server.stop()).code, 0);
  assertEquals(Array.from(Deno.readDirSync(empty.path)), []);
  drive(executable!.words());
});

test("executable does not read a cache of code that others could have left among the temporary files", async () => {
  using planted = temporaryDirectory();
  const fifo = `${planted.path}/deno-compile-app.cache`; // whoever reads it waits for ever
  assert(new Deno.Command("mkfifo", { args: [fifo] }).outputSync().success);
  drive(executable!.words([`TMPDIR=${planted.path}`]));
  const child = startApp(["--version"]);
  const giveUp = setTimeout(() => child.kill("SIGKILL"), 20_000);
  const [{ code, stdout }] = await Promise.all([child.output(), child.stdin.close()]);
  clearTimeout(giveUp);
  assertEquals([code, new TextDecoder().decode(stdout)], [0, `app ${configuration.version}\n`]);
  drive(executable!.words());
});

test("executable has the program in it and nothing of the tests, fixtures and documents", () => {
  const text = new TextDecoder("latin1").decode(Deno.readFileSync(executable!.path));
  assertStringIncludes(text, "Let clients replace files"); // so text of the program would be found
  for (const stranger of ["temporaryDirectory(", "Share a directory with another machine over TCP"]) {
    assert(!text.includes(stranger), `it has ${JSON.stringify(stranger)}`);
  }
});

test("executable is no larger than 120 MB", () => {
  console.log(`size: ${(executable!.sizeBytes / 1e6).toFixed(1)} MB, made in ${Math.round(executable!.madeInMs)} ms`);
  assert(executable!.sizeBytes < SIZE_BYTES_MAX, `${executable!.sizeBytes} bytes`);
});

test("executable starts, and how long that takes is told here", async () => {
  const timesMs: number[] = [];
  for (let start = 0; start < STARTS; start++) {
    const startMs = performance.now();
    assertEquals((await runApp(["--version"])).code, 0);
    timesMs.push(performance.now() - startMs);
  }
  const medianMs = timesMs.sort((a, b) => a - b)[STARTS >> 1]!;
  console.log(`start: ${Math.round(medianMs)} ms, the median of ${STARTS} runs of app --version`);
});
