/** Measuring a tree, and sweeping out what nobody went on with. */
import { resolve } from "node:path";
import { BLOCK_BYTES, PARTIAL_AGE_MAX_MS } from "../../protocol/limits.ts";
import { assertEquals, assertRejectsCode } from "../support/assert.ts";
import { fingerprint, store, TemporaryTree } from "./temporary_tree.ts";

const HOUR_MS = 3_600_000;
const OLD_MS = 1_600_000_000_000;
const FACTS = { sizeBytes: 2 * BLOCK_BYTES, mtimeMs: OLD_MS };

/** Sweeps as if it were `ms` later. */
async function sweepAfter({ tree }: TemporaryTree, ms: number): Promise<number> {
  const now = Date.now;
  Date.now = () => now() + ms;
  try {
    return await tree.sweep();
  } finally {
    Date.now = now;
  }
}

/** Makes `path` look as if it were last written `ms` from now. */
function writtenIn(path: string, ms: number): void {
  const time = new Date(Date.now() + ms);
  Deno.utimeSync(path, time, time);
}

async function beginBlock({ tree }: TemporaryTree) {
  const draft = await tree.create("file", FACTS, "error");
  await draft.startAt(draft.heldBlocks * BLOCK_BYTES);
  await draft.write(new Uint8Array(BLOCK_BYTES));
  return draft;
}

Deno.test("files are counted wherever they lie; links, partials and directories are not", async () => {
  using temporary = new TemporaryTree();
  for (const name of ["a", "dir/b", "dir/sub/c", ".hidden"]) temporary.file(name, "1234");
  for (const name of [".app-partial-1", "dir/.app-partial-1.note", ".app-other"]) temporary.file(name, "1234");
  Deno.symlinkSync("a", temporary.at("link"));
  Deno.symlinkSync(temporary.outside, temporary.at("out"));
  Deno.writeTextFileSync(`${temporary.outside}/secret`, "secret");
  assertEquals(await temporary.tree.measure(), { files: 4, sizeBytes: 16 });
});

Deno.test("what lies in a reserved directory is not counted, as nobody can get it", async () => {
  using temporary = new TemporaryTree();
  temporary.file("a", "1234");
  temporary.file(".app-trash/b", "1234");
  assertEquals(await temporary.tree.measure(), { files: 1, sizeBytes: 4 });
});

Deno.test("a sweep removes partials that are older than seven days, and nothing else", async () => {
  using temporary = new TemporaryTree();
  const old = [".app-partial-1", ".app-partial-1.note", "dir/.app-partial-2-0123", ".hidden/.app-partial-3"];
  const kept = [".app-partial-5", ".app-partial-5.note", "dir/.app-partial-6"];
  const others = ["file", "dir/partial", ".app-other", ".hidden/file", "x.app-partial-1"];
  for (const name of [...old, ...kept, ...others]) temporary.file(name);
  for (const name of kept) writtenIn(temporary.at(name), 2 * HOUR_MS);
  Deno.mkdirSync(temporary.at(".app-partial-dir"));
  Deno.writeTextFileSync(`${temporary.outside}/.app-partial-1`, "");
  Deno.symlinkSync("../outside", temporary.at("out"));
  Deno.symlinkSync("../outside/.app-partial-1", temporary.at(".app-partial-link"));

  assertEquals(await sweepAfter(temporary, PARTIAL_AGE_MAX_MS - HOUR_MS), 0);
  assertEquals(await sweepAfter(temporary, PARTIAL_AGE_MAX_MS + HOUR_MS), old.length);
  assertEquals(temporary.reserved(), [...kept, ".app-other"].toSorted());
  for (const name of others) assertEquals(temporary.read(name), name);
  for (const path of [temporary.at(".app-partial-dir"), temporary.at(".app-partial-link")]) Deno.lstatSync(path);
  Deno.lstatSync(`${temporary.outside}/.app-partial-1`);
});

Deno.test("a suspended partial survives a sweep, whatever the time of its source", async () => {
  using temporary = new TemporaryTree();
  await (await beginBlock(temporary)).suspend();
  assertEquals(await temporary.tree.sweep(), 0);
  const draft = await temporary.tree.create("file", FACTS, "error");
  assertEquals(draft.heldBlocks, 1);
  await draft.discard();
});

Deno.test("a partial that somebody went on with lately keeps its note", async () => {
  using temporary = new TemporaryTree();
  await (await beginBlock(temporary)).suspend();
  for (const name of temporary.reserved()) {
    if (!name.endsWith(".note")) writtenIn(temporary.at(name), 6 * 24 * HOUR_MS);
  }
  assertEquals(await sweepAfter(temporary, PARTIAL_AGE_MAX_MS + HOUR_MS), 0);
  const draft = await temporary.tree.create("file", FACTS, "error");
  assertEquals(draft.heldBlocks, 1);
  await draft.discard();
});

Deno.test("a sweep during a flush does not take the file away that is being published", async () => {
  for (const sizeBytes of [3, 2 * BLOCK_BYTES]) {
    using temporary = new TemporaryTree();
    const bytes = new Uint8Array(sizeBytes);
    const draft = await temporary.tree.create("file", { ...FACTS, sizeBytes }, "error");
    await draft.startAt(0);
    await draft.write(bytes);
    const [published] = await Promise.allSettled([draft.publish(), temporary.tree.sweep()]);
    assertEquals(published.status, "fulfilled", String(Reflect.get(published, "reason")));
    assertEquals(temporary.visible(), { file: fingerprint(bytes) });
    assertEquals(temporary.reserved(), []);
  }
});

Deno.test("what could not be published is kept for seven days, whatever the time of its source", async () => {
  let isFull = true;
  using temporary = new TemporaryTree({
    linkSync(from, to) {
      if (isFull) throw Object.assign(new Error("full"), { code: "ENOSPC" });
      Deno.linkSync(from, to);
    },
  });
  const draft = await beginBlock(temporary);
  await draft.write(new Uint8Array(BLOCK_BYTES));
  await assertRejectsCode(() => draft.publish(), "no_space");
  isFull = false;
  assertEquals(await temporary.tree.sweep(), 0);
  const next = await temporary.tree.create("file", FACTS, "error");
  assertEquals(next.heldBlocks, 2);
  await next.publish();
  assertEquals(temporary.reserved(), []);
});

Deno.test("what lost its name to somebody quicker is not kept, as nobody would go on with it", async () => {
  using temporary = new TemporaryTree();
  const draft = await beginBlock(temporary);
  await draft.write(new Uint8Array(BLOCK_BYTES));
  temporary.file("file", "quicker");
  await assertRejectsCode(() => draft.publish(), "exists");
  assertEquals(temporary.reserved(), []);
});

Deno.test("a directory that may not be read does not keep the others from being swept", async () => {
  using temporary = new TemporaryTree({
    readDirSync(path) {
      if (resolve(String(path)).endsWith("locked")) throw new Deno.errors.PermissionDenied(`readdir '${path}'`);
      return Deno.readDirSync(path);
    },
  });
  for (const name of ["a", "locked", "z"]) temporary.file(`${name}/.app-partial-1`);
  assertEquals(await sweepAfter(temporary, 2 * PARTIAL_AGE_MAX_MS), 2);
  assertEquals(temporary.reserved(), ["locked/.app-partial-1"]);
});

Deno.test("a partial that may not be removed does not keep the others from being swept", async () => {
  using temporary = new TemporaryTree({
    removeSync(path, options) {
      if (resolve(String(path)).includes("locked")) throw new Deno.errors.PermissionDenied(`remove '${path}'`);
      Deno.removeSync(path, options);
    },
  });
  for (const name of ["a", "locked", "z"]) temporary.file(`${name}/.app-partial-1`);
  assertEquals(await sweepAfter(temporary, 2 * PARTIAL_AGE_MAX_MS), 2);
  assertEquals(temporary.reserved(), ["locked/.app-partial-1"]);
});

Deno.test("an old partial of somebody else does not keep a file from being stored beside it", async () => {
  using temporary = new TemporaryTree({
    removeSync(path, options) {
      if (String(path).endsWith("-somebody")) throw new Deno.errors.PermissionDenied(`remove '${path}'`);
      Deno.removeSync(path, options);
    },
  });
  temporary.file(".app-partial-somebody");
  writtenIn(temporary.at(".app-partial-somebody"), -2 * PARTIAL_AGE_MAX_MS);
  const bytes = new Uint8Array(BLOCK_BYTES);
  assertEquals(await store(temporary.tree, "file", bytes), "file");
  assertEquals(temporary.visible(), { file: fingerprint(bytes) });
});
