/** The client's calls against a real server in this process. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { Client, getFile, intoTree, LocalTree, putFile } from "../../client/mod.ts";
import { Random } from "../support/random.ts";
import { assert, assertEquals, assertRejectsCode, assertStringIncludes } from "../support/assert.ts";
import { temporaryDirectory } from "../support/program.ts";
import { startServed } from "../server/served.ts";
import { ProgressMeter } from "../../client/progress.ts";

async function namesIn(client: Client, directory: string, options?: { all: boolean }): Promise<string[]> {
  const names: string[] = [];
  for await (const { entries } of client.list(directory, options)) names.push(...entries.map(({ name }) => name));
  return names;
}

Deno.test("list streams the entries of a directory in order, batch by batch", async () => {
  const files = Object.fromEntries(
    Array.from({ length: 600 }, (_, index) => [`f${String(index).padStart(3, "0")}`, ""]),
  );
  await using served = startServed({ ...files, ".hidden": "x", "dir/inner.txt": "12345" });
  await using client = served.client();
  let batches = 0;
  const names: string[] = [];
  for await (const { entries } of client.list("")) {
    names.push(...entries.map(({ name }) => name));
    batches++;
  }
  assertEquals(names, ["dir", ...Object.keys(files)]);
  assert(batches > 2, `${batches} batches`);
  assertEquals((await namesIn(client, "", { all: true })).includes(".hidden"), true);
  const [batch] = await Array.fromAsync(client.list("dir"));
  assertEquals(batch!.entries.map(({ name, kind, sizeBytes }) => [name, kind, sizeBytes]), [["inner.txt", "file", 5]]);
});

Deno.test("list of nothing is nothing, and of what is not there an error", async () => {
  await using served = startServed({ "a.txt": "x" });
  Deno.mkdirSync(`${served.root}/empty`);
  await using client = served.client();
  assertEquals(await namesIn(client, "empty"), []);
  await assertRejectsCode(() => namesIn(client, "nowhere"), "not_found");
  await assertRejectsCode(() => namesIn(client, "a.txt"), "not_a_directory");
  assertEquals(await namesIn(client, ""), ["a.txt", "empty"]);
});

Deno.test("a list that is not read to its end does not disturb the next call", async () => {
  await using served = startServed({ "a.txt": "x", "b.txt": "yy" });
  await using client = served.client();
  for await (const { entries } of client.list("")) {
    if (entries.length > 0) break;
  }
  assertEquals((await client.stat("b.txt")).sizeBytes, 2);
});

Deno.test("stat tells kind, size, time and mode under the name that was asked for", async () => {
  await using served = startServed({ "a/b.txt": "hello" });
  const path = `${served.root}/a/b.txt`;
  Deno.utimeSync(path, 1_700_000_000, 1_700_000_000.123);
  Deno.chmodSync(path, 0o640);
  await using client = served.client();
  assertEquals(await client.stat("a/b.txt"), {
    name: "a/b.txt",
    kind: "file",
    sizeBytes: 5,
    mtimeMs: 1_700_000_000_123,
    mode: 0o640,
  });
  assertEquals((await client.stat("a")).kind, "directory");
  await assertRejectsCode(() => client.stat("c"), "not_found");
});

Deno.test("mkdir, move and remove change the tree, and refuse what they must", async () => {
  await using served = startServed({ "a.txt": "a", "b.txt": "b" }, { allowRemove: true, allowOverwrite: true });
  await using client = served.client();
  await client.makeDirectory("x/y");
  await client.makeDirectory("x/y");
  assertEquals(await client.move("a.txt", "x/y/c.txt"), "x/y/c.txt");
  await assertRejectsCode(() => client.move("b.txt", "x/y/c.txt"), "exists");
  assertEquals(await client.move("b.txt", "x/y/c.txt", "rename"), "x/y/c (2).txt");
  assertEquals(await client.move("x/y/c (2).txt", "x/y/c.txt", "replace"), "x/y/c.txt");
  assertEquals(Deno.readTextFileSync(`${served.root}/x/y/c.txt`), "b");
  await assertRejectsCode(() => client.remove("x"), "not_empty");
  await client.remove("x/y/c.txt");
  await client.remove("x/y");
  await assertRejectsCode(() => client.remove("x/y"), "not_found");
  assertEquals(Array.from(Deno.readDirSync(served.root), ({ name }) => name), ["x"]);
});

Deno.test("digest is what b2sum and zlib say, for files of every kind of size", async () => {
  const random = new Random(1);
  const sizes = [0, 1, 5, 1_048_575, 1_048_576, 1_048_577, 3_000_000];
  const files = Object.fromEntries(sizes.map((size) => [`f${size}`, random.bytes(size)]));
  await using served = startServed(files);
  await using client = served.client();
  for (const [name, bytes] of Object.entries(files)) {
    const { sizeBytes, crc, blake2b } = await client.digest(name);
    assertEquals([sizeBytes, crc], [bytes.length, crc32(bytes)], name);
    assertEquals(blake2b, new Uint8Array(createHash("blake2b512").update(bytes).digest()), name);
  }
  Deno.mkdirSync(`${served.root}/dir`);
  await assertRejectsCode(() => client.digest("dir"), "is_directory");
});

Deno.test("get and put carry bytes and time, and make parents", async () => {
  const bytes = new Random(2).bytes(2_500_000);
  await using served = startServed({ "deep/a.bin": bytes });
  Deno.utimeSync(`${served.root}/deep/a.bin`, 1_700_000_000, 1_700_000_000);
  using here = temporaryDirectory();
  await using client = served.client();
  const tree = new LocalTree(here.path);
  const got = await getFile(client, "deep/a.bin", intoTree(tree, "deep/a.bin", "error"));
  assertEquals(got, {
    name: "deep/a.bin",
    sizeBytes: bytes.length,
    crc: crc32(bytes),
    resumedBytes: 0,
    reusedBytes: 0,
  });
  assertEquals(Deno.readFileSync(`${here.path}/deep/a.bin`), bytes);
  assertEquals(Deno.statSync(`${here.path}/deep/a.bin`).mtime, new Date(1_700_000_000_000));
  const put = await putFile(client, `${here.path}/deep/a.bin`, "new/place.bin");
  assertEquals(put, { ...got, name: "new/place.bin" });
  assertEquals(Deno.readFileSync(`${served.root}/new/place.bin`), bytes);
  assertEquals(Deno.statSync(`${served.root}/new/place.bin`).mtime, new Date(1_700_000_000_000));
});

Deno.test("a taken name is refused on both sides unless something else was asked for", async () => {
  await using served = startServed({ "a.txt": "there" });
  using here = temporaryDirectory();
  Deno.writeTextFileSync(`${here.path}/a.txt`, "here");
  await using client = served.client();
  const tree = new LocalTree(here.path);
  await assertRejectsCode(async () => await getFile(client, "a.txt", intoTree(tree, "a.txt", "error")), "exists");
  assertEquals((await getFile(client, "a.txt", intoTree(tree, "a.txt", "rename"))).name, "a (2).txt");
  await assertRejectsCode(() => putFile(client, `${here.path}/a.txt`, "a.txt"), "exists");
  const renamed = await putFile(client, `${here.path}/a.txt`, "a.txt", { ifExists: "rename" });
  assertEquals(renamed.name, "a (2).txt");
  assertEquals(Deno.readTextFileSync(`${served.root}/a (2).txt`), "here");
  assertEquals(Deno.readTextFileSync(`${here.path}/a (2).txt`), "there");
  assertEquals(Deno.readTextFileSync(`${here.path}/a.txt`), "here");
});

Deno.test("a bad name is refused before anybody is called", async () => {
  await using client = new Client({ host: "127.0.0.1", port: 1 });
  using here = temporaryDirectory();
  Deno.writeTextFileSync(`${here.path}/a`, "x");
  await assertRejectsCode(() => putFile(client, `${here.path}/a`, "../a"), "bad_name");
  await assertRejectsCode(() => putFile(client, `${here.path}/b`, "b"), "not_found");
});

Deno.test("every address of a name is tried", async () => {
  await using served = startServed({ "a.txt": "x" });
  await using client = new Client({ host: "localhost", port: served.port }, { retries: 0 });
  assertEquals(await namesIn(client, ""), ["a.txt"]);
});

Deno.test("progress of a put begins at nothing, so that its final line has a speed", async () => {
  await using served = startServed();
  using here = temporaryDirectory();
  Deno.writeFileSync(`${here.path}/a.bin`, new Uint8Array(100_000));
  await using client = served.client();
  const meter = new ProgressMeter(0);
  let nowMs = 0;
  await putFile(client, `${here.path}/a.bin`, "a.bin", {
    onProgress: (progress) => meter.update(progress, nowMs += 100),
  });
  const line = meter.finalLine("a.bin", nowMs + 100);
  assertStringIncludes(line, "a.bin  100%  100 KB  ");
  assertEquals(line.includes("  0 B/s"), false, line);
});

Deno.test("progress of a get begins at nothing, so that its final line has a speed", async () => {
  await using served = startServed({ "a.bin": new Uint8Array(100_000) });
  using here = temporaryDirectory();
  await using client = served.client();
  const meter = new ProgressMeter(0);
  let nowMs = 0;
  const onProgress = (progress: Parameters<ProgressMeter["update"]>[0]) => meter.update(progress, nowMs += 100);
  await getFile(client, "a.bin", intoTree(new LocalTree(here.path), "a.bin", "error"), { onProgress });
  assertEquals(meter.finalLine("a.bin", nowMs + 100).includes("  0 B/s"), false);
});
