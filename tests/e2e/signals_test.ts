/** Signals: a client that is interrupted goes on later, a server lets transfers finish, and a second signal ends it. */
import { assert, assertEquals } from "../support/assert.ts";
import { visible } from "../support/names_in.ts";
import { type Outcome, runApp, ServerProcess, startApp, temporaryDirectory } from "../support/program.ts";
import { type Harm, HarmfulProxy } from "../support/proxy.ts";
import { Random } from "../support/random.ts";

const MIB = 1_048_576;
/** More than all the buffers between a server and a reader that does not read. */
const CONTENT = new Random(21).bytes(48 * MIB);
/** A stall this late has passed on more than fits into the buffers of the system, so whole blocks have arrived. */
const LATE = 40 * MIB;

function resumedBytes(stdout: string): number {
  return JSON.parse(stdout.trimEnd().split("\n").at(-1)!).resumedBytes;
}

/** Runs a transfer of `big.bin` until it stalls, and sends it `signal` there; what it came to. */
async function interrupted(
  command: string,
  signal: Deno.Signal,
  port: string,
  direction: Harm["direction"],
  cwd: string,
): Promise<Outcome> {
  await using proxy = new HarmfulProxy(port, { direction, offset: LATE, kind: "stall" });
  const child = startApp([command, "127.0.0.1", proxy.port, "big.bin"], { cwd });
  await proxy.harmed;
  child.kill(signal);
  const [{ code, stdout, stderr }] = await Promise.all([child.output(), child.stdin.close()]);
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

/** A connection that still waits to be accepted is reset when the listener is closed, even while it is being made. */
const CLOSED = [Deno.errors.ConnectionRefused, Deno.errors.ConnectionReset, Deno.errors.NotConnected];

/** Waits until nobody listens on `port` any more: the server has heard the signal. */
async function untilClosed(port: string): Promise<void> {
  const giveUp = AbortSignal.timeout(20_000);
  while (true) {
    giveUp.throwIfAborted();
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port: Number(port) })).close();
    } catch (error) {
      if (CLOSED.some((kind) => error instanceof kind)) return;
      throw error;
    }
  }
}

for (const [command, direction] of [["get", "to client"], ["put", "to server"]] as const) {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.test(`${signal} ends a ${command} with 130 and nothing visible, and the next run goes on`, async () => {
      using shared = temporaryDirectory();
      using here = temporaryDirectory();
      const [from, to] = command === "get" ? [shared.path, here.path] : [here.path, shared.path];
      Deno.writeFileSync(`${from}/big.bin`, CONTENT);
      await using server = await ServerProcess.start(shared.path);
      const { code, stdout, stderr } = await interrupted(command, signal, server.port, direction, here.path);
      assertEquals([code, stdout, stderr.split("\n")[0]], [130, "", "Interrupted"]);
      assertEquals(visible(to), []);
      const again = await runApp([command, "127.0.0.1", server.port, "big.bin", "--json"], { cwd: here.path });
      assertEquals(again.code, 0, again.stderr);
      assert(resumedBytes(again.stdout) >= MIB, again.stdout);
      assertEquals(Deno.readFileSync(`${to}/big.bin`), CONTENT);
    });
  }
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`${signal} lets a running get finish and takes no new connection, and the server ends with 0`, async () => {
    using shared = temporaryDirectory();
    Deno.writeFileSync(`${shared.path}/big.bin`, CONTENT);
    await using server = await ServerProcess.start(shared.path);
    const child = startApp(["get", "127.0.0.1", server.port, "big.bin", "--output", "-"]);
    await child.stdin.close();
    const reader = child.stdout.getReader();
    const chunks = [(await reader.read()).value!]; // it runs, and waits for us, who read no more for now
    Deno.kill(server.pid, signal);
    await untilClosed(server.port);
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) chunks.push(chunk.value);
    const [{ code }, stderr] = await Promise.all([child.status, new Response(child.stderr).text()]);
    assertEquals([code, (await server.finished()).code], [0, 0], stderr);
    assertEquals(await new Blob(chunks as BlobPart[]).bytes(), CONTENT);
  });
}

Deno.test("a second SIGINT ends a server at once, in the middle of a transfer", async () => {
  using shared = temporaryDirectory();
  using here = temporaryDirectory();
  Deno.writeFileSync(`${shared.path}/big.bin`, CONTENT);
  await using server = await ServerProcess.start(shared.path);
  await using proxy = new HarmfulProxy(server.port, { direction: "to client", offset: LATE, kind: "stall" });
  const child = startApp(["get", "127.0.0.1", proxy.port, "big.bin"], { cwd: here.path });
  await proxy.harmed;
  Deno.kill(server.pid, "SIGINT");
  await untilClosed(server.port);
  Deno.kill(server.pid, "SIGINT");
  assertEquals((await server.finished()).code, 130);
  child.kill("SIGKILL");
  await Promise.all([child.output(), child.stdin.close()]);
});

Deno.test("a server with nothing to do ends at the first signal with 0", async () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    using shared = temporaryDirectory();
    await using server = await ServerProcess.start(shared.path);
    assertEquals((await server.stop(signal)).code, 0);
  }
});
