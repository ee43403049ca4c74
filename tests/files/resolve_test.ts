/** Names to paths: what links may and may not do, and what is never opened. */
import { LocalTree } from "../../protocol/files/local_tree.ts";
import { assert, assertEquals, assertRejectsCode, assertThrowsCode } from "../support/assert.ts";
import { readAll, store, TemporaryTree, textOf } from "./temporary_tree.ts";

async function contentOf(tree: LocalTree, name: string): Promise<string> {
  using source = await tree.open(name);
  return textOf(await readAll(source));
}

Deno.test("a link to a file inside is read as that file", async () => {
  using temporary = new TemporaryTree();
  temporary.file("dir/file.txt", "inside");
  Deno.symlinkSync("dir/file.txt", temporary.at("relative"));
  Deno.symlinkSync(temporary.at("dir/file.txt"), temporary.at("absolute"));
  Deno.symlinkSync("relative", temporary.at("chain"));
  for (const name of ["relative", "absolute", "chain"]) {
    assertEquals(await contentOf(temporary.tree, name), "inside");
    assertEquals(temporary.tree.stat(name).name, name);
    assertEquals(temporary.tree.stat(name).kind, "file");
  }
});

Deno.test("a link that leads out is refused, whatever it leads to", async () => {
  using temporary = new TemporaryTree();
  const { tree, outside } = temporary;
  Deno.writeTextFileSync(`${outside}/secret`, "secret");
  Deno.symlinkSync("../outside/secret", temporary.at("relative"));
  Deno.symlinkSync(`${outside}/secret`, temporary.at("absolute"));
  Deno.symlinkSync("relative", temporary.at("chain"));
  Deno.symlinkSync("..", temporary.at("parent"));
  Deno.symlinkSync(outside, temporary.at("directory"));
  for (const name of ["relative", "absolute", "chain", "parent", "directory", "directory/secret"]) {
    assertThrowsCode(() => tree.stat(name), "outside");
    await assertRejectsCode(() => tree.open(name), "outside");
  }
});

Deno.test("a link that leads nowhere is not found, and one that leads to itself is refused", async () => {
  using temporary = new TemporaryTree();
  Deno.symlinkSync("nowhere", temporary.at("dangling"));
  Deno.symlinkSync("loop", temporary.at("loop"));
  await assertRejectsCode(() => temporary.tree.open("dangling"), "not_found");
  await assertRejectsCode(() => temporary.tree.open("dangling/file"), "not_found");
  await assertRejectsCode(() => temporary.tree.open("loop"), "outside");
});

Deno.test("a link to a directory inside serves as a parent for reading, writing and listing", async () => {
  using temporary = new TemporaryTree();
  temporary.file("real/file.txt", "inside");
  Deno.symlinkSync("real", temporary.at("link"));
  assertEquals(await contentOf(temporary.tree, "link/file.txt"), "inside");
  assertEquals(await store(temporary.tree, "link/sub/new.txt", new Uint8Array(3)), "link/sub/new.txt");
  assertEquals(Deno.statSync(temporary.at("real/sub/new.txt")).size, 3);
  const batches = await Array.fromAsync(temporary.tree.list("link", { all: false }));
  assertEquals(batches[0]?.entries.map(({ name }) => name), ["file.txt", "sub"]);
});

Deno.test("a link to a directory outside is no parent for anything", async () => {
  using temporary = new TemporaryTree();
  const { tree } = temporary;
  temporary.file("here");
  Deno.writeTextFileSync(`${temporary.outside}/secret`, "secret");
  Deno.symlinkSync("../outside", temporary.at("link"));
  await assertRejectsCode(() => tree.open("link/secret"), "outside");
  assertThrowsCode(() => tree.remove("link/secret"), "outside");
  assertThrowsCode(() => tree.move("link/secret", "mine", "error"), "outside");
  assertThrowsCode(() => tree.move("here", "link/there", "replace"), "outside");
  assertThrowsCode(() => tree.makeDirectory("link/sub"), "outside");
  await assertRejectsCode(() => store(tree, "link/new", new Uint8Array(3)), "outside");
  await assertRejectsCode(() => store(tree, "link/sub/new", new Uint8Array(3)), "outside");
  assertEquals([...Deno.readDirSync(temporary.outside)].map(({ name }) => name), ["secret"]);
  assertEquals(temporary.visible()["here"] !== undefined, true);
});

Deno.test("writing to a name that is a link out replaces the link and leaves alone what it led to", async () => {
  using temporary = new TemporaryTree();
  Deno.writeTextFileSync(`${temporary.outside}/secret`, "secret");
  Deno.symlinkSync("../outside/secret", temporary.at("link"));
  await assertRejectsCode(() => store(temporary.tree, "link", new Uint8Array(3)), "exists");
  await store(temporary.tree, "link", new Uint8Array(3), { ifTaken: "replace" });
  assert(Deno.lstatSync(temporary.at("link")).isFile);
  assertEquals(Deno.readTextFileSync(`${temporary.outside}/secret`), "secret");
});

Deno.test("the shared directory may itself be a link", async () => {
  using temporary = new TemporaryTree();
  temporary.file("dir/file.txt", "inside");
  Deno.symlinkSync("share", `${temporary.path}-link`);
  const tree = new LocalTree(`${temporary.path}-link`);
  assertEquals(await contentOf(tree, "dir/file.txt"), "inside");
  await store(tree, "new.txt", new Uint8Array(3));
  assertEquals(Deno.statSync(temporary.at("new.txt")).size, 3);
});

Deno.test("a neighbour whose name begins like the shared directory's is outside", async () => {
  using temporary = new TemporaryTree();
  Deno.mkdirSync(`${temporary.path}2`);
  Deno.writeTextFileSync(`${temporary.path}2/secret`, "secret");
  Deno.symlinkSync("../share2", temporary.at("link"));
  Deno.symlinkSync("../share2/secret", temporary.at("file"));
  assertThrowsCode(() => temporary.tree.stat("link"), "outside");
  await assertRejectsCode(() => temporary.tree.open("link/secret"), "outside");
  await assertRejectsCode(() => temporary.tree.open("file"), "outside");
});

Deno.test("a link out and back in again is inside", async () => {
  using temporary = new TemporaryTree();
  temporary.file("file.txt", "inside");
  Deno.symlinkSync("../share/file.txt", temporary.at("link"));
  assertEquals(await contentOf(temporary.tree, "link"), "inside");
});

Deno.test("a link to an unfinished transfer is refused, as its own name is", async () => {
  using temporary = new TemporaryTree();
  temporary.file(".app-partial-0123", "half");
  temporary.file(".app-trash/file", "removed");
  Deno.symlinkSync(".app-partial-0123", temporary.at("link"));
  Deno.symlinkSync(".app-trash", temporary.at("trash"));
  for (const name of ["link", "trash", "trash/file", ".app-partial-0123", ".app-trash/file"]) {
    await assertRejectsCode(() => temporary.tree.open(name), "bad_name");
  }
});

Deno.test("a file is no directory: nothing is below it", async () => {
  using temporary = new TemporaryTree();
  const { tree } = temporary;
  temporary.file("file", "content");
  for (const name of ["file/x", "file/x/y"]) {
    await assertRejectsCode(() => tree.open(name), "not_a_directory");
    assertThrowsCode(() => tree.remove(name), "not_a_directory");
    assertThrowsCode(() => tree.makeDirectory(name), "not_a_directory");
    assertThrowsCode(() => tree.move("file", name, "error"), "not_a_directory");
    await assertRejectsCode(() => store(tree, name, new Uint8Array(3)), "not_a_directory");
  }
  assertEquals(temporary.read("file"), "content");
});

Deno.test("only a directory can be shared", () => {
  using temporary = new TemporaryTree();
  temporary.file("file");
  assertThrowsCode(() => new LocalTree(temporary.at("missing")), "not_found");
  assertThrowsCode(() => new LocalTree(temporary.at("file")), "not_a_directory");
  new LocalTree(temporary.path);
});
