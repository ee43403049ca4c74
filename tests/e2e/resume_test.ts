/** Interrupted is not lost: cut connections, killed processes, changed sources; both ways, between real processes. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../support/assert.ts";
import { names, visible } from "../support/names_in.ts";
import { runApp, ServerProcess, startApp, temporaryDirectory } from "../support/program.ts";
import { HarmfulProxy } from "../support/proxy.ts";
import { Random } from "../support/random.ts";

const BLOCK = 1_048_576;
const CONTENT = new Random(7).bytes(24 * BLOCK + 12_345);

/** How much of a transfer was there already, as `--json` tells it. */
function resumedBytes(stdout: string): number {
  return JSON.parse(stdout.trimEnd().split("\n").at(-1)!).resumedBytes;
}

Deno.test("a get goes on within one run after the connection was cut", async () => {
  using shared = temporaryDirectory();
  using here = temporaryDirectory();
  Deno.writeFileSync(`${shared.path}/big.bin`, CONTENT);
  await using server = await ServerProcess.start(shared.path);
  await using proxy = new HarmfulProxy(server.port, { direction: "to client", offset: 10 * BLOCK, kind: "cut" });
  const { code, stdout, stderr } = await runApp(["get", "127.0.0.1", proxy.port, "big.bin", "--json"], {
    cwd: here.path,
  });
  assertEquals(code, 0, stderr);
  assertEquals(proxy.connections, 2);
  assert(resumedBytes(stdout) >= BLOCK, stdout);
  assertEquals(Deno.readFileSync(`${here.path}/big.bin`), CONTENT);
  assertEquals(names(here.path), ["big.bin"]);
});

Deno.test("a put goes on within one run after the connection was cut", async () => {
  using shared = temporaryDirectory();
  using here = temporaryDirectory();
  Deno.writeFileSync(`${here.path}/big.bin`, CONTENT);
  await using server = await ServerProcess.start(shared.path);
  await using proxy = new HarmfulProxy(server.port, { direction: "to server", offset: 10 * BLOCK, kind: "cut" });
  const { code, stdout, stderr } = await runApp(["put", "127.0.0.1", proxy.port, "big.bin", "--json"], {
    cwd: here.path,
  });
  assertEquals(code, 0, stderr);
  assertEquals(proxy.connections, 2);
  assert(resumedBytes(stdout) >= BLOCK, stdout);
  assertEquals(Deno.readFileSync(`${shared.path}/big.bin`), CONTENT);
  assertEquals(names(shared.path), ["big.bin"]);
});

for (const direction of ["to client", "to server"] as const) {
  Deno.test(`a bit that flips ${direction} in the middle of the data is noticed and mended`, async () => {
    using shared = temporaryDirectory();
    using here = temporaryDirectory();
    const isGet = direction === "to client";
    Deno.writeFileSync(`${isGet ? shared.path : here.path}/big.bin`, CONTENT);
    await using server = await ServerProcess.start(shared.path);
    await using proxy = new HarmfulProxy(server.port, { direction, offset: 5 * BLOCK + 77, kind: "flip", bit: 3 });
    const result = await runApp([isGet ? "get" : "put", "127.0.0.1", proxy.port, "big.bin"], { cwd: here.path });
    assertEquals(result.code, 0, result.stderr);
    assertEquals(proxy.connections, 2);
    assertEquals(Deno.readFileSync(`${isGet ? here.path : shared.path}/big.bin`), CONTENT);
  });
}

Deno.test("without retries a cut get ends with 4 and nothing visible, and the next run goes on", async () => {
  using shared = temporaryDirectory();
  using here = temporaryDirectory();
  Deno.writeFileSync(`${shared.path}/big.bin`, CONTENT);
  await using server = await ServerProcess.start(shared.path);
  await using proxy = new HarmfulProxy(server.port, { direction: "to client", offset: 9 * BLOCK, kind: "cut" });
  const cut = await runApp(["get", "127.0.0.1", proxy.port, "big.bin", "--retries", "0"], { cwd: here.path });
  assertEquals(cut.code, 4, cut.stderr);
  assertStringIncludes(cut.stderr, "Run the same command again");
  assertEquals(visible(here.path), []);
  const again = await runApp(["get", "127.0.0.1", server.port, "big.bin", "--json"], { cwd: here.path });
  assertEquals(again.code, 0, again.stderr);
  assert(resumedBytes(again.stdout) >= 7 * BLOCK, again.stdout);
  assertEquals(Deno.readFileSync(`${here.path}/big.bin`), CONTENT);
});

Deno.test("a stalled connection is given up after --timeout, and the transfer goes on", async () => {
  using shared = temporaryDirectory();
  using here = temporaryDirectory();
  Deno.writeFileSync(`${shared.path}/big.bin`, CONTENT);
  await using server = await ServerProcess.start(shared.path);
  await using proxy = new HarmfulProxy(server.port, { direction: "to client", offset: 4 * BLOCK, kind: "stall" });
  const { code, stderr } = await runApp(["get", "127.0.0.1", proxy.port, "big.bin", "--timeout", "0.5"], {
    cwd: here.path,
  });
  assertEquals(code, 0, stderr);
  assertEquals(Deno.readFileSync(`${here.path}/big.bin`), CONTENT);
});

/** A stall this late has passed on more than fits into the buffers of the system, so whole blocks have arrived. */
const LATE = 20 * BLOCK;

Deno.test("kill -9 of the client in a get leaves nothing visible, and the next run goes on", async () => {
  using shared = temporaryDirectory();
  using here = temporaryDirectory();
  Deno.writeFileSync(`${shared.path}/big.bin`, CONTENT);
  await using server = await ServerProcess.start(shared.path);
  await using proxy = new HarmfulProxy(server.port, { direction: "to client", offset: LATE, kind: "stall" });
  const child = startApp(["get", "127.0.0.1", proxy.port, "big.bin"], { cwd: here.path });
  await proxy.harmed;
  child.kill("SIGKILL");
  await Promise.all([child.output(), child.stdin.close()]);
  assertEquals(visible(here.path), []);
  assertEquals((await runApp(["list", "127.0.0.1", server.port])).stdout, "big.bin\n");
  const again = await runApp(["get", "127.0.0.1", server.port, "big.bin", "--json"], { cwd: here.path });
  assertEquals(again.code, 0, again.stderr);
  assert(resumedBytes(again.stdout) >= BLOCK, again.stdout);
  assertEquals(names(here.path), ["big.bin"]);
  assertEquals(Deno.readFileSync(`${here.path}/big.bin`), CONTENT);
});

Deno.test("kill -9 of the server in a put leaves nothing visible, and the next run goes on", async () => {
  using shared = temporaryDirectory();
  using here = temporaryDirectory();
  Deno.writeFileSync(`${here.path}/big.bin`, CONTENT);
  const args = ["big.bin", "--json", "--retries", "0"];
  const server = await ServerProcess.start(shared.path);
  await using proxy = new HarmfulProxy(server.port, { direction: "to server", offset: LATE, kind: "stall" });
  const child = startApp(["put", "127.0.0.1", proxy.port, ...args], { cwd: here.path });
  await proxy.harmed;
  await server.stop("SIGKILL");
  const [{ code, stderr }] = await Promise.all([child.output(), child.stdin.close()]);
  assertEquals(code, 4, new TextDecoder().decode(stderr));
  assertEquals(visible(shared.path), []);
  await using second = await ServerProcess.start(shared.path);
  assertEquals((await runApp(["list", "127.0.0.1", second.port, "--all"])).stdout, "");
  const again = await runApp(["put", "127.0.0.1", second.port, ...args], { cwd: here.path });
  assertEquals(again.code, 0, again.stderr);
  assert(resumedBytes(again.stdout) >= BLOCK, again.stdout);
  assertEquals(names(shared.path), ["big.bin"]);
  assertEquals(Deno.readFileSync(`${shared.path}/big.bin`), CONTENT);
});

Deno.test("a source that changed since the last attempt is said to have, and is got anew", async () => {
  using shared = temporaryDirectory();
  using here = temporaryDirectory();
  Deno.writeFileSync(`${shared.path}/big.bin`, CONTENT);
  await using server = await ServerProcess.start(shared.path);
  await using proxy = new HarmfulProxy(server.port, { direction: "to client", offset: 9 * BLOCK, kind: "cut" });
  await runApp(["get", "127.0.0.1", proxy.port, "big.bin", "--retries", "0"], { cwd: here.path });
  const changed = new Random(8).bytes(5 * BLOCK);
  Deno.writeFileSync(`${shared.path}/big.bin`, changed);
  const again = await runApp(["get", "127.0.0.1", server.port, "big.bin"], { cwd: here.path });
  assertEquals(again.code, 0, again.stderr);
  assertMatch(again.stderr, /big\.bin changed on the server since the last attempt: starting anew/);
  assertEquals(Deno.readFileSync(`${here.path}/big.bin`), changed);
  assertEquals(names(here.path), ["big.bin"]);
});

Deno.test("same size and time but other content: only the blocks before the first difference are kept", async () => {
  using shared = temporaryDirectory();
  using here = temporaryDirectory();
  Deno.writeFileSync(`${shared.path}/big.bin`, CONTENT);
  Deno.utimeSync(`${shared.path}/big.bin`, 1_000_000, 1_000_000);
  await using server = await ServerProcess.start(shared.path);
  await using proxy = new HarmfulProxy(server.port, { direction: "to client", offset: 9 * BLOCK, kind: "cut" });
  const cut = await runApp(["get", "127.0.0.1", proxy.port, "big.bin", "--retries", "0"], { cwd: here.path });
  assertEquals(cut.code, 4, cut.stderr);
  const changed = CONTENT.slice();
  changed[2 * BLOCK + 5]! ^= 1;
  Deno.writeFileSync(`${shared.path}/big.bin`, changed);
  Deno.utimeSync(`${shared.path}/big.bin`, 1_000_000, 1_000_000);
  const again = await runApp(["get", "127.0.0.1", server.port, "big.bin", "--json"], { cwd: here.path });
  assertEquals(again.code, 0, again.stderr);
  assertEquals(resumedBytes(again.stdout), 2 * BLOCK, `${again.stdout}${again.stderr}`);
  assertEquals(Deno.readFileSync(`${here.path}/big.bin`), changed);
});
