/** Partials: what an interrupted transfer leaves, and who may go on with it. */
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import type { Draft } from "../../protocol/files/tree.ts";
import { assert, assertEquals, assertRejectsCode, assertThrowsCode } from "../support/assert.ts";
import { Random } from "../support/random.ts";
import { fingerprint, readAll, TemporaryTree } from "./temporary_tree.ts";

const SIZE_BYTES = 3 * BLOCK_BYTES - 1000;
const FACTS = { sizeBytes: SIZE_BYTES, mtimeMs: 1_600_000_000_000 };
const BYTES = new Random(1).bytes(SIZE_BYTES);

/** A first attempt, which came as far as `bytes`. */
async function suspendAfter({ tree }: TemporaryTree, bytes: number, name = "file"): Promise<void> {
  const draft = await tree.create(name, FACTS, "error");
  await draft.startAt(0);
  await draft.write(BYTES.subarray(0, bytes));
  await draft.suspend();
}

/** Writes from `offset` to the end and publishes; what is visible then. */
async function finish(temporary: TemporaryTree, draft: Draft, offset: number, name = "file"): Promise<void> {
  await draft.startAt(offset);
  await draft.write(BYTES.subarray(offset));
  assertEquals(await draft.publish(), name);
  assertEquals(temporary.visible()[name], fingerprint(BYTES));
  assertEquals(temporary.reserved(), []);
}

function partialOf(temporary: TemporaryTree): string {
  const partial = temporary.reserved().find((name) => !name.endsWith(".note"));
  assert(partial, "there is no partial");
  return temporary.at(partial);
}

Deno.test("less than a block is not worth keeping", async () => {
  using temporary = new TemporaryTree();
  for (const bytes of [0, 1, BLOCK_BYTES - 1]) {
    await suspendAfter(temporary, bytes);
    assertEquals(temporary.reserved(), []);
    assertEquals(temporary.tree.partialOf("file"), undefined);
  }
});

Deno.test("a block and more is kept, and nothing of it is visible", async () => {
  for (const [bytes, blocks] of [[BLOCK_BYTES, 1], [2 * BLOCK_BYTES - 1, 1], [2 * BLOCK_BYTES, 2]] as const) {
    using temporary = new TemporaryTree();
    await suspendAfter(temporary, bytes, "dir/file");
    assertEquals(temporary.visible(), {});
    assertEquals(temporary.tree.partialOf("dir/file"), { name: "file", ...FACTS });

    const draft = await temporary.tree.create("dir/file", FACTS, "error");
    assertEquals(draft.heldBlocks, blocks);
    assertEquals(draft.restarted, false);
    const held = await readAll(draft);
    assertEquals(fingerprint(held), fingerprint(BYTES.subarray(0, bytes)));
    await finish(temporary, draft, blocks * BLOCK_BYTES, "dir/file");
  }
});

Deno.test("what filled a disk gives its last block back, and is kept without it if anything is left", async () => {
  for (const [bytes, blocks] of [[BLOCK_BYTES + 5, 0], [2 * BLOCK_BYTES, 1], [3 * BLOCK_BYTES - 2000, 1]] as const) {
    let isFull = false;
    using temporary = new TemporaryTree({
      openSync(path, options) {
        const file = Deno.openSync(path, options);
        const write = file.writeSync.bind(file);
        file.writeSync = (chunk) => {
          if (isFull) throw Object.assign(new Error("No space"), { code: "ENOSPC" });
          return write(chunk);
        };
        return file;
      },
    });
    const draft = await temporary.tree.create("file", FACTS, "error");
    await draft.startAt(0);
    await draft.write(BYTES.subarray(0, bytes));
    isFull = true;
    assertThrowsCode(() => draft.write(BYTES.subarray(bytes)), "no_space");
    await draft.suspend();
    if (blocks === 0) assertEquals(temporary.reserved(), []);
    else assertEquals(Deno.statSync(partialOf(temporary)).size, blocks * BLOCK_BYTES);
    isFull = false;
    const again = await temporary.tree.create("file", FACTS, "error");
    assertEquals(again.heldBlocks, blocks);
    await finish(temporary, again, blocks * BLOCK_BYTES);
  }
});

Deno.test("where there is no room for a note, no empty partial is left", async () => {
  let isFull = true;
  using temporary = new TemporaryTree({
    writeTextFileSync(path, text) {
      Deno.writeTextFileSync(path, isFull ? "" : text);
      if (isFull) throw Object.assign(new Error("No space"), { code: "ENOSPC" });
    },
  });
  await assertRejectsCode(() => temporary.tree.create("file", FACTS, "error"), "no_space");
  assertEquals(temporary.reserved(), []);
  isFull = false;
  await finish(temporary, await temporary.tree.create("file", FACTS, "error"), 0);
});

Deno.test("of what is held, any part may be kept", async () => {
  for (const offset of [0, BLOCK_BYTES, 2 * BLOCK_BYTES]) {
    using temporary = new TemporaryTree();
    await suspendAfter(temporary, 2 * BLOCK_BYTES + 5);
    await finish(temporary, await temporary.tree.create("file", FACTS, "error"), offset);
  }
});

Deno.test("a whole file that was only not published yet is held whole", async () => {
  using temporary = new TemporaryTree();
  await suspendAfter(temporary, SIZE_BYTES);
  const draft = await temporary.tree.create("file", FACTS, "error");
  assertEquals(draft.heldBlocks, 2);
  await finish(temporary, draft, SIZE_BYTES);
});

Deno.test("a resumed draft that is suspended before anything new came keeps what was held", async () => {
  using temporary = new TemporaryTree();
  await suspendAfter(temporary, 2 * BLOCK_BYTES);
  for (let round = 0; round < 3; round++) {
    const draft = await temporary.tree.create("file", FACTS, "error");
    assertEquals(draft.heldBlocks, 2);
    await draft.suspend();
  }
});

Deno.test("a source of another size or time starts anew, and says so", async () => {
  const others = [
    { ...FACTS, sizeBytes: SIZE_BYTES - 1 },
    { ...FACTS, sizeBytes: SIZE_BYTES + 1 },
    { ...FACTS, mtimeMs: FACTS.mtimeMs + 1 },
    { ...FACTS, mtimeMs: 0 },
  ];
  for (const facts of others) {
    using temporary = new TemporaryTree();
    await suspendAfter(temporary, 2 * BLOCK_BYTES);
    const draft = await temporary.tree.create("file", facts, "error");
    assertEquals(draft.heldBlocks, 0);
    assertEquals(draft.restarted, true);
    assertEquals((await readAll(draft)).length, 0);
    await draft.discard();
    assertEquals(temporary.reserved(), []);
  }
});

Deno.test("a note that is torn, foreign or lost starts anew", async () => {
  const whole = JSON.stringify({ name: "file", ...FACTS });
  const torn = [
    "",
    "{",
    whole.slice(0, -1),
    "[]",
    "7",
    '{"name":"file"}',
    whole.replace(/\d+/, "1.5"),
    whole.replace(/\d+/, "-1"),
    undefined,
  ];
  for (const text of torn) {
    using temporary = new TemporaryTree();
    await suspendAfter(temporary, 2 * BLOCK_BYTES);
    const note = `${partialOf(temporary)}.note`;
    if (text === undefined) Deno.removeSync(note);
    else Deno.writeTextFileSync(note, text);
    assertEquals(temporary.tree.partialOf("file"), undefined, text);
    const draft = await temporary.tree.create("file", FACTS, "error");
    assertEquals(draft.heldBlocks, 0);
    await finish(temporary, draft, 0);
  }
});

Deno.test("a note that is no object starts anew", async () => {
  using temporary = new TemporaryTree();
  await suspendAfter(temporary, 2 * BLOCK_BYTES);
  Deno.writeTextFileSync(`${partialOf(temporary)}.note`, "null");
  assertEquals(temporary.tree.partialOf("file"), undefined);
  await finish(temporary, await temporary.tree.create("file", FACTS, "error"), 0);
});

Deno.test("a note that was written again in other words still counts", async () => {
  using temporary = new TemporaryTree();
  await suspendAfter(temporary, BLOCK_BYTES);
  Deno.writeTextFileSync(
    `${partialOf(temporary)}.note`,
    JSON.stringify({ ...FACTS, later: [1], name: "file" }, undefined, 2),
  );
  const draft = await temporary.tree.create("file", FACTS, "error");
  assertEquals(draft.heldBlocks, 1);
  await finish(temporary, draft, BLOCK_BYTES);
});

Deno.test("a partial that a crash left as a second name of a published file is not written through", async () => {
  using temporary = new TemporaryTree();
  await suspendAfter(temporary, SIZE_BYTES);
  Deno.linkSync(partialOf(temporary), temporary.at("file")); // published, and killed before the old name was removed
  const other = { ...FACTS, sizeBytes: 2 * BLOCK_BYTES };
  for (const facts of [FACTS, other]) {
    const draft = await temporary.tree.create("file", facts, "replace");
    assertEquals(draft.heldBlocks, 0);
    await draft.startAt(0);
    await draft.write(new Uint8Array(2 * BLOCK_BYTES));
    assertEquals(temporary.visible(), { file: fingerprint(BYTES) });
    await draft.discard();
  }
  assertEquals(temporary.visible(), { file: fingerprint(BYTES) });
  assertEquals(temporary.reserved(), []);
});

Deno.test("the second name that a crash left is taken away when the taken name is asked for again", async () => {
  using temporary = new TemporaryTree();
  await suspendAfter(temporary, SIZE_BYTES);
  Deno.linkSync(partialOf(temporary), temporary.at("file"));
  await assertRejectsCode(() => temporary.tree.create("file", FACTS, "error"), "exists");
  assertEquals(temporary.reserved(), []);
  assertEquals(temporary.visible(), { file: fingerprint(BYTES) });
});

Deno.test("a name whose parents are files or missing has no partial", () => {
  using temporary = new TemporaryTree();
  assertEquals(temporary.tree.partialOf("missing/file"), undefined);
  assertEquals(temporary.tree.partialOf("file"), undefined);
});

Deno.test("what stands in the place of a partial and is no file is refused without telling where it is", async () => {
  using temporary = new TemporaryTree();
  await suspendAfter(temporary, BLOCK_BYTES);
  const partial = partialOf(temporary);
  Deno.removeSync(partial);
  Deno.mkdirSync(partial);
  const { message } = await assertRejectsCode(() => temporary.tree.create("file", FACTS, "error"), "not_a_file");
  assert(!message.includes(temporary.path), message);
});
