/** What a directory shows of itself: lists, facts and reading. */
import { AppError } from "../../protocol/errors.ts";
import type { Batch } from "../../protocol/files/tree.ts";
import { assert, assertEquals, assertRejects, assertRejectsCode, assertThrowsCode } from "../support/assert.ts";
import { readAll, store, TemporaryTree, textOf } from "./temporary_tree.ts";

async function list(
  { tree }: TemporaryTree,
  directory = "",
  all = false,
): Promise<{ names: string[]; hidden: number }> {
  const batches: Batch[] = await Array.fromAsync(tree.list(directory, { all }));
  return {
    names: batches.flatMap(({ entries }) => entries.map(({ name }) => name)),
    hidden: batches.reduce((sum, { hidden }) => sum + hidden, 0),
  };
}

Deno.test("a list is sorted, shows one level, and has what there is to know of each entry", async () => {
  using temporary = new TemporaryTree();
  for (const name of ["b", "a", "C", "ä", "10", "9", "dir/below"]) temporary.file(name, name);
  assertEquals((await list(temporary)).names, ["10", "9", "C", "a", "b", "dir", "ä"]);
  assertEquals((await list(temporary, "dir")).names, ["below"]);

  Deno.utimeSync(temporary.at("10"), new Date(5000), new Date(1234));
  Deno.chmodSync(temporary.at("10"), 0o4750);
  const [batch] = await Array.fromAsync(temporary.tree.list("", { all: false }));
  assertEquals(batch?.entries[0], { name: "10", kind: "file", sizeBytes: 2, mtimeMs: 1234, mode: 0o750 });
  assertEquals(batch?.entries[5]?.kind, "directory");
  assertEquals(batch?.entries[5]?.sizeBytes, 0);
});

Deno.test("an empty directory lists nothing", async () => {
  using temporary = new TemporaryTree();
  assertEquals(await list(temporary), { names: [], hidden: 0 });
});

Deno.test("a long list comes in batches, whole and in order", async () => {
  using temporary = new TemporaryTree();
  const names = Array.from({ length: 1000 }, (_, index) => `file ${String(index).padStart(4, "0")}`);
  for (const name of names) temporary.file(name, "");
  const batches = await Array.fromAsync(temporary.tree.list("", { all: false }));
  assert(batches.length > 1);
  assertEquals(batches.flatMap(({ entries }) => entries.map(({ name }) => name)), names);
});

Deno.test("names that begin with a dot show only when all are asked for, reserved ones never", async () => {
  using temporary = new TemporaryTree();
  for (const name of [".hidden", "shown", ".app-partial-1", ".APP-trash", ".dir/file"]) temporary.file(name);
  assertEquals(await list(temporary), { names: ["shown"], hidden: 0 });
  assertEquals(await list(temporary, "", true), { names: [".dir", ".hidden", "shown"], hidden: 0 });
  assertEquals((await list(temporary, ".dir")).names, ["file"]);
});

Deno.test("what no request could name is not shown but counted", async () => {
  using temporary = new TemporaryTree();
  Deno.writeTextFileSync(`${temporary.outside}/secret`, "secret");
  for (const name of ["a\\b", "dot.", "space ", "con", "line\nfeed", "u\u0308", "fine"]) temporary.file(name);
  Deno.symlinkSync("../outside", temporary.at("out"));
  Deno.symlinkSync("../outside/secret", temporary.at("out too"));
  Deno.symlinkSync("nowhere", temporary.at("dangling"));
  Deno.symlinkSync("loop", temporary.at("loop"));
  Deno.symlinkSync("fine", temporary.at("link"));
  assertEquals(await list(temporary), { names: ["fine", "link"], hidden: 10 });
});

Deno.test("what is shown can be looked at", async () => {
  using temporary = new TemporaryTree();
  temporary.file("dir/file", "content");
  Deno.symlinkSync("file", temporary.at("dir/link"));
  for (const name of (await list(temporary, "dir")).names) {
    const entry = temporary.tree.stat(`dir/${name}`);
    assertEquals([entry.name, entry.kind, entry.sizeBytes], [`dir/${name}`, "file", 7]);
    assert(temporary.tree.has(`dir/${name}`));
  }
  assertEquals(temporary.tree.stat("dir").kind, "directory");
  assertEquals(temporary.tree.stat("").kind, "directory");
  assertEquals(temporary.tree.has("dir/other"), false);
  assertEquals(temporary.tree.has("other/file"), false);
});

Deno.test("only a directory that is there can be listed", async () => {
  using temporary = new TemporaryTree();
  temporary.file("file");
  await assertRejectsCode(() => list(temporary, "file"), "not_a_directory");
  await assertRejectsCode(() => list(temporary, "missing"), "not_found");
  await assertRejectsCode(() => list(temporary, ".."), "bad_name");
});

Deno.test("a directory that may not be read is refused without telling where it is", async () => {
  using temporary = new TemporaryTree({
    readDir(path) {
      throw new Deno.errors.PermissionDenied(`Permission denied (os error 13): readdir '${path}'`);
    },
  });
  const error = await assertRejects(() => list(temporary), AppError);
  assertEquals(error.code, "denied");
  assert(!error.message.includes(temporary.path), error.message);
});

Deno.test("a file is read from any offset, and not beyond its end", async () => {
  using temporary = new TemporaryTree();
  temporary.file("file", "0123456789");
  using source = await temporary.tree.open("file");
  assertEquals(source.entry.sizeBytes, 10);
  for (const offset of [0, 7, 3, 10, 0]) {
    assertEquals(textOf(await readAll(source, offset)), "0123456789".slice(offset));
  }
  assertEquals(await source.readAt(11, new Uint8Array(5)), 0);
  source.verifyUnchanged();
});

Deno.test("a file that changes while it is read is noticed: its size or its time", async () => {
  const changes: ((path: string) => void)[] = [
    (path) => Deno.writeTextFileSync(path, "more", { append: true }),
    (path) => Deno.truncateSync(path, 3),
    (path) => Deno.utimeSync(path, new Date(1), new Date(1)),
  ];
  for (const change of changes) {
    using temporary = new TemporaryTree();
    temporary.file("file", "content");
    using source = await temporary.tree.open("file");
    source.verifyUnchanged();
    change(temporary.at("file"));
    assertThrowsCode(() => source.verifyUnchanged(), "source_changed");
  }
});

Deno.test("a file that is replaced or removed while it is read is read whole, as it was", async () => {
  using temporary = new TemporaryTree();
  temporary.file("file", "the old content");
  using source = await temporary.tree.open("file");
  await store(temporary.tree, "file", new Uint8Array(3), { ifTaken: "replace" });
  assertEquals(textOf(await readAll(source)), "the old content");
  source.verifyUnchanged();
  temporary.tree.remove("file");
  assertEquals(textOf(await readAll(source)), "the old content");
  source.verifyUnchanged();
});
