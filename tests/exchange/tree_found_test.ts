/**
 * Directories, files and links that somebody else makes while a run waits for its go-ahead: counted as they are, kept
 * when they are replaced, and no part of what an undo of the run takes back.
 */
import { AppError } from "../../protocol/errors.ts";
import { ToldWalk } from "../../protocol/exchange/tree_told.ts";
import type { ReceiveTreeOptions } from "../../protocol/exchange/tree_receive_options.ts";
import type { FileTree, Folder, FolderEntry } from "../../protocol/files/tree.ts";
import { SERVER_LIMITS } from "../../protocol/limits.ts";
import { LimitedTree } from "../../server/limits/limited_tree.ts";
import { PartialsByAddress } from "../../server/limits/partials.ts";
import { Storage } from "../../server/limits/storage.ts";
import { Watches } from "../../server/limits/watches.ts";
import { TemporaryTree } from "../files/temporary_tree.ts";
import { TrashedTree } from "../files/trashed.ts";
import { assert, assertEquals, assertRejectsCode } from "../support/assert.ts";
import { describeTree } from "../support/random_tree.ts";
import { runTree, type TreeEnds, twoTrees } from "./trees.ts";

interface FoundJob {
  readonly from: TemporaryTree;
  readonly to: FileTree;
  /** What somebody else does in the last moment. */
  readonly meanwhile: () => void;
  readonly receiving?: Partial<ReceiveTreeOptions>;
}

async function run({ from, to, meanwhile, receiving = {} }: FoundJob): Promise<TreeEnds> {
  const end = await runTree({
    from,
    to: { tree: to },
    sending: { preflight: { ifImpossible: "stop" }, isDecidedHere: false },
    receiving: { ...receiving, preflight: { ifImpossible: "stop", verifySum: meanwhile } },
  });
  assert(!(end.received instanceof AppError), `${end.received}`);
  return end;
}

for (const ifDifferent of ["replace", "rename", "error"] as const) {
  Deno.test(`a file in a directory that somebody else makes meanwhile is counted as it is stored: ${ifDifferent}`, async () => {
    using trees = twoTrees();
    const { from, to } = trees;
    ["d/a", "d/b"].forEach((name) => from.file(name, "sent"));
    await using storage = new Storage(to.tree, SERVER_LIMITS);
    await storage.count();
    const watches = new Watches(SERVER_LIMITS);
    const options = { storage, partials: new PartialsByAddress(), watches, address: "192.0.2.1", namesMax: 1_000 };
    const meanwhile = () => {
      to.file("d/a", "x".repeat(1_000));
      storage.changed({ bytes: 1_000, files: 2 });
    };
    await run({ from, to: new LimitedTree(to.tree, options), meanwhile, receiving: { ifDifferent, isExact: false } });
    const counted = storage.usage;
    await storage.count();
    assertEquals(counted, storage.usage);
    const files = { replace: ["a", "b"], rename: ["a", "a (2)", "b"], error: ["a", "b"] }[ifDifferent];
    assertEquals(Object.keys(describeTree(to.at("d"))), files);
  });
}

for (const isOurs of [false, true]) {
  const whose = isOurs ? "of its own" : "of somebody else";
  Deno.test(`a directory ${whose} that goes away again fails with what is in it, and the rest is stored`, async () => {
    using trees = twoTrees();
    const { from, to } = trees;
    ["d/a", "e"].forEach((name) => from.file(name, "sent"));
    const meanwhile = () => isOurs || to.file("d/x");
    const remove = () => Deno.removeSync(to.at("d"), { recursive: true });
    const end = await run({ from, to: withoutOnce(to.tree, "d", remove), meanwhile, receiving: { isExact: false } });
    assertEquals(
      [end.receiveFailures.includes("d/a: not_found"), to.read("e")],
      [true, "sent"],
      `${end.receiveFailures}`,
    );
  });
}

/** `tree`, of which the directory `name` goes away, by `remove`, when something in it is to be looked at or stored. */
function withoutOnce(tree: FileTree, name: string, remove: () => void): FileTree {
  let isThere = true;
  const goes = (folder: Folder) => {
    if (!isThere || folder.name !== name) return;
    isThere = false;
    remove();
  };
  const wrapped = (folder: Folder): Folder =>
    withOther(folder, {
      folder: async (base) => wrapped(await folder.folder(base)),
      look: (base) => (goes(folder), folder.look(base)),
      stage: (files) => (goes(folder), folder.stage(files)),
    });
  return withOther(tree, { folder: async (name) => wrapped(await tree.folder(name)) });
}

/** `whole`, with other methods in place of some of its own. */
function withOther<T extends object>(whole: T, other: Partial<T>): T {
  return new Proxy(whole, {
    get(_, key) {
      const value = Reflect.get(key in other ? other : whole, key, whole);
      return typeof value === "function" ? value.bind(whole) : value;
    },
  });
}

Deno.test("what somebody else puts into a directory that was to be made is kept when it is replaced, and undone", async () => {
  using trashed = new TrashedTree();
  using from = new TemporaryTree();
  from.file("d/a", "sent");
  const meanwhile = () => trashed.file("d/a", "of somebody else");
  await trashed.run(async (tree) => void await run({ from, to: tree, meanwhile }));
  assertEquals(trashed.read("d/a"), "sent");
  assertEquals((await trashed.undo()).failures, []);
  assertEquals(trashed.read("d/a"), "of somebody else");
});

Deno.test("an undo leaves what somebody else made under the names that a run was to make, and takes back the rest", async () => {
  for (const isMeanwhile of [true, false]) {
    using trashed = new TrashedTree();
    using from = new TemporaryTree();
    from.file("file", "sent");
    for (const name of ["empty", "full"]) Deno.mkdirSync(from.at(name));
    Deno.symlinkSync("file", from.at("link"));
    const meanwhile = () => {
      if (!isMeanwhile) return;
      Deno.mkdirSync(trashed.at("empty"));
      trashed.file("full/theirs");
      Deno.symlinkSync("file", trashed.at("link"));
    };
    await trashed.run(async (tree) => void await run({ from, to: tree, meanwhile }));
    assertEquals((await trashed.undo()).failures, []);
    const left = Object.keys(describeTree(trashed.path));
    assertEquals(left, isMeanwhile ? ["empty/", "full/", "full/theirs", "link"] : []);
  }
});

Deno.test("a directory of somebody else keeps its time, where those of directories that are there are left alone", async () => {
  for (const isExact of [false, true]) {
    using trees = twoTrees();
    const { from, to } = trees;
    from.file("d/a", "sent");
    Deno.utimeSync(from.at("d"), 5, 5);
    const { received } = await run({ from, to: to.tree, meanwhile: () => to.file("d/b"), receiving: { isExact } });
    assert(!(received instanceof AppError) && received.files === 1);
    assertEquals(Deno.statSync(to.at("d")).mtime?.getTime() === 5_000, isExact);
  }
});

Deno.test("a directory of somebody else that cannot be opened does not count as one that is still to be walked", async () => {
  using trees = twoTrees();
  const walk = new ToldWalk({ tree: trees.to.tree, top: "", onExtra() {}, onFailed() {} });
  walk.start(true);
  const top = await walk.current();
  const told: FolderEntry = { name: "d", kind: "directory", sizeBytes: 0, mtimeMs: 1, mode: 0o755 };
  const place = walk.next(top, told);
  await walk.own(place);
  const child = walk.addChild(place, "awaited");
  const folder = () => {
    throw new AppError("not_found", "It was removed");
  };
  top.folder = withOther(await trees.to.tree.folder(""), { folder });
  await assertRejectsCode(() => walk.openMade(child, "somebody else"), "not_found");
  child.state = "blocked";
  await walk.finish(top, false);
  await walk.finish(await walk.current(), false);
  assertEquals([walk.isOver, walk.isOwnOver], [true, true]);
});
