/** Drafts: invisible until they are published, and then exactly what was written. */
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import type { IfTaken } from "../../protocol/files/tree.ts";
import { assert, assertEquals, assertMatch, assertRejectsCode } from "../support/assert.ts";
import { withSeed } from "../support/random.ts";
import { bytesOf, fingerprint, store, TemporaryTree } from "./temporary_tree.ts";

const MTIME_MS = 1_600_000_000_000;

Deno.test("what is published has exactly the bytes that were written, however they came", async () => {
  await withSeed(async (random) => {
    using temporary = new TemporaryTree();
    for (const sizeBytes of [0, 1, 1000, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 2 * BLOCK_BYTES]) {
      const name = `dir/of ${sizeBytes}.bin`;
      const bytes = random.bytes(sizeBytes);
      const draft = await temporary.tree.create(name, { sizeBytes, mtimeMs: MTIME_MS }, "error");
      assertEquals(draft.heldBlocks, 0);
      assertEquals(draft.restarted, false);
      await draft.startAt(0);
      for (let at = 0; at < sizeBytes;) {
        const piece = bytes.subarray(at, at + 1 + random.below(262_144));
        await draft.write(piece);
        at += piece.length;
      }
      assertEquals(await draft.publish(), name);
      assertEquals(temporary.visible()[name], fingerprint(bytes));
      assertEquals(temporary.reserved(), []);
    }
  });
});

Deno.test("the time of the source is kept to the millisecond", async () => {
  await withSeed(async (random) => {
    using temporary = new TemporaryTree();
    // As seconds, the first one is a little less than its milliseconds: 1,086,311,588.9949999.
    const times = [0, 1, 999, 1_086_311_588_995, ...Array.from({ length: 200 }, () => random.below(2 ** 41))];
    for (const mtimeMs of times) {
      await store(temporary.tree, "file", bytesOf("x"), { mtimeMs, ifTaken: "replace" });
      assertEquals(temporary.tree.stat("file").mtimeMs, mtimeMs);
    }
  });
});

Deno.test("a time that no file system can keep does not stop the file", async () => {
  using temporary = new TemporaryTree();
  for (const mtimeMs of [2 ** 41, 2 ** 52, 8.64e15, Number.MAX_SAFE_INTEGER]) {
    await store(temporary.tree, "file", bytesOf("x"), { mtimeMs, ifTaken: "replace" });
    assert(temporary.tree.stat("file").mtimeMs > Date.now());
  }
});

Deno.test("without a time of its own, a file gets the time at which it was published", async () => {
  using temporary = new TemporaryTree();
  const before = Date.now();
  await store(temporary.tree, "file", bytesOf("x"), { mtimeMs: undefined });
  const { mtimeMs } = temporary.tree.stat("file");
  assert(mtimeMs >= before - 1 && mtimeMs <= Date.now(), `${mtimeMs} is not now`);
});

Deno.test("permissions are those that the umask leaves", async () => {
  using temporary = new TemporaryTree();
  const umask = Deno.umask(0o027);
  try {
    await store(temporary.tree, "dir/small", bytesOf("x"));
    await store(temporary.tree, "dir/large", new Uint8Array(BLOCK_BYTES));
  } finally {
    Deno.umask(umask);
  }
  assertEquals(temporary.tree.stat("dir/small").mode, 0o640);
  assertEquals(temporary.tree.stat("dir/large").mode, 0o640);
  assertEquals(temporary.tree.stat("dir").mode, 0o750);
});

Deno.test("nothing of a draft is visible before it is published", async () => {
  using temporary = new TemporaryTree();
  const { tree } = temporary;
  for (const sizeBytes of [3, 2 * BLOCK_BYTES, undefined]) {
    const draft = await tree.create("file", { sizeBytes, mtimeMs: MTIME_MS }, "error");
    await draft.startAt(0);
    await draft.write(new Uint8Array(sizeBytes ?? 5));
    assertEquals(tree.has("file"), false);
    assertEquals(await Array.fromAsync(tree.list("", { all: true })), []);
    assertEquals(await tree.measure(), { files: 0, sizeBytes: 0 });
    assertEquals(temporary.visible(), {});
    assert(temporary.reserved().length > 0);
    await draft.discard();
  }
});

Deno.test("discarding a draft leaves no trace", async () => {
  using temporary = new TemporaryTree();
  for (const sizeBytes of [3, 2 * BLOCK_BYTES, undefined]) {
    const draft = await temporary.tree.create("file", { sizeBytes, mtimeMs: MTIME_MS }, "error");
    await draft.startAt(0);
    await draft.write(new Uint8Array(sizeBytes ?? 2 * BLOCK_BYTES));
    await draft.discard();
    await draft.discard();
    await draft.suspend();
    assertEquals([...Deno.readDirSync(temporary.path)], []);
  }
});

Deno.test("ending a published draft once more does nothing", async () => {
  using temporary = new TemporaryTree();
  for (const sizeBytes of [3, BLOCK_BYTES]) {
    const draft = await temporary.tree.create("file", { sizeBytes, mtimeMs: MTIME_MS }, "replace");
    await draft.startAt(0);
    await draft.write(new Uint8Array(sizeBytes));
    await draft.publish();
    await draft.discard();
    await draft.suspend();
    assertEquals(temporary.tree.stat("file").sizeBytes, sizeBytes);
    assertEquals(temporary.reserved(), []);
  }
});

Deno.test("a stream of unknown length is published whole, and nothing of it is kept otherwise", async () => {
  using temporary = new TemporaryTree();
  const bytes = new Uint8Array(2 * BLOCK_BYTES).fill(7);
  const begin = async () => {
    const draft = await temporary.tree.create("stream", {}, "error");
    await draft.startAt(0);
    await draft.write(bytes);
    return draft;
  };
  await (await begin()).suspend();
  assertEquals(temporary.reserved(), []);
  await (await begin()).publish();
  assertEquals(temporary.visible(), { stream: fingerprint(bytes) });
  assertEquals(temporary.reserved(), []);
});

Deno.test("two drafts of one small file do not disturb each other, and one of them gets the name", async () => {
  using temporary = new TemporaryTree();
  const drafts = await Promise.all(["one", "two"].map((text) => beginSmall(temporary, text, "error")));
  assertEquals(await drafts[0]!.publish(), "file");
  await assertRejectsCode(() => drafts[1]!.publish(), "exists");
  assertEquals(temporary.read("file"), "one");
  assertEquals(temporary.reserved(), []);
});

Deno.test("names longer than a numbered one can be are refused before anything is lost", async () => {
  using temporary = new TemporaryTree();
  const name = "a".repeat(255);
  temporary.file(name, "old");
  const { message } = await assertRejectsCode(
    () => store(temporary.tree, name, bytesOf("new"), { ifTaken: "rename" }),
    "bad_name",
  );
  assertMatch(message, /does not take that name/);
  assertEquals(temporary.read(name), "old");
  assertEquals(temporary.reserved(), []);
});

async function beginSmall({ tree }: TemporaryTree, text: string, ifTaken: IfTaken) {
  const draft = await tree.create("file", { sizeBytes: text.length, mtimeMs: MTIME_MS }, ifTaken);
  await draft.startAt(0);
  await draft.write(bytesOf(text));
  return draft;
}
