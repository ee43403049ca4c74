/** A name that is taken: refused, evaded or replaced, in one step. */
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import { assertEquals, assertRejectsCode } from "../support/assert.ts";
import { bytesOf, fingerprint, store, TemporaryTree } from "./temporary_tree.ts";

const LARGE = new Uint8Array(BLOCK_BYTES).fill(1);
/** One that is kept in a scratch file and one that is kept in a partial on its way. */
const NEW = [bytesOf("new"), LARGE];

Deno.test("a taken name is refused at once, and what has it stays", async () => {
  using temporary = new TemporaryTree();
  temporary.file("file", "old");
  Deno.symlinkSync("nowhere", temporary.at("link"));
  Deno.mkdirSync(temporary.at("dir"));
  for (const bytes of NEW) {
    for (const name of ["file", "link", "dir"]) {
      const facts = { sizeBytes: bytes.length, mtimeMs: 0 };
      await assertRejectsCode(() => temporary.tree.create(name, facts, "error"), "exists");
    }
  }
  assertEquals(temporary.read("file"), "old");
  assertEquals(temporary.reserved(), []);
  assertEquals(await store(temporary.tree, "file2", NEW[0]!), "file2");
});

Deno.test("a name that is taken in the meantime is refused at the end, and what has it stays", async () => {
  using temporary = new TemporaryTree();
  for (const bytes of NEW) {
    const name = `of ${bytes.length}`;
    const draft = await temporary.tree.create(name, { sizeBytes: bytes.length, mtimeMs: 0 }, "error");
    await draft.startAt(0);
    await draft.write(bytes);
    temporary.file(name, "quicker");
    await assertRejectsCode(() => draft.publish(), "exists");
    assertEquals(temporary.read(name), "quicker");
  }
});

Deno.test("rename finds the first free number, before the ending", async () => {
  using temporary = new TemporaryTree();
  for (const bytes of NEW) {
    const name = `dir/of ${bytes.length}.ext`;
    const got = [];
    for (let round = 0; round < 3; round++) got.push(await store(temporary.tree, name, bytes, { ifTaken: "rename" }));
    const stem = name.slice(0, -4);
    assertEquals(got, [name, `${stem} (2).ext`, `${stem} (3).ext`]);
    for (const stored of got) assertEquals(temporary.visible()[stored], fingerprint(bytes));
  }
  assertEquals(temporary.reserved(), []);
});

Deno.test("rename goes round directories and links", async () => {
  using temporary = new TemporaryTree();
  Deno.mkdirSync(temporary.at("a"));
  Deno.symlinkSync("nowhere", temporary.at("a (2)"));
  assertEquals(await store(temporary.tree, "a", NEW[0]!, { ifTaken: "rename" }), "a (3)");
});

Deno.test("twenty publishers of one name at once get twenty names, and no content is lost", async () => {
  using temporary = new TemporaryTree();
  const texts = Array.from({ length: 20 }, (_, index) => `text ${index}`);
  const names = await Promise.all(
    texts.map((text) => store(temporary.tree, "a.txt", bytesOf(text), { ifTaken: "rename" })),
  );
  const expected = ["a.txt", ...Array.from({ length: 19 }, (_, index) => `a (${index + 2}).txt`)];
  assertEquals(names.toSorted(), expected.toSorted());
  assertEquals(names.map((name) => temporary.read(name)), texts);
  assertEquals(temporary.reserved(), []);
});

Deno.test("replace shows the new file in place of the old one", async () => {
  using temporary = new TemporaryTree();
  for (const bytes of NEW) {
    temporary.file("file", "old");
    assertEquals(await store(temporary.tree, "file", bytes, { ifTaken: "replace" }), "file");
    assertEquals(temporary.visible(), { file: fingerprint(bytes) });
    assertEquals(temporary.reserved(), []);
  }
});

Deno.test("replace needs nothing that could be replaced", async () => {
  using temporary = new TemporaryTree();
  for (const bytes of NEW) {
    assertEquals(
      await store(temporary.tree, `dir/${bytes.length}`, bytes, { ifTaken: "replace" }),
      `dir/${bytes.length}`,
    );
  }
});

Deno.test("replace never writes through a hard link", async () => {
  using temporary = new TemporaryTree();
  for (const bytes of NEW) {
    temporary.file("file", "old");
    const elsewhere = `${temporary.outside}/of ${bytes.length}`;
    Deno.linkSync(temporary.at("file"), elsewhere);
    await store(temporary.tree, "file", bytes, { ifTaken: "replace" });
    assertEquals(Deno.readTextFileSync(elsewhere), "old");
    assertEquals(temporary.visible(), { file: fingerprint(bytes) });
  }
});

Deno.test("a file never replaces a directory, neither at the start nor at the end", async () => {
  using temporary = new TemporaryTree();
  Deno.mkdirSync(temporary.at("dir"));
  for (const bytes of NEW) {
    const facts = { sizeBytes: bytes.length, mtimeMs: 0 };
    await assertRejectsCode(() => temporary.tree.create("dir", facts, "replace"), "is_directory");
    const name = `of ${bytes.length}`;
    const draft = await temporary.tree.create(name, facts, "replace");
    Deno.mkdirSync(temporary.at(name));
    await draft.startAt(0);
    await draft.write(bytes);
    await assertRejectsCode(() => draft.publish(), "is_directory");
    assertEquals([...Deno.readDirSync(temporary.at(name))], []);
  }
});

/** Leaves a partial of `name` with all of its bytes; its path. */
async function suspendWhole(temporary: TemporaryTree, name: string): Promise<string> {
  const draft = await temporary.tree.create(name, { sizeBytes: LARGE.length, mtimeMs: 1_700_000_000_000 }, "replace");
  await draft.startAt(0);
  await draft.write(LARGE);
  await draft.suspend();
  return temporary.at(temporary.reserved().find((path) => !path.endsWith(".note"))!);
}

Deno.test("who asks whether a name is taken takes away what a crash left of its publishing", async () => {
  using temporary = new TemporaryTree();
  Deno.linkSync(await suspendWhole(temporary, "large"), temporary.at("large"));
  assertEquals(temporary.reserved().length, 2);
  assertEquals(temporary.tree.has("large"), true);
  assertEquals(temporary.reserved(), []);
  assertEquals(temporary.visible(), { large: fingerprint(LARGE) });
});

Deno.test("who asks whether a name is taken leaves the partial of another file alone", async () => {
  using temporary = new TemporaryTree();
  temporary.file("large", "old");
  await suspendWhole(temporary, "large");
  assertEquals(temporary.tree.has("large"), true);
  assertEquals(temporary.reserved().length, 2);
});
