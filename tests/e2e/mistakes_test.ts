/** Ordinary mistakes and mishaps around the program: each has its exit code, and two lines that help. */
import { assertEquals, assertStringIncludes } from "../support/assert.ts";
import { APP, runApp, ServerProcess, startApp, temporaryDirectory } from "../support/program.ts";
import { HarmfulProxy } from "../support/proxy.ts";
import { Random } from "../support/random.ts";

const BIG = new Random(9).bytes(8_000_000);

Deno.test("a closed pipe behind a get is success, and says nothing", async () => {
  using shared = temporaryDirectory();
  Deno.writeFileSync(`${shared.path}/big.bin`, BIG);
  await using server = await ServerProcess.start(shared.path);
  const child = startApp(["get", "127.0.0.1", server.port, "big.bin", "--output", "-"]);
  await Promise.all([child.stdin.close(), child.stdout.cancel()]);
  const [{ code }, stderr] = await Promise.all([child.status, new Response(child.stderr).text()]);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
});

Deno.test("a put from a pipe that has nothing to give notices that the server is gone", async () => {
  using shared = temporaryDirectory();
  const server = await ServerProcess.start(shared.path);
  const child = startApp(["put", "127.0.0.1", server.port, "-", "--as", "x", "--retries", "0"]);
  const writer = child.stdin.getWriter();
  await writer.write(new Uint8Array(300_000));
  while (!Array.from(Deno.readDirSync(shared.path)).length) await Deno.lstat("/"); // until the put has begun there
  await server.stop("SIGKILL");
  const [{ code }, stderr] = await Promise.all([
    child.status,
    new Response(child.stderr).text(),
    child.stdout.cancel(),
  ]);
  assertEquals(code, 4, stderr);
  await writer.abort().catch(() => {}); // it has ended, which is what was to be shown
});

Deno.test("a put from a pipe that has nothing to give can be interrupted", async () => {
  using shared = temporaryDirectory();
  await using server = await ServerProcess.start(shared.path);
  const child = startApp(["put", "127.0.0.1", server.port, "-", "--as", "x"]);
  const writer = child.stdin.getWriter();
  await writer.write(new Uint8Array(300_000));
  while (!Array.from(Deno.readDirSync(shared.path)).length) await Deno.lstat("/"); // until the put has begun there
  child.kill("SIGINT");
  const [{ code }, stderr] = await Promise.all([
    child.status,
    new Response(child.stderr).text(),
    child.stdout.cancel(),
  ]);
  assertEquals(code, 130, stderr);
  await writer.abort().catch(() => {}); // it has ended, which is what was to be shown
});

Deno.test("a server whose log cannot be written goes on serving", async () => {
  using shared = temporaryDirectory();
  Deno.writeTextFileSync(`${shared.path}/a.txt`, "a");
  const child = new Deno.Command("sh", {
    args: ["-c", 'exec "$@" 2>/dev/full', "sh", ...APP, "serve", shared.path, "--port", "0"],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("Sharing")) text += (await reader.read()).value;
  const port = /port: (\d+)/.exec(text)![1]!;
  for (let round = 0; round < 2; round++) {
    assertEquals((await runApp(["list", "127.0.0.1", port])).stdout, "a.txt\n");
  }
  child.kill("SIGTERM");
  await reader.cancel();
  assertEquals((await child.status).code, 0);
});

Deno.test("a put of what changed since the last attempt says that it starts anew", async () => {
  using shared = temporaryDirectory();
  using here = temporaryDirectory();
  Deno.writeFileSync(`${here.path}/big.bin`, BIG);
  await using server = await ServerProcess.start(shared.path);
  await using proxy = new HarmfulProxy(server.port, { direction: "to server", offset: 7_900_000, kind: "cut" });
  await runApp(["put", "127.0.0.1", proxy.port, "big.bin", "--retries", "0"], { cwd: here.path });
  Deno.utimeSync(`${here.path}/big.bin`, 1_000_000, 1_000_000);
  const again = await runApp(["put", "127.0.0.1", server.port, "big.bin"], { cwd: here.path });
  assertEquals(again.code, 0, again.stderr);
  assertStringIncludes(again.stderr, "big.bin changed here since the last attempt: starting anew");
  assertEquals(Deno.readFileSync(`${shared.path}/big.bin`), BIG);
});

/** What is refused: the arguments behind HOST PORT, the exit code, and a part of what is said. */
const MISTAKES: readonly (readonly [command: string, rest: string[], code: number, said: string])[] = [
  ["get", ["a.txt", "--output", "plain/"], 1, "Cannot store anything in"],
  ["get", ["a.txt", "--output", "plain/x"], 1, "Cannot store anything in"],
  ["get", ["a.txt", "a.txt", "--output", "one"], 2, "Cannot store 2 files"],
  ["put", ["nowhere.txt"], 1, "Check the spelling"],
  ["put", ["."], 1, "Cannot tell a name"],
  ["put", ["plain", "plain"], 2, "would both be"],
  ["put", ["-"], 2, "has no name"],
  ["get", ["nowhere.txt"], 1, "app list 127.0.0.1 "],
  ["get", ["../a.txt"], 1, 'it has the part ".."'],
  ["list", ["a.txt"], 1, "it is not a directory"],
];

Deno.test("mistakes are told with what to do next, and never as a defect", async () => {
  using shared = temporaryDirectory();
  using here = temporaryDirectory();
  Deno.writeTextFileSync(`${shared.path}/a.txt`, "a");
  Deno.writeTextFileSync(`${here.path}/plain`, "p");
  await using server = await ServerProcess.start(shared.path);
  for (const [command, rest, code, said] of MISTAKES) {
    const result = await runApp([command, "127.0.0.1", server.port, ...rest], { cwd: here.path });
    assertStringIncludes(result.stderr, said);
    assertEquals([result.code, result.stderr.trimEnd().split("\n").length], [code, 2], result.stderr);
  }
  const twin = await runApp(["get", "127.0.0.1", server.port, "a.txt", "--output", "new/dir/"], { cwd: here.path });
  assertEquals(twin.code, 0, twin.stderr);
  assertEquals(Deno.readTextFileSync(`${here.path}/new/dir/a.txt`), "a");
});

Deno.test("exit codes tell never connected from refused and from a wrong command line", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = String(listener.addr.port);
  listener.close();
  assertEquals((await runApp(["list", "127.0.0.1", port])).code, 3);
  assertEquals((await runApp(["list", "no-such-host.invalid", port])).code, 3);
  assertEquals((await runApp(["list", "127.0.0.1"])).code, 2);
  assertEquals((await runApp(["lsit"])).code, 2);
  assertEquals((await runApp(["serve", "/nowhere/at/all"])).code, 1);
  assertEquals((await runApp(["--version"])).code, 0);
});
