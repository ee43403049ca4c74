/** Rights and limits of a server, each refusal with its benign twin. */
import { AppError, type Client, PipeSource, putFile, putPipe } from "../../client/mod.ts";
import type { ErrorName } from "../../server/mod.ts";
import { assertEquals, assertRejectsCode, assertStringIncludes } from "../support/assert.ts";
import { temporaryDirectory } from "../support/program.ts";
import { openSession, receive, type Served, soon, startServed } from "./served.ts";

function pipeOf(sizeBytes: number): PipeSource {
  let left = sizeBytes;
  return new PipeSource({
    read(into) {
      const count = Math.min(left, into.length);
      left -= count;
      return Promise.resolve(count || null);
    },
  });
}

/** The names in the shared directory, ours included. */
function namesIn(served: Served): string[] {
  return Array.from(Deno.readDirSync(served.root), ({ name }) => name).sort();
}

const CHANGES: readonly ((client: Client, file: string) => Promise<unknown>)[] = [
  (client, file) => putFile(client, file, "new.txt"),
  (client, file) => putFile(client, file, "a.txt", { ifExists: "replace" }),
  (client, file) => putFile(client, file, "deep/er.txt"),
  (client) => client.makeDirectory("dir"),
  (client) => client.move("a.txt", "b.txt"),
  (client) => client.remove("a.txt"),
];

async function withFile(body: (path: string) => Promise<void>): Promise<void> {
  using here = temporaryDirectory();
  Deno.writeTextFileSync(`${here.path}/file`, "changed");
  await body(`${here.path}/file`);
}

Deno.test("a read-only server takes no change, and goes on being read", () =>
  withFile(async (file) => {
    await using served = startServed({ "a.txt": "1" }, { readOnly: true, allowOverwrite: true, allowRemove: true });
    await using client = served.client();
    for (const change of CHANGES) await assertRejectsCode(() => change(client, file), "read_only");
    assertEquals(namesIn(served), ["a.txt"]);
    assertEquals(Deno.readTextFileSync(`${served.root}/a.txt`), "1");
    assertEquals((await client.stat("a.txt")).sizeBytes, 1);
    assertEquals((await client.digest("a.txt")).sizeBytes, 1);
  }));

Deno.test("a server that allows everything takes the same changes", () =>
  withFile(async (file) => {
    for (const change of CHANGES) {
      await using served = startServed({ "a.txt": "1" }, { allowOverwrite: true, allowRemove: true });
      await using client = served.client();
      await change(client, file);
    }
  }));

Deno.test("files are replaced only with the right to it, and new ones need none", () =>
  withFile(async (file) => {
    for (const allowOverwrite of [false, true]) {
      await using served = startServed({ "a.txt": "1" }, { allowOverwrite });
      await using client = served.client();
      const replace = () => putFile(client, file, "a.txt", { ifExists: "replace" });
      if (allowOverwrite) await replace();
      else await assertRejectsCode(replace, "overwrite_denied");
      assertEquals(Deno.readTextFileSync(`${served.root}/a.txt`), allowOverwrite ? "changed" : "1");
      await putFile(client, file, "new.txt", { ifExists: "replace" });
      Deno.writeTextFileSync(`${served.root}/a.txt`, "something else");
      await assertRejectsCode(() => putFile(client, file, "a.txt"), "exists");
      assertEquals((await putFile(client, file, "a.txt", { ifExists: "rename" })).name, "a (2).txt");
    }
  }));

Deno.test("files are removed and moved only with the right to it", async () => {
  for (const allowRemove of [false, true]) {
    await using served = startServed({ "a.txt": "1", "b.txt": "2" }, { allowRemove });
    await using client = served.client();
    for (const call of [(): Promise<unknown> => client.remove("a.txt"), () => client.move("b.txt", "c.txt")]) {
      if (allowRemove) await call();
      else await assertRejectsCode(call, "remove_denied");
    }
    assertEquals(namesIn(served), allowRemove ? ["c.txt"] : ["a.txt", "b.txt"]);
  }
});

Deno.test("files over the limit are refused before they are sent, and those at the limit are taken", async () => {
  using here = temporaryDirectory();
  Deno.writeFileSync(`${here.path}/at`, new Uint8Array(1_000));
  Deno.writeFileSync(`${here.path}/over`, new Uint8Array(1_001));
  Deno.writeFileSync(`${here.path}/far`, new Uint8Array(3_000_000));
  await using served = startServed({}, { limits: { fileBytesMax: 1_000 } });
  await using client = served.client();
  for (const name of ["over", "far"]) {
    const error = await assertRejectsCode(() => putFile(client, `${here.path}/${name}`, name), "too_large");
    assertStringIncludes(error.advice, "--max-file-size");
  }
  assertEquals((await putFile(client, `${here.path}/at`, "at")).sizeBytes, 1_000);
  assertEquals(namesIn(served), ["at"]);
});

Deno.test("streams that grow over the limit are refused, leave nothing, and do not end the session", async () => {
  await using served = startServed({}, { limits: { fileBytesMax: 1_000_000 } });
  await using client = served.client();
  await assertRejectsCode(() => putPipe(client, pipeOf(1_000_001), "over"), "too_large");
  await assertRejectsCode(() => putPipe(client, pipeOf(30_000_000), "far"), "too_large");
  assertEquals(namesIn(served), []);
  assertEquals((await putPipe(client, pipeOf(1_000_000), "at")).sizeBytes, 1_000_000);
  assertEquals(namesIn(served), ["at"]);
  assertEquals(served.records.map(({ result }) => result), ["too_large", "too_large", "done"]);
});

Deno.test("one connection more than allowed is refused by name, and taken when another has ended", async () => {
  await using served = startServed({ "a.txt": "1" }, { limits: { connectionsMax: 2 } });
  const first = await openSession(served.port);
  using second = await openSession(served.port);
  for (const { session } of [first, second]) {
    session.send({ type: "stat", name: "a.txt" });
    await receive(session, "entries");
    await receive(session, "done");
  }
  for (let round = 0; round < 30; round++) {
    await using client = served.client();
    const error = await assertRejectsCode(() => client.stat("a.txt"), "too_many_connections");
    assertEquals([error.retriable, error.by], [true, "peer"]);
  }
  await first.session.end();
  await soon(first.session.nextRequest(), "the end of the first session");
  first[Symbol.dispose]();
  await using later = served.client({ retries: 100, retryWaitMs: 1, retryWaitMaxMs: 20 });
  assertEquals((await later.stat("a.txt")).sizeBytes, 1);
});

Deno.test("more requests ahead than allowed end their session, and as many as allowed are answered", async () => {
  await using served = startServed({ "a.txt": "content" }, { limits: { requestsAheadMax: 3 } });
  for (const [ahead, code] of [[3, undefined], [4, "limit"]] as const) {
    using opened = await openSession(served.port);
    opened.session.send({ type: "get", name: "a.txt" });
    await receive(opened.session, "offer");
    for (let count = 0; count < ahead; count++) opened.session.send({ type: "stat", name: "a.txt" });
    opened.session.send({ type: "error", code: 42, text: "No more" });
    let failure: ErrorName | undefined;
    try {
      await receive(opened.session, "cancel");
      for (let count = 0; count < ahead; count++) {
        await receive(opened.session, "entries");
        await receive(opened.session, "done");
      }
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      failure = error.code;
    }
    assertEquals(failure, code);
  }
});
