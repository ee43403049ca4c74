/** A server whose descriptors are used up: it lives, says so, and serves again when there are some. */
import { AppError, Client } from "../../../client/mod.ts";
import { openSession, RawConnection, receive } from "../../server/served.ts";
import { assertEquals, assertMatch, assertRejects } from "../../support/assert.ts";
import { ServerProcess, temporaryDirectory } from "../../support/program.ts";
import { assertNoDefect } from "./refusals.ts";

/** The program with room for few files and connections: Deno raises the soft limit, so the hard one is set. */
const FEW = 64;
const THROUGH = ["sh", "-c", `ulimit -n ${FEW} && exec "$@"`, "sh"];

/** Connections that say nothing; more than there are descriptors, the rest waits in the system's queue. */
async function useUp(port: number): Promise<Disposable> {
  const stack = new DisposableStack();
  for (let count = 0; count < FEW + 10; count++) stack.use(await RawConnection.open(port));
  return stack;
}

function clientOf(port: number, retries: number): Client {
  return new Client({ host: "127.0.0.1", port }, { timeoutMs: 500, retries, retryWaitMs: 10, retryWaitMaxMs: 50 });
}

Deno.test({
  name: "a server without descriptors lives, fails what needs one, and accepts again when they are free",
  ignore: Deno.build.os === "windows",
  async fn() {
    using shared = temporaryDirectory();
    Deno.writeTextFileSync(`${shared.path}/file`, "content");
    await using server = await ServerProcess.start(shared.path, [], { through: THROUGH });
    const port = Number(server.port);
    using early = await openSession(port);
    const crowd = await useUp(port);
    await using late = clientOf(port, 0);
    const failure = await assertRejects(() => late.stat("file"), AppError);
    assertEquals(failure.exit, 4, failure.message);

    for (const type of ["get", "digest", "list"] as const) {
      early.session.send({ type, name: type === "list" ? "" : "file" });
      await receive(early.session, "error");
    }
    early.session.send({ type: "stat", name: "file" });
    await receive(early.session, "entries");
    await receive(early.session, "done");

    crowd[Symbol.dispose]();
    await using honest = clientOf(port, 100);
    assertEquals((await honest.digest("file")).sizeBytes, 7);
    early.session.send({ type: "digest", name: "file" });
    await receive(early.session, "checksum");
    const { code, log } = await server.stop();
    assertEquals(code, 0);
    assertNoDefect(log);
    assertMatch(log, / accept .* failed \(Cannot accept a connection: Too many open files/);
    assertMatch(log, /get "file" .* failed \(Cannot open "file": too many files and connections are open\)/);
  },
});
