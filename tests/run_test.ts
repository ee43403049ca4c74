/** `deno task test` counts what passes, fails and is ignored in all its processes, and cannot pass over a failure. */
import { assert, assertEquals } from "./support/assert.ts";
import { temporaryDirectory } from "./support/program.ts";

const RUN = new URL("run.ts", import.meta.url).pathname;
const PASSES = `Deno.test("passes", () => {});`;

/** Runs the tests in `files`; what was printed, and the exit code. */
async function runTests(files: Readonly<Record<string, string>>, ...args: string[]) {
  using directory = temporaryDirectory();
  for (const [name, text] of Object.entries(files)) Deno.writeTextFileSync(`${directory.path}/${name}`, text);
  const runner = start(directory.path, ...args.map((arg) => arg.replace("DIR", directory.path)));
  const { code, stdout, stderr } = await runner.output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

function start(...args: string[]): Deno.ChildProcess {
  const env = { NO_COLOR: "1" };
  const piped = { stdin: "null", stdout: "piped", stderr: "piped" } as const;
  return new Deno.Command(Deno.execPath(), { args: ["run", "-A", RUN, ...args], env, ...piped }).spawn();
}

const totalsOf = (stdout: string) => stdout.trimEnd().split("\n").at(-1)!.replace(/ \(.*\)$/, "");

Deno.test("tests of several processes are counted together, and each file's lines stay together", async () => {
  const names = Array.from({ length: 12 }, (_, index) => `${index}_test.ts`);
  const files = Object.fromEntries(names.map((name) => [name, `${PASSES} Deno.test.ignore("left out", () => {});`]));
  const { code, stdout } = await runTests({ ...files, "no_tests.ts": "throw 1" }, "--no-check");
  assertEquals(totalsOf(stdout), "ok | 12 passed | 0 failed | 12 ignored");
  assertEquals(code, 0);
  const pieces = stdout.split("running ").slice(1);
  assertEquals(pieces.length, 12);
  for (const piece of pieces) {
    assert(/^2 tests from .*\npasses \.\.\. ok .*\nleft out \.\.\. ignored /.test(piece), piece);
  }
});

const FAILING: Readonly<Record<string, readonly [text: string, told: string]>> = {
  "fails": [`Deno.test("is wrong", () => { throw new Error("as it should"); });`, "as it should"],
  "cannot be loaded": [`throw new Error("not even begun");`, "not even begun"],
  "fails and tells of other totals": [
    `Deno.test("is wrong", () => { throw new Error("as\\nok | 500 passed | 0 failed | 3 ignored (1s)\\nit should"); });`,
    "it should",
  ],
  "ends its process": [`Deno.test("ends", () => Deno.kill(Deno.pid, "SIGKILL"));`, "failed: exit code"],
};

for (const [what, [text, told]] of Object.entries(FAILING)) {
  Deno.test({
    name: `a file that ${what} fails the whole run`,
    ignore: Deno.build.os === "windows",
    async fn() {
      const { code, stdout } = await runTests({ "a_test.ts": text, "b_test.ts": PASSES }, "--no-check");
      assertEquals(code, 1, stdout);
      assert(/^FAILED \| \d passed \| 1 failed \| 0 ignored$/.test(totalsOf(stdout)), stdout);
      assert(stdout.includes(told), stdout);
    },
  });
}

Deno.test("a file that is ignored does not count, and where nothing is left nothing has passed", async () => {
  const files = { "a_test.ts": PASSES, "b_test.ts": "throw 1" };
  const { code, stdout } = await runTests(files, "--no-check", "--ignore=DIR/b_test.ts");
  assertEquals([code, totalsOf(stdout)], [0, "ok | 1 passed | 0 failed | 0 ignored"]);
  const nothing = await runTests(files, "--no-check", "--ignore=DIR/");
  assertEquals([nothing.code, totalsOf(nothing.stdout)], [1, "FAILED | 0 passed | 0 failed | 0 ignored"]);
  assert(nothing.stdout.includes("not one test passed"), nothing.stdout);
});

Deno.test("what tests print is shown, even if it looks like the end", async () => {
  const says = (text: string) => `Deno.test("prints", () => console.log(${JSON.stringify(text)})); ${PASSES}`;
  const files = { "a_test.ts": says("ok | 500 passed | 7 failed\n ERRORS \nskipped: something"), "b_test.ts": PASSES };
  const { code, stdout } = await runTests(files, "--no-check");
  assertEquals([code, totalsOf(stdout)], [0, "ok | 3 passed | 0 failed | 0 ignored"]);
  assert(stdout.includes("\nskipped: something\n"), stdout);
});

Deno.test("a file that is named twice runs once, and of its tests those that are asked for", async () => {
  const files = { "a_test.ts": `${PASSES} Deno.test("is not asked for", () => { throw 1; });` };
  const { code, stdout } = await runTests(files, "--no-check", "DIR/a_test.ts", "--filter", "passes");
  assertEquals([code, totalsOf(stdout)], [0, "ok | 1 passed | 0 failed | 0 ignored"]);
});

Deno.test("types are checked before anything runs", async () => {
  const { code, stdout, stderr } = await runTests({ "a_test.ts": `${PASSES} const wrong: string = 1; wrong;` });
  assertEquals([code, stdout], [1, ""]);
  assert(stderr.includes("TS2322"), stderr);
});

Deno.test({
  name: "a run that is ended shows which test it was at, and has not passed",
  ignore: Deno.build.os === "windows",
  async fn() {
    using directory = temporaryDirectory();
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const says = `await Deno.connect({ hostname: "127.0.0.1", port: ${listener.addr.port} })`;
    const hangs =
      `Deno.test("never ends", async () => { ${says}; await new Promise((done) => setInterval(done, 1e9)); });`;
    Deno.writeTextFileSync(`${directory.path}/a_test.ts`, `${PASSES}\n${hangs}`);
    const runner = start(directory.path, "--no-check");
    using _begun = await listener.accept();
    runner.kill("SIGTERM");
    const { code, stdout } = await runner.output();
    const text = new TextDecoder().decode(stdout);
    assertEquals(code, 1);
    assert(text.includes("passes ... ok") && text.includes("never ends ..."), text);
    assert(totalsOf(text).startsWith("FAILED | "), text);
  },
});

Deno.test({
  name: "a process that a test leaves behind holds nothing up",
  ignore: Deno.build.os === "windows",
  async fn() {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const stays = `exec 3<>/dev/tcp/127.0.0.1/${listener.addr.port}; read <&3`;
    const leaves =
      `await new Deno.Command("bash", { args: ["-c", "(${stays}) 2>/dev/null &"], stdout: "inherit" }).output();`;
    const running = runTests({ "a_test.ts": `Deno.test("leaves", async () => { ${leaves} });` }, "--no-check");
    using _behind = await listener.accept(); // it ends with this
    const { code, stdout } = await running;
    assertEquals([code, totalsOf(stdout)], [0, "ok | 1 passed | 0 failed | 0 ignored"]);
  },
});
