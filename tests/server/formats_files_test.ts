/** `share` and `image` as the server answers them, byte by byte; uploads that end in every other way than well. */
import { listOldServer } from "../../client/old/list.ts";
import { OldServer } from "../../client/old/old_server.ts";
import { AppError } from "../../protocol/errors.ts";
import { SERVER_LIMITS } from "../../protocol/limits.ts";
import type { FileTree } from "../../protocol/files/tree.ts";
import { LocalTree } from "../../protocol/files/local_tree.ts";
import { serve } from "../../server/mod.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "../support/assert.ts";
import { names } from "../support/names_in.ts";
import { temporaryDirectory } from "../support/program.ts";
import { exchange, RawConnection, type Served, soon, startServed } from "./served.ts";

const FILES = { "a.txt": "content", "two words.txt": "2", "Grüße.txt": "3", "empty": "", "dir/x": "4", ".dot": "5" };

/** Waits that no test should have to wait for. */
const LIMITS = { quietMs: 5, codeGapMs: 1, cancelWaitMs: 5 };

function startQuick(files: Readonly<Record<string, string>> = FILES, options: Parameters<typeof startServed>[1] = {}) {
  return startServed(files, { ...options, limits: { ...LIMITS, ...options.limits } });
}

/** What is logged, without what differs from run to run. */
function logOf({ records }: Served) {
  return records.map(({ request, name, bytes, result }) => [request, name, bytes, result]);
}

/** The log has `count` lines; every one is written before its connection ends. */
async function untilLogged(served: Served, count: number): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (served.records.length < count) {
    assert(performance.now() < deadline, `the log has only ${served.records.length} lines`);
    await Deno.lstat(served.root);
  }
}

const ANSWERS = [
  ["get,a.txt", "passcontent", "done"],
  ["get,two words.txt", "pass2", "done"],
  ["get,Grüße.txt", "pass3", "done"],
  ["get,empty", "pass", "done"],
  ["get,dir/x", "pass4", "done"],
  ["get,.dot", "pass5", "done"],
  ["get,nothing", "cancel", "not_found"],
  ["get,dir", "cancel", "is_directory"],
  ["get,../a.txt", "cancel", "bad_name"],
  ["get,/etc/passwd", "cancel", "bad_name"],
  ["get,", "cancel", "bad_name"],
  ["get,a.txt ", "cancel", "bad_name"],
  ["get,a-name-of-twenty-nine-letters", "cancel", "bad_name"],
  ["put,a.txt", "cancel", "exists"],
  ["put,dir", "cancel", "exists"],
  ["put,../a.txt", "cancel", "bad_name"],
  ["put,.app-x", "cancel", "bad_name"],
  ["put,a-name-of-twenty-nine-letters", "cancel", "bad_name"],
  ["put,new.txt", "pass", "done"],
  ["list", "Grüße.txt, a.txt, empty, two words.txt, ", "done"],
  ["a.txt", "file-existscontent", "done"],
  ["two words.txt", "file-exists2", "done"],
  ["empty", "file-exists", "done"],
  ["nothing.png", "file-doesn't-exist", "not_found"],
  ["dir", "file-doesn't-exist", "is_directory"],
  ["../a.txt", "file-doesn't-exist", "bad_name"],
] as const;

for (const [request, answer, result] of ANSWERS) {
  Deno.test(`"${request}" is answered with "${answer}", and logged as ${result}`, async () => {
    await using served = startQuick();
    assertEquals(await exchange(served.port, request), answer);
    await untilLogged(served, 1);
    assertEquals(served.records.map(({ result }) => result), [result]);
  });
}

Deno.test("a name that is not UTF-8 is cancelled", async () => {
  await using served = startQuick();
  const request = Uint8Array.of(...new TextEncoder().encode("get,a"), 255);
  assertEquals(await exchange(served.port, request), "cancel");
});

for (const request of ["get,a.txt", "list", "a.txt"]) {
  Deno.test(`"${request}" is answered the same, in whichever two pieces it comes`, async () => {
    await using served = startQuick(FILES, { limits: { quietMs: 60_000 } });
    const expected = await exchange(served.port, request);
    const bytes = new TextEncoder().encode(request);
    await Promise.all(Array.from({ length: bytes.length - 1 }, async (_, index) => {
      using conn = await RawConnection.open(served.port);
      await conn.write(bytes.subarray(0, index + 1));
      await conn.write(bytes.subarray(index + 1));
      await conn.end();
      assertEquals(await conn.readAll(), expected);
    }));
  });
}

Deno.test("the code word comes alone: what follows waits for the gap", async () => {
  await using served = startQuick(FILES, { limits: { codeGapMs: 60_000 } });
  const conns: Deno.Conn[] = [];
  for (const [request, code] of [["get,a.txt", "pass"], ["a.txt", "file-exists"]] as const) {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: served.port });
    await conn.write(new TextEncoder().encode(request));
    const buffer = new Uint8Array(1_000);
    const count = await soon(conn.read(buffer), "the code word");
    assertEquals(new TextDecoder().decode(buffer.subarray(0, count!)), code);
    conns.push(conn);
  }
  served.server.stopNow(); // which ends the gaps, too
  await soon(served.server.finished, "the end of the server");
  conns.forEach((conn) => conn.close());
  assertEquals(SERVER_LIMITS.codeGapMs, 200);
});

Deno.test("a put that is ended cleanly is stored, whatever its length, and the log says what that is worth", async () => {
  await using served = startQuick({});
  using conn = await RawConnection.open(served.port);
  await conn.write("put,new.txt");
  await untilPassed(conn);
  await conn.write("some bytes");
  assertEquals(names(served.root).filter((name) => !name.startsWith(".app-")), [], "not before the end");
  await conn.end();
  assertEquals(await conn.readAll(), "");
  assertEquals(Deno.readTextFileSync(`${served.root}/new.txt`), "some bytes");
  assertEquals(served.records.map(({ bytes, detail }) => [bytes, detail]), [[10, "length unverified"]]);
});

Deno.test("a put that falls silent is given up, and nothing of it stays", async () => {
  await using served = startQuick({}, { limits: { idleTimeoutMs: 50 } });
  using conn = await RawConnection.open(served.port);
  await conn.write("put,new.txt");
  await untilPassed(conn);
  await conn.write("some bytes");
  await untilLogged(served, 1);
  assertEquals(logOf(served), [["share put", "new.txt", 0, "idle"]]);
  assertEquals(names(served.root), []);
});

Deno.test("a put that is under way when the server stops at once is not stored", async () => {
  await using served = startQuick({});
  using conn = await RawConnection.open(served.port);
  await conn.write("put,new.txt");
  await untilPassed(conn);
  await conn.write("some bytes");
  served.server.stopNow();
  await served.server.finished;
  assertEquals(logOf(served), [["share put", "new.txt", 0, "shutting_down"]]);
  assertEquals(names(served.root), []);
});

Deno.test("a put larger than allowed is broken off, and one of that size is stored", async () => {
  await using served = startQuick({}, { limits: { fileBytesMax: 10 } });
  for (const [name, content] of [["large", "01234567890"], ["right", "0123456789"]] as const) {
    using conn = await RawConnection.open(served.port);
    await conn.write(`put,${name}`);
    await untilPassed(conn);
    await conn.write(content);
    await conn.end();
    await conn.readAll().catch(() => {}); // a reset: the old client is told that way
  }
  assertEquals(logOf(served), [["share put", "large", 0, "too_large"], ["share put", "right", 10, "done"]]);
  assertEquals(names(served.root), ["right"]);
});

Deno.test("of two puts of one name at once the first that ends has it, and the other leaves nothing", async () => {
  await using served = startQuick({});
  using first = await RawConnection.open(served.port);
  using second = await RawConnection.open(served.port);
  for (const conn of [first, second]) {
    await conn.write("put,new.txt");
    await untilPassed(conn);
  }
  await second.write("second");
  await second.end();
  await second.readAll();
  await first.write("first");
  await first.end();
  await first.readAll();
  assertEquals(served.records.map(({ result }) => result), ["done", "exists"]);
  assertEquals(names(served.root), ["new.txt"]);
  assertEquals(Deno.readTextFileSync(`${served.root}/new.txt`), "second");
});

Deno.test("a read-only server cancels a put and goes on being read", async () => {
  await using served = startQuick(FILES, { readOnly: true });
  assertEquals(await exchange(served.port, "put,new.txt"), "cancel");
  assertEquals(await exchange(served.port, "get,a.txt"), "passcontent");
  await untilLogged(served, 2);
  assertEquals(served.records.map(({ result }) => result), ["read_only", "done"]);
});

Deno.test("a cancelled connection is kept open for a moment, and no longer", async () => {
  await using served = startQuick(FILES, { limits: { cancelWaitMs: 20 } });
  using conn = await RawConnection.open(served.port);
  await conn.write("get,nothing");
  assertEquals(await conn.readAll(), "cancel", "it ends although we did not end our side");
});

Deno.test("image goes on answering on one connection until there is a file", async () => {
  await using served = startQuick();
  using conn = await RawConnection.open(served.port);
  let answered = "";
  for (const name of ["nothing", "dir", "list", "get,a.txt"]) {
    await conn.write(name);
    answered += "file-doesn't-exist";
    await untilLogged(served, served.records.length + 1);
  }
  await conn.write("a.txt");
  await conn.end();
  assertEquals(await conn.readAll(), `${answered}file-existscontent`);
  await untilLogged(served, 5);
  assertEquals(logOf(served).map(([request]) => request), new Array(5).fill("image get"));
});

Deno.test("a server that should stop after one delivery does so after an old client's, and not after a refusal", async () => {
  for (const [refused, taken] of [["get,nothing", "get,a.txt"], ["nothing", "a.txt"]] as const) {
    await using served = startQuick(FILES, { once: true });
    await exchange(served.port, refused);
    await exchange(served.port, taken);
    await soon(served.server.finished, "the end of the server");
    assertEquals(served.records.map(({ result }) => result), ["not_found", "done"]);
  }
});

Deno.test("a file that changes while it is sent is logged as changed, and does not count as delivered", async () => {
  using directory = temporaryDirectory();
  Deno.writeTextFileSync(`${directory.path}/a.txt`, "content");
  const tree = new LocalTree(directory.path);
  const changing: FileTree = Object.assign(Object.create(tree), {
    list: tree.list.bind(tree),
    create: tree.create.bind(tree),
    async open(name: string) {
      const source = await tree.open(name);
      if (source.entry.sizeBytes > 7) return source;
      Deno.writeTextFileSync(`${directory.path}/a.txt`, "content, and more");
      return source;
    },
  });
  const results: string[] = [];
  await using server = serve({
    root: changing,
    port: 0,
    once: true,
    limits: LIMITS,
    log: ({ result }) => results.push(result),
  });
  assertEquals(await exchange(server.port, "get,a.txt"), "passcontent", "no more than was there at first");
  assertEquals(
    await exchange(server.port, "a.txt"),
    "file-existscontent, and more".slice(0, "file-exists".length + 17),
  );
  assertEquals(results, ["source_changed", "done"]);
});

Deno.test("a list of more names than one message holds is whole", async () => {
  const files = Object.fromEntries(
    Array.from({ length: 1_500 }, (_, index) => [`${"n".repeat(60)}${1_000 + index}`, ""]),
  );
  await using served = startQuick(files);
  const list = await exchange(served.port, "list");
  assertEquals(list.split(", ").length, 1_501);
});

Deno.test("formats that are not served are refused in words", async () => {
  await using served = startQuick(FILES, { formats: ["app"] });
  for (const request of ["get,a.txt", "list", "img.jpg"]) {
    assertStringIncludes(await exchange(served.port, request), "This is app, which speaks APP/1");
  }
  await using both = startQuick(FILES, { formats: ["app", "share"] });
  assertEquals(await exchange(both.port, "get,a.txt"), "passcontent");
  assertStringIncludes(await exchange(both.port, "a.txt"), "This is app");
  const listed = (port: number) => listOldServer(new OldServer({ host: "127.0.0.1", port }));
  await assertRejects(() => listed(served.port), AppError, "does not speak the format share");
  assertEquals(await listed(both.port), ["Grüße.txt", "a.txt", "empty", "two words.txt"], "the benign twin");
});

/** Reads the word that lets an upload begin. */
async function untilPassed(conn: RawConnection): Promise<void> {
  assertEquals(new TextDecoder().decode(await conn.readExactly(4)), "pass");
}
