/** Mishaps around the program: pipes that close, servers that go, logs that cannot be written, sources that change. */
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
