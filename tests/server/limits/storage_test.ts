/** Limits on what is stored: refused at once where that can be known, counted while it grows, given back when it goes. */
import { AppError, type Client, PipeSource, putFile, putPipe } from "../../../client/mod.ts";
import { keepIn } from "../../../protocol/files/keep_in.ts";
import { LocalTree } from "../../../protocol/files/local_tree.ts";
import type { FileTree } from "../../../protocol/files/tree.ts";
import { BLOCK_BYTES, SERVER_LIMITS, type ServerLimits } from "../../../protocol/limits.ts";
import { LimitedTree } from "../../../server/limits/limited_tree.ts";
import { PartialsByAddress } from "../../../server/limits/partials.ts";
import { Storage } from "../../../server/limits/storage.ts";
import { Watches } from "../../../server/limits/watches.ts";
import type { Space, Usage } from "../../../server/mod.ts";
import { assert, assertEquals, assertRejectsCode, assertStringIncludes } from "../../support/assert.ts";
import { temporaryDirectory } from "../../support/program.ts";
import { startServed } from "../served.ts";

const MTIME = 1_700_000_000_000;

/** A directory, counted, as several addresses use it; the disk it lies on is as the test says. */
async function stage(limits: Partial<ServerLimits>, now?: () => number) {
  const directory = temporaryDirectory();
  const disk: { space: Space | undefined } = { space: undefined };
  const tree = new LocalTree(directory.path);
  tree.space = () => disk.space;
  const storage = new Storage(tree, { ...SERVER_LIMITS, ...limits }, now);
  await storage.count();
  const partials = new PartialsByAddress(() => 0);
  const watches = new Watches(SERVER_LIMITS);
  const treeOf = (address: string) => new LimitedTree(tree, { storage, partials, watches, address, namesMax: 1_000 });
  return {
    path: directory.path,
    disk,
    storage,
    partials,
    treeOf,
    tree: treeOf("192.0.2.1"),
    /** What is counted is what is there. */
    async verify(expected: Omit<Usage, "bytes"> & { bytes?: number }) {
      const counted = storage.usage!;
      await storage.count();
      assertEquals(counted, storage.usage);
      assertEquals(counted, { bytes: counted.bytes, ...expected });
    },
    async [Symbol.asyncDispose]() {
      await storage[Symbol.asyncDispose]();
      directory[Symbol.dispose]();
    },
  };
}

async function put(tree: FileTree, name: string, sizeBytes: number, ifTaken: "error" | "replace" = "error") {
  const draft = await tree.create(name, { sizeBytes, mtimeMs: MTIME }, ifTaken);
  await draft.startAt(0);
  await draft.write(new Uint8Array(sizeBytes));
  return await draft.publish();
}

Deno.test("files up to the quota are taken, and one byte more is refused before it is sent", async () => {
  await using here = await stage({ rootBytesMax: 1_000 });
  await put(here.tree, "a", 600);
  await assertRejectsCode(() => put(here.tree, "b", 401), "quota");
  await put(here.tree, "b", 400);
  await assertRejectsCode(() => put(here.tree, "c", 1), "quota");
  await put(here.tree, "empty", 0);
  await here.verify({ files: 3, partials: 0, bytes: 1_000 });
});

Deno.test("what is removed or replaced makes room again", async () => {
  await using here = await stage({ rootBytesMax: 1_000 });
  await put(here.tree, "a", 600);
  await put(here.tree, "a", 300, "replace");
  await here.verify({ files: 1, partials: 0, bytes: 300 });
  await put(here.tree, "b", 700);
  await here.tree.remove("a");
  await put(here.tree, "c", 300);
  await here.tree.move("c", "b", "replace");
  await here.verify({ files: 1, partials: 0, bytes: 300 });
});

Deno.test("a link counts as a name without bytes, whatever it leads to, and whatever takes its place", async () => {
  await using here = await stage({ rootBytesMax: 10_000, rootFilesMax: 4 });
  await put(here.tree, "large", 900);
  const top = await here.tree.folder("");
  const link = async (base: string, ifTaken: "error" | "replace") =>
    await top.makeLink({ base, target: "large", mtimeMs: MTIME }, ifTaken);
  for (const base of ["a", "b", "c"]) await link(base, "error");
  await here.verify({ files: 4, partials: 0, bytes: 900 });
  await assertRejectsCode(() => link("d", "error"), "too_many_files");
  await here.tree.remove("a");
  await here.verify({ files: 3, partials: 0, bytes: 900 });
  await link("b", "replace");
  await put(here.tree, "b", 50, "replace");
  await here.verify({ files: 3, partials: 0, bytes: 950 });
  await link("b", "replace");
  await here.verify({ files: 3, partials: 0, bytes: 900 });
  await here.tree.move("b", "c", "replace");
  await here.verify({ files: 2, partials: 0, bytes: 900 });
  const [staged] = await top.stage([{ base: "c", bytes: new Uint8Array(7), facts: { mtimeMs: MTIME } }]);
  assert(staged && !(staged instanceof AppError));
  await top.publish([{ base: "c", staged, ifTaken: "replace", replacedBytes: 0, sizeBytes: 7, mtimeMs: MTIME }]);
  await here.verify({ files: 2, partials: 0, bytes: 907 });
});

Deno.test("what was kept of links and files is counted as it is", async () => {
  await using here = await stage({});
  await put(here.tree, "large", 900);
  Deno.symlinkSync("large", `${here.path}/link`);
  const change = async (now: "link" | "file") => {
    await using keeping = keepIn(here.tree, "on", { directory: "", who: "me" });
    const { tree } = keeping;
    if (now === "file") await put(tree, "link", 50, "replace");
    else await (await tree.folder("")).makeLink({ base: "link", target: "nowhere", mtimeMs: MTIME }, "replace");
    await keeping.settle!();
  };
  await change("file"); // so that there is a trash
  await here.storage.count();
  const before = here.storage.usage!;
  await change("link");
  const [counted] = [here.storage.usage!, await here.storage.count()];
  const { bytes, files } = here.storage.usage!;
  assertEquals(counted.bytes, bytes);
  const directoriesAndNote = 4;
  assertEquals([counted.files, files], [before.files + 1, before.files + 1 + directoriesAndNote]);
});

Deno.test("a large file that replaces another needs room for both meanwhile, and can be compared with it", async () => {
  const sizeBytes = 4 * BLOCK_BYTES;
  await using here = await stage({ rootBytesMax: 2 * sizeBytes + 1 });
  await put(here.tree, "a", sizeBytes);
  const facts = { sizeBytes: sizeBytes + 1, mtimeMs: MTIME, comparesOld: true };
  const draft = await here.tree.create("a", facts, "replace");
  await draft.startAt(0);
  const block = new Uint8Array(BLOCK_BYTES);
  for (let at = 0; at < sizeBytes; at += BLOCK_BYTES) {
    assertEquals(await draft.old!.readAt(at, block), BLOCK_BYTES);
    await draft.write(block);
  }
  await draft.write(new Uint8Array(1));
  await draft.publish();
  await here.verify({ files: 1, partials: 0, bytes: sizeBytes + 1 });
  await assertRejectsCode(() => here.tree.create("a", facts, "replace"), "quota");
  await here.verify({ files: 1, partials: 0, bytes: sizeBytes + 1 });
});

Deno.test("a stream that grows over the quota leaves nothing, and one that fits is taken", async () => {
  await using here = await stage({ rootBytesMax: 1_000 });
  const draft = await here.tree.create("stream", {}, "error");
  await draft.startAt(0);
  await draft.write(new Uint8Array(900));
  await assertRejectsCode(async () => await draft.write(new Uint8Array(101)), "quota");
  await draft.suspend();
  await here.verify({ files: 0, partials: 0, bytes: 0 });
  await put(here.tree, "fits", 1_000);
});

Deno.test("two that are sent at once share the quota, and the one that does not fit leaves nothing", async () => {
  await using here = await stage({ rootBytesMax: 3 * BLOCK_BYTES });
  const begin = (name: string) => here.tree.create(name, { sizeBytes: 2 * BLOCK_BYTES, mtimeMs: MTIME }, "error");
  const [one, other] = [await begin("one"), await begin("other")];
  for (const draft of [one, other]) await draft.startAt(0);
  for (const draft of [one, other, one]) await draft.write(new Uint8Array(BLOCK_BYTES));
  await assertRejectsCode(async () => await other.write(new Uint8Array(BLOCK_BYTES)), "quota");
  await other.suspend();
  await one.publish();
  await here.verify({ files: 1, partials: 0, bytes: 2 * BLOCK_BYTES });
});

Deno.test("what is unfinished counts, and a later attempt goes on with it", async () => {
  await using here = await stage({ rootBytesMax: 3 * BLOCK_BYTES - 1 });
  const facts = { sizeBytes: 2 * BLOCK_BYTES, mtimeMs: MTIME };
  const draft = await here.tree.create("a", facts, "error");
  await draft.startAt(0);
  await draft.write(new Uint8Array(BLOCK_BYTES));
  await draft.suspend();
  await here.verify({ files: 1, partials: 1 });
  await assertRejectsCode(() => put(here.tree, "b", 2 * BLOCK_BYTES), "quota");
  const again = await here.tree.create("a", facts, "error");
  assertEquals(again.heldBlocks, 1);
  await again.startAt(BLOCK_BYTES);
  await again.write(new Uint8Array(BLOCK_BYTES));
  await again.publish();
  await here.verify({ files: 1, partials: 0, bytes: 2 * BLOCK_BYTES });
});

Deno.test("files and directories up to their number are taken, with the parents that have to be made", async () => {
  await using here = await stage({ rootFilesMax: 5 });
  await assertRejectsCode(() => put(here.tree, "a/b/c/d/e/f", 1), "too_many_files");
  await here.verify({ files: 0, partials: 0, bytes: 0 });
  await put(here.tree, "a/b/c", 1);
  await put(here.tree, "a/d", 1);
  await assertRejectsCode(() => here.tree.makeDirectory("x/y"), "too_many_files");
  await here.tree.makeDirectory("x");
  await here.tree.makeDirectory("a/b");
  await assertRejectsCode(() => put(here.tree, "z", 1), "too_many_files");
  await here.verify({ files: 5, partials: 0, bytes: 2 });
  await here.tree.remove("x");
  await put(here.tree, "z", 1);
});

Deno.test("what others put there is seen by the next count", async () => {
  await using here = await stage({ rootBytesMax: 1_000 });
  Deno.writeFileSync(`${here.path}/by hand`, new Uint8Array(900));
  await here.storage.count();
  await assertRejectsCode(() => put(here.tree, "a", 200), "quota");
  Deno.removeSync(`${here.path}/by hand`);
  await here.storage.count();
  await put(here.tree, "a", 200);
});

Deno.test("nothing is refused for what is not counted yet", async () => {
  using directory = temporaryDirectory();
  Deno.writeFileSync(`${directory.path}/large`, new Uint8Array(5_000));
  const tree = new LocalTree(directory.path);
  await using storage = new Storage(tree, { ...SERVER_LIMITS, rootBytesMax: 1_000 });
  const limited = new LimitedTree(tree, {
    storage,
    partials: new PartialsByAddress(),
    watches: new Watches(SERVER_LIMITS),
    address: "192.0.2.1",
    namesMax: 10,
  });
  assertEquals(storage.usage, undefined);
  await put(limited, "a", 500);
  await storage.count();
  await assertRejectsCode(() => put(limited, "b", 1), "quota");
});

/** Free bytes and size of a disk, what is kept free, the largest file that fits. */
const DISKS: readonly (readonly [keep: number | "auto", free: number, size: number, fits: number])[] = [
  ["auto", 150_000_000, 1e12, 50_000_000],
  ["auto", 150_000, 10_000_000, 50_000],
  [0, 150_000, 10_000_000, 150_000],
  [140_000, 150_000, 10_000_000, 10_000],
  [1e9, 150_000, 10_000_000, 0],
];

for (const [keepFreeBytes, freeBytes, sizeBytes, fits] of DISKS) {
  Deno.test(`of ${freeBytes} free bytes of ${sizeBytes}, puts take ${fits} when ${keepFreeBytes} are kept`, async () => {
    await using here = await stage({ keepFreeBytes });
    here.disk.space = { freeBytes, sizeBytes };
    const offer = (bytes: number) => here.tree.create("a", { sizeBytes: bytes, mtimeMs: MTIME }, "error");
    await assertRejectsCode(() => offer(fits + 1), "no_space");
    if (fits > 0) await (await offer(fits)).discard();
    await here.verify({ files: 0, partials: 0, bytes: 0 });
  });
}

Deno.test("small files that come together ask the disk once, and are refused where its room ends all the same", async () => {
  let freeBytes = 1_000 + 4_096;
  let asked = 0;
  let now = 0;
  await using here = await stage({ keepFreeBytes: 1_000 }, () => now);
  Object.defineProperty(here.disk, "space", { get: () => (asked++, { freeBytes, sizeBytes: 1e9 }) });
  const folder = await here.tree.folder("");
  const store = async (base: string, sizeBytes: number) => {
    const file = { base, bytes: new Uint8Array(sizeBytes), facts: { mtimeMs: MTIME } };
    const [staged] = await folder.stage([file]);
    if (staged instanceof AppError) throw staged;
    freeBytes -= sizeBytes;
  };
  for (let index = 0; index < 3; index++) await store(`${index}`, 1_024);
  assertEquals(asked, 1);
  await assertRejectsCode(() => store("too large", 1_025), "no_space");
  await store("fits", 1_024);
  await assertRejectsCode(() => store("one byte", 1), "no_space");
  freeBytes += 10; // somebody made room
  await store("one byte", 1);
  freeBytes = 0; // somebody took it
  now += 1_000;
  await assertRejectsCode(() => store("another", 1), "no_space");
});

Deno.test("free space is looked at while a file grows, and what arrived of it stays for a later attempt", async () => {
  await using here = await stage({ keepFreeBytes: 0 });
  here.disk.space = { freeBytes: 1e9, sizeBytes: 1e9 };
  const draft = await here.tree.create("a", { sizeBytes: 5 * BLOCK_BYTES, mtimeMs: MTIME }, "error");
  await draft.startAt(0);
  await draft.write(new Uint8Array(BLOCK_BYTES));
  here.disk.space = { freeBytes: 0, sizeBytes: 1e9 };
  await assertRejectsCode(async () => await draft.write(new Uint8Array(BLOCK_BYTES)), "no_space");
  await draft.suspend();
  await here.verify({ files: 1, partials: 1 });
});

async function leavePartial(tree: LimitedTree, name: string): Promise<void> {
  const draft = await tree.create(name, { sizeBytes: 2 * BLOCK_BYTES, mtimeMs: MTIME }, "error");
  await draft.startAt(0);
  await draft.write(new Uint8Array(BLOCK_BYTES));
  await draft.suspend();
}

Deno.test("one address may leave so many uploads unfinished, others may too, and each can be gone on with", async () => {
  await using here = await stage({ partialsPerAddressMax: 2 });
  for (const name of ["a", "b"]) await leavePartial(here.tree, name);
  await assertRejectsCode(() => leavePartial(here.tree, "c"), "too_many_partials");
  await put(here.tree, "small", 10);
  await leavePartial(here.treeOf("192.0.2.2"), "c");
  for (const name of ["d", "e", "f"]) await leavePartial(here.treeOf("127.0.0.1"), name);
  await here.verify({ files: 7, partials: 6 });
  await put(here.tree, "a", 2 * BLOCK_BYTES);
  await leavePartial(here.tree, "g");
  assertEquals(here.partials.most, 2);
});

Deno.test("all addresses together may leave so many", async () => {
  await using here = await stage({ partialsMax: 2 });
  await leavePartial(here.treeOf("192.0.2.1"), "a");
  await leavePartial(here.treeOf("127.0.0.1"), "b");
  await assertRejectsCode(() => leavePartial(here.treeOf("192.0.2.3"), "c"), "too_many_partials");
  await here.verify({ files: 2, partials: 2 });
  await put(here.treeOf("192.0.2.3"), "b", 2 * BLOCK_BYTES);
  await leavePartial(here.treeOf("192.0.2.3"), "c");
});

Deno.test("unfinished uploads that are too old to be kept do not count", () => {
  let nowMs = 0;
  const partials = new PartialsByAddress(() => nowMs);
  partials.add("192.0.2.1", "a");
  nowMs += 7 * 24 * 3_600_000 - 1;
  partials.add("192.0.2.1", "b");
  assertEquals(partials.countOf("192.0.2.1"), 2);
  nowMs += 1;
  assertEquals(partials.countOf("192.0.2.1"), 1);
});

Deno.test("a name that is very deep costs few looks, and is counted right", async () => {
  await using here = await stage({});
  let looks = 0;
  const tree = new LocalTree(here.path);
  tree.stat = (name) => {
    looks++;
    return LocalTree.prototype.stat.call(tree, name);
  };
  const limited = new LimitedTree(tree, {
    storage: here.storage,
    partials: here.partials,
    watches: new Watches(SERVER_LIMITS),
    address: "192.0.2.1",
    namesMax: 10,
  });
  await limited.makeDirectory("x");
  looks = 0;
  await limited.makeDirectory("x/" + new Array(100).fill("d").join("/"));
  assert(looks <= 10, `${looks} looks`);
  await here.verify({ files: 101, partials: 0, bytes: 0 });
});

async function counted(client: Client): Promise<void> {
  const isCounted = async () =>
    (await client.status()).gauges.some(({ name, used }) => name === "root_bytes" && used !== undefined);
  while (!await isCounted());
}

Deno.test("a server tells a put over its quota what to do, and serves on", async () => {
  using here = temporaryDirectory();
  Deno.writeFileSync(`${here.path}/large`, new Uint8Array(1_200));
  Deno.writeFileSync(`${here.path}/small`, new Uint8Array(100));
  await using served = startServed({ "a": new Uint8Array(500) }, { limits: { rootBytesMax: 1_000, rootFilesMax: 2 } });
  await using client = served.client();
  await counted(client);
  const error = await assertRejectsCode(() => putFile(client, `${here.path}/large`, "large"), "quota");
  assertEquals([error.by, error.retriable, error.exit], ["peer", false, 1]);
  assertStringIncludes(error.advice, "--quota");
  await assertRejectsCode(() => putPipe(client, pipeOf(1_200), "stream"), "quota");
  await putFile(client, `${here.path}/small`, "small");
  const full = await assertRejectsCode(() => putFile(client, `${here.path}/small`, "third"), "too_many_files");
  assertStringIncludes(full.advice, "--max-files");
  assertEquals(Array.from(Deno.readDirSync(served.root), ({ name }) => name).sort(), ["a", "small"]);
  await client.stat("a"); // the line of a request is written before the next one is answered
  const puts = served.records.filter(({ request }) => request === "put").map(({ result }) => result);
  assertEquals(puts, ["quota", "quota", "done", "too_many_files"]);
});

Deno.test("a directory with too many names is not listed, and one with as many as allowed is", async () => {
  const files = Object.fromEntries(Array.from({ length: 6 }, (_, index) => [`many/${index}`, "x"]));
  await using served = startServed({ ...files, "some/a": "x" }, { limits: { listNamesMax: 5 } });
  await using client = served.client();
  await assertRejectsCode(() => Array.fromAsync(client.list("many")), "too_many_files");
  await client.stat("many/0");
  Deno.removeSync(`${served.root}/many/5`);
  const [listing] = await Array.fromAsync(client.list("many"));
  assertEquals(listing?.entries.length, 5);
});

Deno.test("limits that a tree has no means for are refused at the start", async () => {
  using directory = temporaryDirectory();
  const { Guard } = await import("../../../server/limits/guard.ts");
  const tree = Object.assign(new LocalTree(directory.path), { usage: undefined }) as unknown as LocalTree;
  const start = (limits: Partial<ServerLimits>) => new Guard({ ...SERVER_LIMITS, ...limits }, tree, () => {});
  try {
    start({ rootBytesMax: 1 });
    assert(false, "it was taken");
  } catch (error) {
    assert(error instanceof AppError && error.code === "failed");
  }
  await using _guard = start({});
});

function pipeOf(sizeBytes: number): PipeSource {
  let left = sizeBytes;
  return new PipeSource({
    read(into) {
      const count = Math.min(left, into.length);
      left -= count;
      return Promise.resolve(count || null);
    },
  });
}

Deno.test("there is room for as many names as the disk and the limit both have", async () => {
  await using here = await stage({ rootFilesMax: 10 });
  for (const [freeNames, files] of [[3, 3], [30, 10], [undefined, 10], [0, 0]] as const) {
    here.disk.space = { freeBytes: 1e9, sizeBytes: 1e9, freeNames };
    assertEquals((await here.storage.room("")).files, files);
  }
});
