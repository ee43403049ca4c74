/**
 * Defects: whatever fails within a request, and however, ends that request only. It is logged as `internal`, the peer is
 * told no more than that, and the same connection serves the next request, or where the format has one request for a
 * connection, the next connection.
 */
import { AppError, Client, getFile, intoTree, LocalTree, putFile } from "../../client/mod.ts";
import { FORMATS } from "../../server/formats/mod.ts";
import { CsvStore, type LogRecord, serve, type Server } from "../../server/mod.ts";
import { deflateSync, inflateSync } from "node:zlib";
import { assert, assertEquals, assertRejectsCode } from "../support/assert.ts";
import { temporaryDirectory } from "../support/program.ts";
import { Random } from "../support/random.ts";
import { type Failing, failingRecords, failingTree, FAILURES, SECRET, SYNCHRONOUS } from "./failing_tree.ts";
import { exchange, RawConnection, soon } from "./served.ts";

const LARGE = new Random(4).bytes(700_000);
/** What fails here hangs there, if it is not told. */
const TIMEOUT_MS = 3_000;
/** Old formats, without their waits. */
const QUICK = { quietMs: 20, codeGapMs: 0, cancelWaitMs: 20 };

class Stage implements AsyncDisposable {
  readonly failing: Failing = { fail: FAILURES["throws"]! };
  readonly records: LogRecord[] = [];
  readonly server: Server;
  readonly here = temporaryDirectory();
  readonly #shared = temporaryDirectory();

  constructor(onLog: (record: LogRecord) => void = () => {}) {
    for (const name of ["a.txt", "b.txt"]) Deno.writeTextFileSync(`${this.#shared.path}/${name}`, "content");
    Deno.writeFileSync(`${this.#shared.path}/large`, LARGE);
    Deno.writeFileSync(`${this.here.path}/source`, LARGE);
    this.server = serve({
      root: failingTree(new LocalTree(this.#shared.path), this.failing),
      records: failingRecords(
        new CsvStore({ file: `${this.here.path}/countries.csv`, isBuiltIn: true }),
        this.failing,
      ),
      port: 0,
      allowOverwrite: true,
      allowRemove: true,
      limits: QUICK,
      log: (record) => {
        this.records.push(record);
        return onLog(record);
      },
    });
  }

  client(): Client {
    return new Client({ host: "127.0.0.1", port: this.server.port }, { retries: 0, timeoutMs: TIMEOUT_MS });
  }

  /** The results of the requests that came to something else than `done`. */
  get faults(): string[] {
    return this.records.filter(({ result }) => result !== "done").map(({ request, result }) => `${request} ${result}`);
  }

  async untilLogged(count: number): Promise<void> {
    const deadline = performance.now() + TIMEOUT_MS;
    while (this.records.length < count) {
      assert(performance.now() < deadline, `the log has only ${this.records.length} lines`);
      await Deno.lstat(this.here.path);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.stopNow();
    await soon(this.server.finished, "the end of the server");
    this.here[Symbol.dispose]();
    this.#shared[Symbol.dispose]();
  }
}

type Ask = (client: Client, here: string) => Promise<unknown>;

const get: Ask = (client, here) => getFile(client, "large", intoTree(new LocalTree(here), "large", "replace"));
const put: Ask = (client, here) => putFile(client, `${here}/source`, "put");
const list: Ask = (client) => Array.fromAsync(client.list(""));

/** What fails, in which request of our own format. */
const REQUESTS: readonly (readonly [seam: string, request: string, ask: Ask])[] = [
  ["tree.open", "get", get],
  ["source.readAt", "get", get],
  ["source.readAt 2", "get", get],
  ["source.verifyUnchanged", "get", get],
  ["tree.create", "put", put],
  ["draft.startAt", "put", put],
  ["draft.write", "put", put],
  ["draft.write 2", "put", put],
  ["draft.publish", "put", put],
  ["tree.list", "list", list],
  ["tree.list 2", "list", list],
  ["tree.stat", "stat", (client) => client.stat("a.txt")],
  ["tree.makeDirectory", "mkdir", (client) => client.makeDirectory("made")],
  ["tree.move", "move", (client) => client.move("b.txt", "c.txt")],
  ["tree.remove", "remove", (client) => client.remove("b.txt")],
  ["tree.open", "digest", (client) => client.digest("large")],
  ["source.readAt", "digest", (client) => client.digest("large")],
  ["source.verifyUnchanged", "digest", (client) => client.digest("large")],
  ["source.dispose", "digest", (client) => client.digest("large")],
  ["records.find", "find", (client) => client.capital("Atlantis")],
  ["records.suggest", "find", (client) => client.capital("Frnace")],
  ["records.add", "add", (client) => client.add({ country: "Mu", capital: "Hiranipura" })],
];

for (const [seam, request, ask] of REQUESTS) {
  Deno.test(`a ${request} in which ${seam} fails is an error of its own, and the session goes on`, async () => {
    for (const [how, fail] of waysOf(seam)) {
      await using stage = new Stage();
      await using client = stage.client();
      await client.ping();
      Object.assign(stage.failing, { seam, fail });
      const error = await assertRejectsCode(() => ask(client, stage.here.path), "internal");
      assertSaysNothing(error, how);
      stage.failing.seam = undefined;
      assertEquals((await client.stat("a.txt")).sizeBytes, 7);
      await ask(client, stage.here.path).catch((again: AppError) => assertEquals(again.code, "not_found"));
      assertEquals(stage.faults.slice(0, 1), [`${request} internal`], how);
      const peers = new Set(stage.records.map(({ peer }) => peer)).size;
      // A client that has some of a list does not wait for its end.
      assertEquals(peers, seam === "tree.list 2" ? 2 : 1, `${how}: the connections that were needed`);
    }
  });
}

function waysOf(seam: string): readonly (readonly [how: string, fail: () => unknown])[] {
  return seam.endsWith(".dispose") ? SYNCHRONOUS : Object.entries(FAILURES);
}

function assertSaysNothing({ by, message, advice }: AppError, how: string): void {
  assertEquals(by, "peer", `${how}: ${message}`);
  assert(!`${message} ${advice}`.includes(SECRET), message);
}

Deno.test("a put that fails, and whose draft then fails, too, is told all the same", async () => {
  for (const [how, fail] of SYNCHRONOUS) {
    for (const [end, code] of [["suspend", "no_space"], ["discard", "mismatch"]] as const) {
      await using stage = new Stage();
      await using client = stage.client();
      const failFirst = () => {
        Object.assign(stage.failing, { seam: `draft.${end}`, fail });
        throw new AppError(code, "It fails");
      };
      Object.assign(stage.failing, { seam: "draft.write", fail: failFirst });
      assertEquals((await assertRejectsCode(() => put(client, stage.here.path), code)).by, "peer", how);
      stage.failing.seam = undefined;
      assertEquals((await client.stat("a.txt")).sizeBytes, 7, how);
    }
  }
});

Deno.test("a lookup whose quick answer fails is answered the usual way", async () => {
  for (const [how, fail] of SYNCHRONOUS) {
    await using stage = new Stage();
    await using client = stage.client();
    Object.assign(stage.failing, { seam: "records.peek", fail });
    assertEquals(await client.capital("France"), "Paris", how);
    assertEquals(stage.faults, []);
  }
});

Deno.test("a log that fails, at once or later, takes nothing down", async () => {
  for (const [how, fail] of Object.entries(FAILURES)) {
    await using stage = new Stage(fail as () => void);
    await using client = stage.client();
    assertEquals((await client.stat("a.txt")).sizeBytes, 7, how);
    await assertRejectsCode(() => client.stat("nothing"), "not_found");
    assertEquals(await exchange(stage.server.port, "get,a.txt"), "passcontent");
    assertEquals(await client.capital("France"), "Paris");
  }
});

/** Of the old formats, and in words: what fails, the request, what is said, and what is said when all is well. */
const OLD: readonly (readonly [seam: string, request: string, logged: string, told: string, well: string])[] = [
  ["tree.open", "get,a.txt", "share get", "cancel", "passcontent"],
  ["source.readAt", "get,a.txt", "share get", "pass", "passcontent"],
  ["source.verifyUnchanged", "get,a.txt", "share get", "passcontent", "passcontent"],
  ["source.dispose", "get,a.txt", "share get", "passcontent", "passcontent"],
  ["tree.create", "put,new", "share put", "cancel", "pass"],
  ["draft.startAt", "put,new", "share put", "pass", "pass"],
  ["draft.publish", "put,new", "share put", "pass", "pass"],
  ["tree.list", "list", "share list", "", "a.txt, b.txt, large, "],
  ["tree.list 2", "list", "share list", "", "a.txt, b.txt, large, "],
  ["tree.open", "a.txt", "image get", "file-doesn't-exist", "file-existscontent"],
  ["source.readAt", "a.txt", "image get", "file-exists", "file-existscontent"],
  ["records.find", "APP/1 capital France\n", "words", "APP/1 refused=internal\n", "APP/1 ok\nParis\n"],
  ["tree.list", "APP/1 list\n", "words", "APP/1 refused=internal\n", "APP/1 ok\na.txt\nb.txt\nlarge\n"],
];

for (const [seam, request, logged, told, well] of OLD) {
  Deno.test(`${JSON.stringify(request)} in which ${seam} fails ends that connection only`, async () => {
    for (const [how, fail] of waysOf(seam)) {
      await using stage = new Stage();
      Object.assign(stage.failing, { seam, fail });
      const answer = await exchange(stage.server.port, request);
      assertEquals(answer.slice(0, told.length), told, how);
      assert(!answer.includes(SECRET) && answer.length < 150, `${how}: ${answer}`);
      await stage.untilLogged(1);
      assertEquals(stage.faults, [`${logged} internal`], how);
      stage.failing.seam = undefined;
      assertEquals(await exchange(stage.server.port, request), well, how);
    }
  });
}

Deno.test("a packet in which something fails is answered, and the next one, too", async () => {
  const packet = (text: string) => Uint8Array.from(deflateSync(text));
  for (const [how, fail] of Object.entries(FAILURES)) {
    for (const [seam, text] of [["records.find", "c|France"], ["records.add", "a|Mu,Hiranipura"]] as const) {
      await using stage = new Stage();
      using conn = await RawConnection.open(stage.server.port);
      Object.assign(stage.failing, { seam, fail });
      await conn.write(packet(text));
      await stage.untilLogged(1);
      stage.failing.seam = undefined;
      await conn.write(packet("h|"));
      await conn.end();
      const bytes = await conn.readBytes();
      const { buffer, engine } = inflateSync(bytes, { info: true } as never) as unknown as {
        buffer: Uint8Array;
        engine: { bytesWritten: number };
      };
      assertEquals(new TextDecoder().decode(buffer), "|The other side failed; its own log says why", how);
      assertEquals(new TextDecoder().decode(inflateSync(bytes.subarray(engine.bytesWritten))), "|beat", how);
      assertEquals(stage.faults.length, 1);
    }
  }
});

Deno.test("a handler of an old format that fails outside of a request ends that connection only", async () => {
  const began = {
    share: "get,a.txt",
    packet: Uint8Array.from(deflateSync("h|")),
    greeting: "Client of a: 1",
    image: "a",
  };
  for (const [format, request] of Object.entries(began)) {
    for (const [how, fail] of Object.entries(FAILURES)) {
      await using stage = new Stage();
      const handlers = FORMATS as Record<string, unknown>;
      const handler = handlers[format];
      try {
        handlers[format] = fail;
        assertEquals(await exchange(stage.server.port, request), "", how);
      } finally {
        handlers[format] = handler;
      }
      await stage.untilLogged(1);
      assertEquals(stage.faults, [`${format} internal`], how);
      assert((await exchange(stage.server.port, request)).length > 3, how);
    }
  }
});

Deno.test("a greeting whose own number cannot be said ends that connection only", async () => {
  const number = {
    toString() {
      throw new Error(SECRET);
    },
  };
  const records: LogRecord[] = [];
  using shared = temporaryDirectory();
  await using server = serve({
    root: shared.path,
    port: 0,
    greeting: { number: number as unknown as bigint },
    log: (record) => records.push(record),
  });
  assertEquals(await exchange(server.port, "Client of a: 1"), "");
  assertEquals(records.map(({ request, result }) => `${request} ${result}`), ["greeting greet internal"]);
  assertEquals(await exchange(server.port, "APP/1 ping\n"), "APP/1 ok\nbeat\n");
});
