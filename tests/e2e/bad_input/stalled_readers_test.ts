/** Peers that stop reading: memory stays bounded on both sides, others are served, and the connection ends in time. */
import { Client } from "../../../client/mod.ts";
import type { Session } from "../../../protocol/exchange/session.ts";
import { SERVER_LIMITS } from "../../../protocol/limits.ts";
import { startFakeSessions } from "../../client/fake_server.ts";
import { withFastClock } from "../../server/fast_clock.ts";
import { openSession, receive, startServed } from "../../server/served.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { ServerProcess, startApp, temporaryDirectory } from "../../support/program.ts";
import { assertNoDefect, assertRefused } from "./refusals.ts";

const MEBIBYTE = 1_048_576;
const BIG_BYTES = 256 * MEBIBYTE;
/** A process that would keep what is not read would need more than the whole file on top of what it is itself. */
const MEMORY_MAX_BYTES = 200 * MEBIBYTE;
const HAS_PROC = Deno.build.os === "linux";
if (!HAS_PROC) console.log("skipped: the memory of a process is not told by /proc here");

/** The most memory that a process had so far; `undefined` when it has ended. */
function peakMemoryBytes(pid: number): number | undefined {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}

function assertBounded(bytes: number | undefined): void {
  assert(bytes !== undefined && bytes < MEMORY_MAX_BYTES, `its memory went up to ${bytes} bytes`);
}

/** A file that takes no room, since it is all zeros. */
function makeBigFile(path: string): void {
  Deno.writeFileSync(path, new Uint8Array());
  Deno.truncateSync(path, BIG_BYTES);
}

/** What others ask for meanwhile. */
async function digestSmall(port: string): Promise<void> {
  await using client = new Client({ host: "127.0.0.1", port: Number(port) }, { retries: 0 });
  assertEquals((await client.digest("small")).sizeBytes, 7);
}

Deno.test({
  name: "a server keeps little for clients that stop reading, and serves the others",
  ignore: !HAS_PROC,
  async fn() {
    using shared = temporaryDirectory();
    makeBigFile(`${shared.path}/big`);
    Deno.writeTextFileSync(`${shared.path}/small`, "content");
    await using server = await ServerProcess.start(shared.path);
    using stalled = new DisposableStack();
    for (let count = 0; count < 8; count++) {
      const opened = stalled.use(await openSession(Number(server.port)));
      opened.session.send({ type: "get", name: "big", eager: true });
      await receive(opened.session, "offer");
    }
    const read = await readAllOf(server.port);
    assertEquals(read, BIG_BYTES, "who reads gets all of it while the others do not read");
    await digestSmall(server.port);
    assertBounded(peakMemoryBytes(server.pid));
    stalled.dispose();
    await digestSmall(server.port);
    assertNoDefect((await server.stop()).log);
  },
});

/** Gets `big` as an honest client does; how many bytes came. */
async function readAllOf(port: string): Promise<number> {
  using opened = await openSession(Number(port));
  opened.session.send({ type: "get", name: "big", eager: true });
  await receive(opened.session, "offer");
  let bytes = 0;
  for (
    let message = await opened.session.receive();
    message.type === "data";
    message = await opened.session.receive()
  ) {
    bytes += message.bytes.length;
  }
  return bytes;
}

Deno.test({
  name: "a client keeps little for a server that stops reading, and gives it up",
  ignore: !HAS_PROC,
  async fn() {
    using here = temporaryDirectory();
    makeBigFile(`${here.path}/big`);
    const ended = Promise.withResolvers<void>();
    await using server = startFakeSessions(async (session) => {
      assertEquals((await session.nextRequest())?.type, "offer");
      session.send({ type: "accept", blocks: 0 });
      await session.flush();
      await ended.promise; // without reading anything more
    });
    const args = ["put", "127.0.0.1", String(server.port), "big", "--timeout", "1", "--retries", "0"];
    const child = startApp(args, { cwd: here.path });
    await child.stdin.close();
    const output = child.output();
    let peak: number | undefined;
    const watch = setInterval(() => peak = peakMemoryBytes(child.pid) ?? peak, 20);
    const { code, stdout, stderr } = await output;
    clearInterval(watch);
    ended.resolve();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assertRefused({ code, stdout: text(stdout), stderr: text(stderr) }, {
      args,
      code: 4,
      says: `Nothing came from 127.0.0.1:${server.port}, or was taken by it, for 1 s`,
      next: "Run the same command again",
    });
    assertBounded(peak);
  },
});

Deno.test({
  name: "a client keeps little for a pipe that is not read, and all of it comes when it is",
  ignore: !HAS_PROC,
  async fn() {
    using shared = temporaryDirectory();
    makeBigFile(`${shared.path}/big`);
    Deno.writeTextFileSync(`${shared.path}/small`, "content");
    await using server = await ServerProcess.start(shared.path);
    const child = startApp(["get", "127.0.0.1", server.port, "big", "--output", "-"]);
    await child.stdin.close();
    const reader = child.stdout.getReader();
    let bytes = (await reader.read()).value!.length; // it has begun, and now nobody reads
    assertEquals(await readAllOf(server.port), BIG_BYTES, "time enough for it to fill whatever it could");
    assertBounded(peakMemoryBytes(child.pid));
    assertBounded(peakMemoryBytes(server.pid));
    for (let { value } = await reader.read(); value; { value } = await reader.read()) bytes += value.length;
    const [{ code }, stderr] = await Promise.all([child.status, new Response(child.stderr).text()]);
    assertEquals([code, bytes, stderr], [0, BIG_BYTES, "big successfully downloaded.\n"]);
  },
});

Deno.test("a client that stops reading is closed when the idle limit is over, and one that reads is not", async () => {
  await withFastClock(100, async () => {
    await using served = startServed({ "small": "content" });
    makeBigFile(`${served.root}/big`);
    using stalled = await openSession(served.port);
    stalled.session.send({ type: "get", name: "big", eager: true });
    await receive(stalled.session, "offer");
    using lively = await openSession(served.port);
    const gets = () => served.records.filter(({ request }) => request === "get").map(({ result }) => result);
    const start = performance.now();
    while (gets().length === 0 && performance.now() - start < 10 * SERVER_LIMITS.idleTimeoutMs) {
      await statSmall(lively.session);
    }
    assertEquals(gets(), ["idle"]);
    await statSmall(lively.session);
  });
});

async function statSmall(session: Session): Promise<void> {
  session.send({ type: "stat", name: "small" });
  await receive(session, "entries");
  await receive(session, "done");
}
