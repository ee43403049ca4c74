/** File systems without hard links (FAT, some network ones): a look and a rename must do. */
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import { assertEquals, assertRejectsCode, assertThrowsCode } from "../support/assert.ts";
import { bytesOf, fingerprint, store, TemporaryTree } from "./temporary_tree.ts";

const REFUSALS = [
  Object.assign(new Deno.errors.PermissionDenied("Operation not permitted"), { code: "EPERM" }),
  Object.assign(new Deno.errors.NotSupported("Not supported"), { code: "ENOTSUP" }),
  Object.assign(new Error("Too many links"), { code: "EMLINK" }),
];

function withoutLinks(refusal: Error): TemporaryTree {
  return new TemporaryTree({
    linkSync() {
      throw refusal;
    },
  });
}

Deno.test("a file is published without hard links, and nothing is left behind", async () => {
  for (const refusal of REFUSALS) {
    using temporary = withoutLinks(refusal);
    for (const bytes of [bytesOf("new"), new Uint8Array(BLOCK_BYTES)]) {
      const name = `dir/of ${bytes.length}`;
      assertEquals(await store(temporary.tree, name, bytes), name);
      assertEquals(temporary.visible()[name], fingerprint(bytes));
      assertEquals(temporary.reserved(), []);
    }
  }
});

Deno.test("a taken name is refused, evaded or replaced without hard links, too", async () => {
  using temporary = withoutLinks(REFUSALS[0]!);
  const { tree } = temporary;
  temporary.file("a.txt", "old");
  await assertRejectsCode(() => store(tree, "a.txt", bytesOf("new")), "exists");
  assertEquals(await store(tree, "a.txt", bytesOf("evading"), { ifTaken: "rename" }), "a (2).txt");
  assertEquals(await store(tree, "a.txt", bytesOf("evading"), { ifTaken: "rename" }), "a (3).txt");
  assertEquals(temporary.read("a.txt"), "old");
  assertEquals(await store(tree, "a.txt", bytesOf("new"), { ifTaken: "replace" }), "a.txt");
  assertEquals(temporary.read("a.txt"), "new");
  assertEquals(temporary.reserved(), []);
});

Deno.test("a file moves without hard links, and not onto a taken name", () => {
  using temporary = withoutLinks(REFUSALS[0]!);
  temporary.file("a", "a");
  temporary.file("b", "b");
  assertThrowsCode(() => temporary.tree.move("a", "b", "error"), "exists");
  assertEquals(temporary.tree.move("a", "b", "rename"), "b (2)");
  assertEquals(temporary.tree.move("b (2)", "dir/c", "error"), "dir/c");
  assertEquals(Object.keys(temporary.visible()), ["b", "dir/c"]);
});

Deno.test("a refusal that is not about hard links is told, and the draft is gone", async () => {
  using temporary = withoutLinks(Object.assign(new Error("No space"), { code: "ENOSPC" }));
  const { message } = await assertRejectsCode(() => store(temporary.tree, "a", bytesOf("new")), "no_space");
  assertEquals(message, 'Cannot store "a": No space left on the device');
  assertEquals(temporary.visible(), {});
  assertEquals(temporary.reserved(), []);
});
