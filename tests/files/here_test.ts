/** Standing in a directory: where that is, and that nobody notices afterwards. */
import { inDirectory } from "../../protocol/files/here.ts";
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import { LocalTree } from "../../protocol/files/local_tree.ts";
import { assertEquals, assertRejectsCode, assertThrows, assertThrowsCode } from "../support/assert.ts";
import { temporaryDirectory } from "../support/program.ts";
import { bytesOf, fingerprint, readAll, store, TemporaryTree, textOf } from "./temporary_tree.ts";

const IS_STANDING = Deno.build.os !== "windows";

/** Runs `body` with another working directory. */
async function workingIn(path: string, body: () => Promise<void>): Promise<void> {
  const home = Deno.cwd();
  Deno.chdir(path);
  try {
    await body();
  } finally {
    Deno.chdir(home);
  }
}

Deno.test("where we stand is told without links, and stays the same whatever its path leads to", () => {
  using temporary = new TemporaryTree();
  temporary.file("dir/file", "inside");
  Deno.writeTextFileSync(`${temporary.outside}/file`, "outside");
  Deno.symlinkSync("dir", temporary.at("link"));
  inDirectory(temporary.at("link"), (here) => {
    assertEquals(here.path, temporary.at("dir"));
    if (!IS_STANDING) return;
    Deno.renameSync(temporary.at("dir"), temporary.at("moved"));
    Deno.symlinkSync("../outside", temporary.at("dir"));
    assertEquals(Deno.readTextFileSync(here.at("file")), "inside");
  });
});

Deno.test("who goes down a link is where it leads", () => {
  using temporary = new TemporaryTree();
  Deno.symlinkSync("../outside", temporary.at("link"));
  inDirectory(temporary.path, (here) => assertEquals(here.down("link").path, temporary.outside));
});

Deno.test("the working directory is as it was after every call, whether it succeeds or not", async () => {
  using temporary = new TemporaryTree();
  const { tree } = temporary;
  temporary.file("dir/file", "content");
  Deno.symlinkSync("../outside", temporary.at("out"));
  const home = Deno.cwd();
  const calls: (() => unknown)[] = [
    ...["dir/file", "missing", "out/file", "dir/file/x"].flatMap((name) => [
      () => tree.stat(name),
      () => tree.has(name),
      () => tree.partialOf(name),
      async () => (await tree.open(name))[Symbol.dispose](),
      () => store(tree, name, bytesOf("new"), { ifTaken: "replace" }),
      () => tree.move(name, "moved/file", "error"),
      () => tree.move("moved/file", name, "error"),
      () => tree.makeDirectory(`${name}/new`),
    ]),
    () => Array.fromAsync(tree.list("", { all: true })),
    () => tree.measure(),
    () => tree.sweep(),
    () => tree.remove("dir/file"),
  ];
  const ends: string[] = [];
  for (const call of calls) {
    await Promise.resolve().then(call).then(() => ends.push("done"), ({ code }) => ends.push(code));
    assertEquals(Deno.cwd(), home);
  }
  assertEquals([...new Set(ends)].sort(), ["done", "not_a_directory", "not_found", "outside"]);
});

Deno.test("a directory may be shared by a relative path, and from one that is removed meanwhile", async () => {
  using temporary = new TemporaryTree();
  temporary.file("dir/file", "content");
  using elsewhere = temporaryDirectory();
  Deno.mkdirSync(`${elsewhere.path}/sub`);
  await workingIn(temporary.path, async () => {
    const tree = new LocalTree("dir");
    Deno.chdir(`${elsewhere.path}/sub`);
    if (IS_STANDING) Deno.removeSync(`${elsewhere.path}/sub`);
    using source = await tree.open("file");
    assertEquals(textOf(await readAll(source)), "content");
  });
});

Deno.test({
  name: "nobody stands in two directories at once",
  ignore: !IS_STANDING,
  fn() {
    using temporary = new TemporaryTree();
    const inner = () => inDirectory(temporary.path, () => {});
    assertThrows(() => inDirectory(temporary.path, inner), Error, "two directories");
    inner();
  },
});

Deno.test("a root that is removed and made again is shared again, and a link in its place is not", async () => {
  using temporary = new TemporaryTree();
  const { tree, path } = temporary;
  temporary.file("file", "old");
  Deno.removeSync(path, { recursive: true });
  assertThrowsCode(() => tree.stat("file"), "not_found");
  await assertRejectsCode(() => Array.fromAsync(tree.list("", { all: true })), "not_found");
  temporary.file("file", "new");
  using source = await tree.open("file");
  assertEquals(textOf(await readAll(source)), "new");

  Deno.writeTextFileSync(`${temporary.outside}/file`, "secret");
  Deno.renameSync(path, `${path}-moved`);
  Deno.symlinkSync("outside", path);
  for (const name of ["", "file"]) assertThrowsCode(() => tree.stat(name), "outside");
  await assertRejectsCode(() => tree.open("file"), "outside");
  await assertRejectsCode(() => store(tree, "new", bytesOf("new")), "outside");
  await assertRejectsCode(() => Array.fromAsync(tree.list("", { all: true })), "outside");
  assertThrowsCode(() => tree.remove("file"), "outside");
  assertEquals(await tree.measure(), { files: 0, sizeBytes: 0 });
  Deno.removeSync(path);
});

const FILE = fingerprint(bytesOf("file"));

Deno.test("a file does not follow its directory that is exchanged for a link, not even to another one inside", async () => {
  for (const size of [3, BLOCK_BYTES]) {
    using temporary = new TemporaryTree();
    for (const name of ["dir/file", "other/file"]) temporary.file(name, "file");
    const facts = { sizeBytes: size, mtimeMs: 1_600_000_000_000 };
    const draft = await temporary.tree.create("dir/new", facts, "error");
    const namesake = await temporary.tree.create("other/new", facts, "error"); // its partial may have the same name
    await draft.startAt(0);
    await draft.write(new Uint8Array(size));
    Deno.renameSync(temporary.at("dir"), temporary.at("moved"));
    Deno.symlinkSync("other", temporary.at("dir"));
    await assertRejectsCode(() => draft.publish(), "not_found");
    assertEquals(temporary.visible(), { "moved/file": FILE, "other/file": FILE });
    await namesake.discard();
    assertEquals(await store(temporary.tree, "dir/new", new Uint8Array(3)), "dir/new");
    assertEquals(Deno.statSync(temporary.at("other/new")).size, 3);
  }
});
