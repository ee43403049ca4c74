/** Moving, removing and making directories. */
import {
  assert,
  assertEquals,
  assertRejects,
  assertRejectsCode,
  assertThrows,
  assertThrowsCode,
} from "../support/assert.ts";
import { AppError } from "../../protocol/errors.ts";
import { LocalTree } from "../../protocol/files/local_tree.ts";
import { bytesOf, store, TemporaryTree } from "./temporary_tree.ts";

Deno.test("a file moves to another name, and its parents are made", () => {
  using temporary = new TemporaryTree();
  temporary.file("a", "content");
  assertEquals(temporary.tree.move("a", "new/dir/b", "error"), "new/dir/b");
  assertEquals(temporary.read("new/dir/b"), "content");
  assertEquals(temporary.tree.has("a"), false);
});

Deno.test("a directory moves with all that is in it", () => {
  using temporary = new TemporaryTree();
  temporary.file("dir/sub/file", "content");
  assertEquals(temporary.tree.move("dir", "other/place", "error"), "other/place");
  assertEquals(temporary.read("other/place/sub/file"), "content");
  assertEquals(temporary.tree.has("dir"), false);
});

Deno.test("a move to a taken name is refused, evades or replaces", () => {
  using temporary = new TemporaryTree();
  temporary.file("a.txt", "a");
  temporary.file("b.txt", "b");
  assertThrowsCode(() => temporary.tree.move("a.txt", "b.txt", "error"), "exists");
  assertEquals([temporary.read("a.txt"), temporary.read("b.txt")], ["a", "b"]);
  assertEquals(temporary.tree.move("a.txt", "b.txt", "rename"), "b (2).txt");
  assertEquals([temporary.read("b (2).txt"), temporary.read("b.txt")], ["a", "b"]);
  assertEquals(temporary.tree.move("b (2).txt", "b.txt", "replace"), "b.txt");
  assertEquals(temporary.read("b.txt"), "a");
  assertEquals(Object.keys(temporary.visible()), ["b.txt"]);
});

Deno.test("a directory is never replaced, and never replaces", () => {
  using temporary = new TemporaryTree();
  temporary.file("file", "content");
  temporary.file("dir/file", "content");
  Deno.mkdirSync(temporary.at("empty"));
  assertThrowsCode(() => temporary.tree.move("file", "dir", "replace"), "is_directory");
  assertThrowsCode(() => temporary.tree.move("file", "empty", "replace"), "is_directory");
  for (const ifTaken of ["error", "rename"] as const) {
    assertThrowsCode(() => temporary.tree.move("dir", "empty", ifTaken), "exists");
    assertThrowsCode(() => temporary.tree.move("dir", "file", ifTaken), "exists");
  }
  assertThrowsCode(() => temporary.tree.move("dir", "file", "replace"), "exists");
  assertEquals(Object.keys(temporary.visible()), ["dir/file", "file"]);
});

Deno.test("a directory does not move into itself, and nothing is left of the attempt", () => {
  using temporary = new TemporaryTree();
  temporary.file("dir/file", "content");
  assertThrows(() => temporary.tree.move("dir", "dir/inner", "error"), AppError);
  assertThrows(() => temporary.tree.move("dir", "dir/new/inner", "error"), AppError);
  assertEquals([...Deno.readDirSync(temporary.at("dir"))].map(({ name }) => name), ["file"]);
});

Deno.test("a move onto its own name replaces nothing and loses nothing", () => {
  using temporary = new TemporaryTree();
  temporary.file("a", "content");
  assertThrowsCode(() => temporary.tree.move("a", "a", "error"), "exists");
  assertEquals(temporary.tree.move("a", "a", "replace"), "a");
  assertEquals(temporary.read("a"), "content");
});

Deno.test("a file that has both names already loses the old one when it moves", () => {
  using temporary = new TemporaryTree();
  temporary.file("a", "content");
  Deno.linkSync(temporary.at("a"), temporary.at("b"));
  assertEquals(temporary.tree.move("a", "b", "replace"), "b");
  assertEquals(Object.keys(temporary.visible()), ["b"]);
});

Deno.test("a link moves as a link", () => {
  using temporary = new TemporaryTree();
  temporary.file("file", "content");
  Deno.symlinkSync("file", temporary.at("link"));
  assertEquals(temporary.tree.move("link", "other", "error"), "other");
  assertEquals(Deno.readLinkSync(temporary.at("other")), "file");
  assertEquals(temporary.read("file"), "content");
});

Deno.test("what is missing or breaks the rule does not move", () => {
  using temporary = new TemporaryTree();
  temporary.file("a");
  assertThrowsCode(() => temporary.tree.move("missing", "b", "error"), "not_found");
  for (const name of ["", "..", "../b", ".app-partial-1"]) {
    assertThrowsCode(() => temporary.tree.move("a", name, "replace"), "bad_name");
    assertThrowsCode(() => temporary.tree.move(name, "b", "replace"), "bad_name");
    assertThrowsCode(() => temporary.tree.remove(name), "bad_name");
    assertThrowsCode(() => temporary.tree.makeDirectory(name), "bad_name");
  }
  assertEquals(Object.keys(temporary.visible()), ["a"]);
});

Deno.test("files, links and empty directories are removed, and nothing else", () => {
  using temporary = new TemporaryTree();
  Deno.writeTextFileSync(`${temporary.outside}/secret`, "secret");
  temporary.file("file");
  temporary.file("full/file");
  Deno.mkdirSync(temporary.at("empty"));
  Deno.symlinkSync("../outside/secret", temporary.at("link"));
  Deno.symlinkSync("../outside", temporary.at("directory link"));
  for (const name of ["file", "empty", "link", "directory link"]) {
    temporary.tree.remove(name);
    assertEquals(temporary.tree.has(name), false);
    assertThrowsCode(() => temporary.tree.remove(name), "not_found");
  }
  assertThrowsCode(() => temporary.tree.remove("full"), "not_empty");
  assertEquals(Object.keys(temporary.visible()), ["full/file"]);
  assertEquals(Deno.readTextFileSync(`${temporary.outside}/secret`), "secret");
});

Deno.test("a directory is made with its parents, and making it again is no error", () => {
  using temporary = new TemporaryTree();
  for (let round = 0; round < 2; round++) temporary.tree.makeDirectory("a/b/c");
  assertEquals(temporary.tree.stat("a/b/c").kind, "directory");
  temporary.file("file");
  assertThrowsCode(() => temporary.tree.makeDirectory("file"), "not_a_directory");
  Deno.symlinkSync("../outside", temporary.at("out"));
  assertThrowsCode(() => temporary.tree.makeDirectory("out"), "outside");
});

Deno.test("no message tells where the shared directory lies", async () => {
  using temporary = new TemporaryTree();
  const { tree } = temporary;
  temporary.file("file");
  temporary.file("full/file");
  Deno.symlinkSync("../outside", temporary.at("out"));
  Deno.symlinkSync("loop", temporary.at("loop"));
  const long = `${"a".repeat(255)}/`.repeat(15) + "a".repeat(255); // longer than the system takes, with our directory before it
  const names = ["missing", "out", "out/x", "loop", "loop/x", "file/x", "full", "", "..", "/etc", "\0", long];
  const calls: (() => unknown)[] = [
    ...names.map((name) => () => tree.open(name)),
    ...names.slice(2).map((name) => () => tree.remove(name === "loop" ? "missing" : name)),
    ...names.map((name) => () => tree.move(name, "full", "replace")),
    ...names.slice(1).map((name) => () => tree.move("file", name, "error")),
    ...names.slice(1).map((name) => () => store(tree, name, bytesOf("x"))),
    () => Array.fromAsync(tree.list("loop", { all: true })),
    () => tree.makeDirectory("loop/x"),
    () => new LocalTree("missing"),
  ];
  for (const call of calls) {
    const { message, advice } = await assertRejects(async () => await call(), AppError);
    for (const text of [message, advice]) assert(!text.includes(temporary.path), text);
    assert(!message.includes("os error"), message);
  }
});

Deno.test("what the operating system refuses is told as denied, no space or busy names, not as a failure of ours", async () => {
  const refusals = [
    [new Deno.errors.PermissionDenied("x"), "denied"],
    [new Deno.errors.NotFound("x"), "not_found"],
    [Object.assign(new Error("x"), { code: "EROFS" }), "denied"],
    [Object.assign(new Error("x"), { code: "ENOSPC" }), "no_space"],
    [Object.assign(new Error("x"), { code: "EIO" }), "failed"],
    [new Error("File too large (os error 27)"), "too_large"],
    [new Error("Stale file handle (os error 116)"), "failed"],
    [new Error("x"), "internal"],
  ] as const;
  for (const [refusal, code] of refusals) {
    using temporary = new TemporaryTree({
      openToRead() {
        throw refusal;
      },
    });
    temporary.file("file");
    const error = await assertRejectsCode(() => temporary.tree.open("file"), code);
    assertEquals(error.cause, refusal);
  }
});

Deno.test("of files that were looked at, those are removed that are still the same file", async () => {
  using temporary = new TemporaryTree();
  for (const name of ["a", "b", "c"]) temporary.file(name, "as it was");
  const folder = temporary.tree.folder("");
  const entries = ["a", "b", "c"].map(async (name) => (await folder.look(name))!);
  const looked = await Promise.all(entries);
  temporary.file("new", "somebody else's");
  Deno.renameSync(temporary.at("new"), temporary.at("b"));
  Deno.removeSync(temporary.at("c"));
  const errors = await folder.removeEach(looked);
  assertEquals(errors.map((error) => error?.code), [undefined, "source_changed", "not_found"]);
  assertEquals([Object.keys(temporary.visible()), temporary.read("b")], [["b"], "somebody else's"]);
});
