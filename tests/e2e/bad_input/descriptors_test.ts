/** A server with few descriptors: it takes no more connections than it can serve, and a silent crowd takes none. */
import { Client } from "../../../client/mod.ts";
import { openSession, RawConnection, receive } from "../../server/served.ts";
import { assertEquals, assertMatch, assertRejectsCode } from "../../support/assert.ts";
import { ServerProcess, temporaryDirectory } from "../../support/program.ts";
import { assertNoDefect } from "./refusals.ts";

/** The program with room for few files and connections: Deno raises the soft limit, so the hard one is set. */
const FEW = 64;
const THROUGH = ["sh", "-c", `ulimit -n ${FEW} && exec "$@"`, "sh"];
/** How many connections it takes then. */
const CONNECTIONS_MAX = 16;

function clientOf(port: number, retries = 0): Client {
  return new Client({ host: "127.0.0.1", port }, { retries, retryWaitMs: 10, retryWaitMaxMs: 50 });
}

async function assertServes(port: number): Promise<void> {
  await using client = clientOf(port);
  assertEquals((await client.digest("file")).sizeBytes, 7);
  assertEquals((await Array.fromAsync(client.list(""))).length, 2);
}

Deno.test({
  name: "a server with few descriptors opens files for honest clients beside a silent crowd",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using shared = temporaryDirectory();
    Deno.writeTextFileSync(`${shared.path}/file`, "content");
    await using server = await ServerProcess.start(shared.path, [], { through: THROUGH });
    const port = Number(server.port);
    using early = await openSession(port);
    await early.session.flush();
    using crowd = new DisposableStack();
    for (let count = 0; count < 3 * FEW; count++) {
      crowd.use(await RawConnection.open(port));
      if (count % 20 === 0) await assertServes(port);
    }
    await assertServes(port);
    early.session.send({ type: "digest", name: "file" });
    await receive(early.session, "checksum");
    crowd.dispose();
    await assertServes(port);
    const { code, log } = await server.stop();
    assertEquals(code, 0);
    assertNoDefect(log);
    assertMatch(log, / accept .* limit \(Room for 16 connections: the system allows too few open files for more\)/);
    assertMatch(log, / opening .* too_many_connections \(Dropped, unopened, for a newer connection\)/);
  },
});

Deno.test({
  name: "a server with few descriptors refuses more connections by name, and each that it took can open its file",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using shared = temporaryDirectory();
    Deno.writeFileSync(`${shared.path}/file`, new Uint8Array(9_000_000));
    await using server = await ServerProcess.start(shared.path, [], { through: THROUGH });
    const port = Number(server.port);
    using stack = new DisposableStack();
    const sessions = [];
    for (let count = 0; count < CONNECTIONS_MAX; count++) {
      const { session } = stack.use(await openSession(port));
      session.send({ type: "get", name: "file" });
      await receive(session, "offer"); // its file is open now
      sessions.push(session);
    }
    await using late = clientOf(port);
    await assertRejectsCode(() => late.stat("file"), "too_many_connections");
    for (const session of sessions) session.send({ type: "error", code: 42, text: "No more" });
    for (const session of sessions) await receive(session, "cancel");
    stack.dispose();
    await using honest = clientOf(port, 100);
    assertEquals((await honest.stat("file")).sizeBytes, 9_000_000);
    assertNoDefect((await server.stop()).log);
  },
});
