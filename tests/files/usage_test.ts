/** How much room a directory takes: everything that a limit counts, and nothing outside of it. */
import { LocalTree } from "../../protocol/files/local_tree.ts";
import { spaceOf } from "../../protocol/files/usage.ts";
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { SmallDisk, smallDiskFault } from "../support/small_disk.ts";
import { TemporaryTree } from "./temporary_tree.ts";

Deno.test("files, directories and unfinished uploads are counted, with their bytes", async () => {
  using temporary = new TemporaryTree();
  const { tree } = temporary;
  assertEquals(await tree.usage(), { bytes: 0, files: 0, partials: 0 });
  temporary.file("a", "12345");
  temporary.file("deep/er/b", "678");
  assertEquals(await tree.usage(), { bytes: 8, files: 4, partials: 0 });
  const draft = await tree.create("c", { sizeBytes: 2 * BLOCK_BYTES, mtimeMs: 1 }, "error");
  await draft.startAt(0);
  await draft.write(new Uint8Array(BLOCK_BYTES));
  await draft.suspend();
  assertEquals(await tree.usage(), { bytes: BLOCK_BYTES + 8, files: 5, partials: 1 });
});

Deno.test("links are not followed, and count as names", async () => {
  using temporary = new TemporaryTree();
  Deno.writeFileSync(`${temporary.outside}/large`, new Uint8Array(1_000));
  Deno.symlinkSync(temporary.outside, temporary.at("link"));
  Deno.symlinkSync(`${temporary.outside}/large`, temporary.at("file"));
  assertEquals(await temporary.tree.usage(), { bytes: 0, files: 2, partials: 0 });
});

Deno.test("a count that is called off ends early", async () => {
  using temporary = new TemporaryTree();
  for (let count = 0; count < 100; count++) temporary.file(`${count}`, "x");
  assert((await temporary.tree.usage(AbortSignal.abort())).files < 100);
});

Deno.test("a directory says how much room there is, also one that is not there", async () => {
  using temporary = new TemporaryTree();
  temporary.file("dir/a", "x");
  for (const directory of ["", "dir", "nowhere", "dir/a/b"]) {
    const space = await temporary.tree.space(directory);
    if (!space) return; // a system that does not tell
    assert(space.freeBytes > 0 && space.sizeBytes >= space.freeBytes, directory);
  }
});

Deno.test({
  name: "a disk with a bound on names says how many there may still be, and one without says nothing of it",
  ignore: smallDiskFault() !== undefined,
  async fn() {
    for (const inodes of [20, 0]) {
      using disk = new SmallDisk({ inodes });
      const space = async () => (await new LocalTree(disk.path).space(""))!.freeNames;
      assertEquals(await space(), inodes === 0 ? undefined : 19); // but for its top
      Deno.mkdirSync(`${disk.path}/a`);
      assertEquals(await space(), inodes === 0 ? undefined : 18);
    }
  },
});

Deno.test("names are unbounded where a file system says so, in whichever way", () => {
  const facts = { type: 0, bsize: 1, blocks: 100, bavail: 10 };
  for (
    const [files, ffree, freeNames] of [
      [100, 7, 7],
      [100, 0, 0],
      [999, 1_000_000, 1_000_000],
      [100n, 7n, 7],
      [0, 0, undefined],
      [100, 2 ** 64, undefined], // -1, as CephFS says, in 64 bits
      [100n, 2n ** 64n - 1n, undefined],
      [100, -1, undefined],
    ] as const
  ) assertEquals(spaceOf({ ...facts, files, ffree }), { freeBytes: 10, sizeBytes: 100, freeNames });
});
