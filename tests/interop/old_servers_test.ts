/** `app` against the old servers of `share` and `image`, unchanged: with a pause behind the code word, and without. */
import { getOldFile, intoTree, LocalTree, OldServer, putOldFile } from "../../client/mod.ts";
import { assert, assertEquals, assertMatch, assertRejectsCode, assertStringIncludes } from "../support/assert.ts";
import { names } from "../support/names_in.ts";
import { runApp, temporaryDirectory } from "../support/program.ts";
import { OldServerProcess, oldTest } from "./old_programs.ts";

const MIB = 1_048_576;
const SIZES = [0, 1, 1_024, 32 * MIB];

/** The program in the directory `cwd`, with the host and port behind the command. */
function appAt(server: OldServerProcess, cwd: string) {
  return (command: string, ...words: string[]) =>
    runApp([command, "127.0.0.1", String(server.port), ...words, "--retries", "0"], { cwd });
}

for (const format of ["share", "image"] as const) {
  for (const pauseSeconds of [0, 0.05]) {
    oldTest(
      `files of every size come from an old server of ${format} that pauses ${pauseSeconds} s`,
      async (random) => {
        const contents = SIZES.map((sizeBytes) => random.bytes(sizeBytes));
        const files = Object.fromEntries(contents.map((bytes, index) => [`${index}.bin`, bytes]));
        // What follows the code word may look like one.
        files["code.txt"] = new TextEncoder().encode("passfile-existscancel");
        await using old = await OldServerProcess.start(`${format}_server`, files, pauseSeconds);
        using here = temporaryDirectory();
        const server = new OldServer({ host: "127.0.0.1", port: old.port }, { retries: 0 });
        const tree = new LocalTree(here.path);
        for (const [name, bytes] of Object.entries(files)) {
          const result = await getOldFile(server, format, name, intoTree(tree, name, "error"));
          assertEquals([result.name, result.sizeBytes, result.resumedBytes], [name, bytes.length, 0]);
          const found = Deno.readFileSync(`${here.path}/${name}`);
          assert(found.length === bytes.length && found.every((byte, index) => byte === bytes[index]), name);
        }
      },
    );
  }
}

oldTest("files of every size go to an old server of share", async (random) => {
  await using old = await OldServerProcess.start("share_server");
  using here = temporaryDirectory();
  const server = new OldServer({ host: "127.0.0.1", port: old.port }, { retries: 0 });
  for (const sizeBytes of SIZES) {
    const bytes = random.bytes(sizeBytes);
    Deno.writeFileSync(`${here.path}/a.bin`, bytes);
    const result = await putOldFile(server, `${here.path}/a.bin`, `${sizeBytes}.bin`);
    assertEquals([result.name, result.sizeBytes], [`${sizeBytes}.bin`, sizeBytes]);
    const found = Deno.readFileSync(`${old.root}/${sizeBytes}.bin`);
    assert(found.length === sizeBytes && found.every((byte, index) => byte === bytes[index]));
  }
});

oldTest("get, put and list speak share, and say what they cannot vouch for", async () => {
  await using old = await OldServerProcess.start("share_server", { "apple.txt": "an apple", "Grüße 1.txt": "hello" });
  using here = temporaryDirectory();
  const app = appAt(old, here.path);
  Deno.writeTextFileSync(`${here.path}/mine.txt`, "mine");
  assertEquals(await app("list", "--wire", "share"), {
    code: 0,
    stdout: "Grüße 1.txt\napple.txt\n",
    stderr: "",
  });
  const got = await app("get", "apple.txt", "Grüße 1.txt", "--wire", "share");
  assertEquals(got, {
    code: 0,
    stdout: "apple.txt successfully downloaded. (length unverified)\n" +
      "Grüße 1.txt successfully downloaded. (length unverified)\n",
    stderr: "",
  });
  assertEquals(Deno.readTextFileSync(`${here.path}/Grüße 1.txt`), "hello");
  const put = await app("put", "mine.txt", "--wire", "share");
  assertEquals(put, { code: 0, stdout: "mine.txt successfully uploaded. (length unverified)\n", stderr: "" });
  assertEquals(Deno.readTextFileSync(`${old.root}/mine.txt`), "mine");
  const piped = await runApp(
    ["put", "127.0.0.1", String(old.port), "-", "--as", "piped", "--wire", "share"],
    { stdin: new TextEncoder().encode("through a pipe") },
  );
  assertEquals(piped.code, 0, piped.stderr);
  assertEquals(Deno.readTextFileSync(`${old.root}/piped`), "through a pipe");
  const out = await app("get", "apple.txt", "--output", "-", "--wire", "share");
  assertEquals(out, {
    code: 0,
    stdout: "an apple",
    stderr: "apple.txt successfully downloaded. (length unverified)\n",
  });
});

oldTest("json tells that the length is unverified, and entries without sizes", async () => {
  await using old = await OldServerProcess.start("share_server", { "a.txt": "1" });
  using here = temporaryDirectory();
  const app = appAt(old, here.path);
  assertEquals((await app("list", "--wire", "share", "--json")).stdout, '{"event":"entry","name":"a.txt"}\n');
  const { stdout } = await app("get", "a.txt", "--wire", "share", "--json");
  const done = JSON.parse(stdout.trimEnd().split("\n").at(-1)!);
  assertEquals(done, {
    event: "done",
    name: "a.txt",
    storedAs: "a.txt",
    sizeBytes: 1,
    crc32: "83dcefb7",
    resumedBytes: 0,
    reusedBytes: 0,
    lengthVerified: false,
  });
});

oldTest("what an old server refuses is an error, and what is here already is not asked for", async () => {
  await using old = await OldServerProcess.start("share_server", { "a.txt": "theirs" });
  using here = temporaryDirectory();
  const app = appAt(old, here.path);
  Deno.writeTextFileSync(`${here.path}/a.txt`, "mine");
  const taken = await app("get", "a.txt", "--wire", "share");
  assertEquals([taken.code, taken.stdout], [1, ""]);
  assertStringIncludes(taken.stderr, "the name is taken here");
  assertEquals((await app("get", "a.txt", "--wire", "share", "--if-exists", "skip")).code, 0);
  const long = await app("get", "a-name-of-twenty-nine-letters", "--wire", "share");
  assertEquals(long.code, 1);
  assertStringIncludes(long.stderr, "names of at most 28 bytes");
  const longPut = await app("put", "a.txt", "--as", "ä".repeat(15), "--wire", "share");
  assertStringIncludes(longPut.stderr, "it has 30 bytes");
  const put = await app("put", "a.txt", "--wire", "share");
  assertEquals(put.code, 1);
  assertStringIncludes(put.stderr, 'the server answered "cancel"');
  const skipped = await app("put", "a.txt", "--wire", "share", "--if-exists", "skip");
  assertEquals([skipped.code, skipped.stdout], [0, "a.txt skipped: it is on the server already.\n"]);
  const missing = await app("get", "b.txt", "--wire", "share");
  assertEquals([missing.code, names(here.path)], [1, ["a.txt"]]);
  const renamed = await app("get", "a.txt", "--wire", "share", "--if-exists", "rename");
  assertEquals(renamed.stdout, "a.txt successfully downloaded as a (2).txt. (length unverified)\n");
  assertEquals(Deno.readTextFileSync(`${old.root}/a.txt`), "theirs");
  assertEquals(await old.requests(), ["put,a.txt", "put,a.txt", "get,b.txt", "get,a.txt"]);
});

oldTest("an image of an old server is described, and one that is missing is an error", async () => {
  const image = Deno.readFileSync(new URL("../../fixtures/files/img.jpg", import.meta.url));
  await using old = await OldServerProcess.start("image_server", { "img.jpg": image });
  using here = temporaryDirectory();
  const app = appAt(old, here.path);
  const got = await app("get", "nothing.jpg", "img.jpg", "--wire", "image");
  assertEquals(got.code, 1);
  assertEquals(got.stdout, "img.jpg successfully downloaded. (JPEG, 640 x 480, 96 KB, length unverified)\n");
  assertMatch(got.stderr, /^Cannot get "nothing\.jpg": the server answered "file-doesn't-exist"\n/);
  assertEquals(Deno.readFileSync(`${here.path}/img.jpg`), image);
});

oldTest("the wrong format of an old server is told, and leaves nothing behind", async () => {
  await using share = await OldServerProcess.start("share_server", { "a.txt": "1" });
  await using image = await OldServerProcess.start("image_server", { "a.txt": "1" });
  using here = temporaryDirectory();
  const tree = new LocalTree(here.path);
  const get = (port: number, format: "share" | "image") =>
    getOldFile(
      new OldServer({ host: "127.0.0.1", port }, { retries: 0 }),
      format,
      "a.txt",
      intoTree(tree, "a.txt", "error"),
    );
  await assertRejectsCode(() => get(share.port, "image"), "not_app");
  await assertRejectsCode(() => get(image.port, "share"), "not_app");
  assertEquals(names(here.path), []);
  await get(share.port, "share");
  assertEquals(names(here.path), ["a.txt"]);
});

oldTest("a get that is reset is thrown away, tried again from the start, and then given up as broken off", async () => {
  await using old = await OldServerProcess.start("resetting_server");
  using here = temporaryDirectory();
  const app = (...words: string[]) =>
    runApp(["get", "127.0.0.1", String(old.port), "a.bin", "--wire", ...words], { cwd: here.path });
  const { code, stdout, stderr } = await app("share", "--retries", "1");
  assertEquals([code, stdout], [4, ""]);
  assertStringIncludes(stderr, "attempt 1 of 1");
  assertStringIncludes(stderr, "it starts anew, as the old formats cannot resume");
  assertEquals(names(here.path), []);
  assertEquals((await old.requests()).length, 2);
});

oldTest("a put that is reset is not tried again, and says that it may be there", async () => {
  await using old = await OldServerProcess.start("resetting_server");
  using here = temporaryDirectory();
  Deno.writeFileSync(`${here.path}/a.bin`, new Uint8Array(8 * MIB));
  const { code, stderr } = await runApp(
    ["put", "127.0.0.1", String(old.port), "a.bin", "--wire", "share", "--retries", "3"],
    { cwd: here.path },
  );
  assertEquals(code, 4);
  assertStringIncludes(stderr, '"a.bin" may be stored in part on the server');
  assertEquals(await old.requests(), ["put,a.bin"]);
});

oldTest("an old server that falls silent in a file is given up, and nothing of it stays", async () => {
  await using old = await OldServerProcess.start("resetting_server", {}, 60);
  using here = temporaryDirectory();
  const server = new OldServer({ host: "127.0.0.1", port: old.port }, { retries: 0, timeoutMs: 50 });
  const tree = new LocalTree(here.path);
  await assertRejectsCode(() => getOldFile(server, "share", "a.bin", intoTree(tree, "a.bin", "error")), "idle");
  assertEquals(names(here.path), []);
});
