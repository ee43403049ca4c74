/** Files that were moved or renamed: recognised by their content, moved and not sent; and all that stands against it. */
import { AppError } from "../../protocol/errors.ts";
import type { Session } from "../../protocol/exchange/session.ts";
import type { ReceiveTreeOptions } from "../../protocol/exchange/tree_receive_options.ts";
import { FILE_SYSTEM } from "../../protocol/files/file_system.ts";
import { unpackPlan } from "../../protocol/wire/plan_actions.ts";
import { TemporaryTree } from "../files/temporary_tree.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { describeTree } from "../support/random_tree.ts";
import { openWire } from "./engines.ts";
import { runTree, type TreeEnds, twoTrees } from "./trees.ts";

const NONE = { files: 0, fileBytes: 0, unchanged: 0, skipped: 0, removed: 0, failed: 0, moved: 0 };
const TREE_MOVES = 9;

interface Trees {
  readonly from: TemporaryTree;
  readonly to: TemporaryTree;
}

const DELETING = { removeMax: TREE_MOVES } as const;

/** Gives both sides the same files, `edit`s those of the sender, and sends them. */
async function runEdited(
  { from, to }: Trees,
  files: Readonly<Record<string, string>>,
  edit: (from: TemporaryTree) => void,
  receiving: Partial<ReceiveTreeOptions> = DELETING,
): Promise<TreeEnds> {
  for (const [name, content] of Object.entries(files)) from.file(name, content);
  await runTree({ from, to });
  edit(from);
  return await runTree({ from, to, receiving });
}

function rename(tree: TemporaryTree, from: string, to: string): void {
  Deno.mkdirSync(tree.at(to).replace(/\/[^/]*$/, ""), { recursive: true });
  Deno.renameSync(tree.at(from), tree.at(to));
}

/** The types of all messages that a session sends from here on, and the actions that it plans. */
function saidBy(session: Session): { readonly types: string[]; readonly actions: string[] } {
  const said = { types: [] as string[], actions: [] as string[] };
  const send = session.send.bind(session);
  session.send = (message) => {
    said.types.push(message.type);
    if (message.type === "plan") said.actions.push(...unpackPlan(message).map(({ action }) => action));
    send(message);
  };
  return said;
}

const inodeOf = (tree: TemporaryTree, name: string) => Deno.lstatSync(tree.at(name)).ino;

Deno.test("a file that was renamed is renamed, one that was moved is moved, and both keep what they are", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  const files = { a: "one", "d/b": "two two", "d/c": "three three" };
  let inodes: unknown;
  const { plan, sent, received } = await runEdited(trees, files, () => {
    inodes = [inodeOf(to, "a"), inodeOf(to, "d/b")];
    rename(from, "a", "z");
    rename(from, "d/b", "new/e/b");
  });
  assertEquals(plan.filter((line) => /^(create|move|remove)/.test(line)), ["move a -> z", "move d/b -> new/e/b"]);
  const tally = { ...NONE, unchanged: 1, moved: 2 };
  assertEquals([sent, received], [tally, tally]);
  assertEquals(describeTree(to.path), describeTree(from.path));
  assertEquals([inodeOf(to, "z"), inodeOf(to, "new/e/b")], inodes);
  assertEquals(to.reserved(), []);
});

Deno.test("a directory that was renamed moves with all that is in it, whatever --max-delete is", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  const files = Object.fromEntries(
    Array.from({ length: 300 }, (_, index) => [`old/${index % 7}/${index}`, `${index}`]),
  );
  const { plan, received } = await runEdited(trees, files, () => Deno.renameSync(from.at("old"), from.at("new")), {
    removeMax: 0,
  });
  assertEquals(received, { ...NONE, moved: 300, removed: 8 });
  assertEquals(plan.filter((line) => line.startsWith("remove")).at(-1), "remove old");
  assertEquals(describeTree(to.path), describeTree(from.path));
});

Deno.test("nothing of what was moved goes over the wire", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  const content = new Uint8Array(100_000).map((_, index) => index * index);
  for (let index = 0; index < 20; index++) from.file(`old/${index}`, content.with(0, index));
  await runTree({ from, to });
  Deno.renameSync(from.at("old"), from.at("new"));
  const wire = openWire();
  assertEquals((await runTree({ from, to, wire, receiving: DELETING })).received, { ...NONE, moved: 20, removed: 1 });
  assert(wire.client.bytesOnWire < 5_000, `${wire.client.bytesOnWire} bytes for 20 files`);
});

Deno.test("time and bits that changed along with the name are taken over", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  const { received } = await runEdited(trees, { a: "content" }, () => {
    rename(from, "a", "b");
    Deno.chmodSync(from.at("b"), 0o750);
    Deno.utimeSync(from.at("b"), 1_000, 1_000);
  });
  assertEquals(received, { ...NONE, moved: 1 });
  assertEquals(describeTree(to.path), describeTree(from.path));
});

Deno.test("a dry run tells the same and moves nothing", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  const files = { a: "aaaa", "d/b": "bbbb", "d/c": "cccc", gone: "gggg", stays: "ssss" };
  for (const [name, content] of Object.entries(files)) from.file(name, content);
  await runTree(trees);
  rename(from, "a", "n/a");
  rename(from, "d", "e");
  rename(from, "gone", "gone.txt");
  from.file("gone.txt", "GGGG");
  from.file("new", "a wholly new one");
  const before = describeTree(to.path);
  const dry = await runTree({ from, to, sending: { isDryRun: true }, receiving: { ...DELETING, isDryRun: true } });
  assertEquals(describeTree(to.path), before);
  const real = await runTree({ from, to, receiving: DELETING });
  assertEquals(dry.plan, real.plan);
  assertEquals([dry.received, dry.sent], [real.received, real.received]);
  assertEquals(real.plan, [
    ...["make e", "make n"],
    ...["move d/b -> e/b", "move d/c -> e/c", "move a -> n/a"],
    ...["create gone.txt", "create new"],
    ...["remove d", "remove gone"],
  ]);
  assertEquals(describeTree(to.path), describeTree(from.path));
});

Deno.test("without --delete nothing is moved, since nothing goes, and nothing waits", async () => {
  using trees = twoTrees();
  const edit = (from: TemporaryTree) => {
    rename(from, "a", "b");
    Deno.mkdirSync(from.at("d"));
  };
  const { plan, received } = await runEdited(trees, { a: "content" }, edit, {});
  assertEquals([plan, received], [["create b", "make d"], { ...NONE, files: 1, fileBytes: 7 }]);
  assertEquals(Object.keys(trees.to.visible()), ["a", "b"]);
});

Deno.test("a directory that gets nothing but a moved file keeps its time", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  from.file("d/x", "x");
  Deno.utimeSync(from.at("d"), 1_000, 1_000);
  await runEdited(trees, { a: "content" }, () => {
    rename(from, "a", "d/a");
    Deno.utimeSync(from.at("d"), 1_000, 1_000);
  });
  assertEquals(describeTree(to.path), describeTree(from.path));
});

Deno.test("empty files are sent, and links made anew", async () => {
  using trees = twoTrees();
  Deno.symlinkSync("x", trees.from.at("l"));
  const { plan } = await runEdited(trees, { a: "" }, (from) => {
    rename(from, "a", "b");
    Deno.renameSync(from.at("l"), from.at("m"));
  });
  assertEquals(plan.sort(), ["create b", "link m", "remove a", "remove l"]);
});

Deno.test("of two new files with the content of one that goes, one is moved and the other sent", async () => {
  using trees = twoTrees();
  const { plan } = await runEdited(trees, { a: "content" }, (from) => {
    rename(from, "a", "b");
    from.file("c", "content");
  });
  assertEquals(plan, ["move a -> b", "create c"]);
  assertEquals(describeTree(trees.to.path), describeTree(trees.from.path));
});

Deno.test("files that changed names with one another are sent", async () => {
  using trees = twoTrees();
  const { from } = trees;
  const { plan } = await runEdited(trees, { a: "aaaaa", b: "bbb" }, () => {
    rename(from, "a", "c");
    rename(from, "b", "a");
    rename(from, "c", "b");
  });
  assertEquals(plan, ["replace a", "replace b"]);
  assertEquals(describeTree(trees.to.path), describeTree(from.path));
});

Deno.test("a file moves out of a directory, in the place of which there is a file now, and into one that was a file", async () => {
  using trees = twoTrees();
  const { from } = trees;
  const { plan, received } = await runEdited(trees, { "d/x": "xxxxx", f: "a file", y: "yy" }, () => {
    rename(from, "d/x", "moved");
    Deno.removeSync(from.at("d"));
    from.file("d", "a file by now");
    Deno.removeSync(from.at("f"));
    rename(from, "y", "f/y");
  });
  assertEquals(plan, ["make f", "move d/x -> moved", "move y -> f/y", "remove d", "create d"]);
  assertEquals(received, { ...NONE, moved: 2, removed: 1, files: 1, fileBytes: 13 });
  assertEquals(describeTree(trees.to.path), describeTree(from.path));
});

Deno.test("more removals than are allowed: nothing is moved either, the new files are sent; one less, and all is done", async () => {
  for (const [removeMax, isRefused] of [[1, true], [2, false]] as const) {
    using trees = twoTrees();
    const { from, to } = trees;
    const edited = await runEdited(trees, { "d/a": "aaaaa", x: "x", y: "y" }, () => {
      rename(from, "d/a", "e/a");
      Deno.removeSync(from.at("d"));
      ["x", "y"].forEach((name) => Deno.removeSync(from.at(name)));
    }, { removeMax });
    assertEquals(edited.receiveFailures, isRefused ? [": too_many_removals"] : []);
    assertEquals(edited.plan, [
      "make e",
      ...isRefused ? ["create e/a"] : ["move d/a -> e/a", "remove d", "remove x", "remove y"],
    ]);
    assertEquals(Object.keys(to.visible()), isRefused ? ["d/a", "e/a", "x", "y"] : ["e/a"]);
  }
});

Deno.test("a new file that is none of those that go makes none of the others move, if too much would go", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  const { plan, receiveFailures } = await runEdited(trees, { a: "alpha", x: "xx", y: "yy" }, () => {
    rename(from, "a", "b");
    ["x", "y"].forEach((name) => Deno.removeSync(from.at(name)));
    from.file("z", "zz");
  }, { removeMax: 1 });
  assertEquals([plan, receiveFailures], [["create b", "create z"], [": too_many_removals"]]);
  assertEquals(Object.keys(to.visible()), ["a", "b", "x", "y", "z"]);
});

Deno.test("what is too much whatever is moved is refused without a look at the files", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  ["a", "x", "y"].forEach((name) => from.file(name, name));
  await runTree(trees);
  rename(from, "a", "b");
  ["x", "y"].forEach((name) => Deno.removeSync(from.at(name)));
  for (const [removeMax, isAsked] of [[1, false], [2, true]] as const) {
    const wire = openWire();
    const { types } = saidBy(wire.server);
    await runTree({ from, to, wire, receiving: { removeMax, isDryRun: true }, sending: { isDryRun: true } });
    assertEquals(types.includes("probe"), isAsked);
  }
});

Deno.test("a directory counts if anything in it goes for good, and not if all of it was moved", async () => {
  for (const [removeMax, isRefused] of [[2, true], [3, false]] as const) {
    using trees = twoTrees();
    const { from } = trees;
    const { receiveFailures, received } = await runEdited(
      trees,
      { "d/m/a": "aaaa", "d/n/b": "bbb", "d/n/c": "cc" },
      () => {
        rename(from, "d/m/a", "a");
        rename(from, "d/n/b", "b");
        Deno.removeSync(from.at("d"), { recursive: true });
      },
      { removeMax },
    );
    assertEquals(receiveFailures, isRefused ? [": too_many_removals"] : [], "d/n/c, d/n and d count, d/m does not");
    if (!isRefused) assertEquals(received, { ...NONE, moved: 2, removed: 4 });
  }
});

Deno.test("what may not be removed is not moved either: the new file is sent", async () => {
  for (const denied of ["remove", "create"] as const) {
    using trees = twoTrees();
    const refuses = (action: string) => action === denied ? new AppError("not_allowed", "No") : undefined;
    const edit = (from: TemporaryTree) => rename(from, "a", "b");
    const { receiveFailures, received } = await runEdited(trees, { a: "content" }, edit, { ...DELETING, refuses });
    assertEquals(receiveFailures, [`${denied === "remove" ? "a" : "b"}: not_allowed`]);
    assertEquals(received, {
      ...NONE,
      failed: 1,
      ...denied === "remove" ? { files: 1, fileBytes: 7 } : { removed: 1 },
    });
  }
});

Deno.test("what is left out, by either side, is not moved", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  from.file("a.log", "content");
  await runTree(trees);
  rename(from, "a.log", "b");
  const excludes = (name: string) => name.endsWith(".log");
  const one = await runTree({
    from,
    to,
    sending: { excludes, spares: excludes },
    receiving: { ...DELETING, asksSender: true },
  });
  assertEquals(one.plan, ["create b"]);
  Deno.removeSync(to.at("b"));
  assertEquals((await runTree({ from, to, receiving: { ...DELETING, excludes } })).plan, ["create b"]);
  assertEquals(Object.keys(to.visible()), ["a.log", "b"]);
});

Deno.test("what the receiver leaves out stays where it is, also in a directory that goes", async () => {
  for (const excludes of [(name: string) => name.endsWith(".log"), undefined]) {
    using trees = twoTrees();
    trees.to.file("d/e/a.log", "content of a");
    trees.to.file("d/e/b", "content of b");
    trees.to.file("d/f/c", "content of c");
    trees.from.file("new", "content of a");
    const { plan } = await runTree({ ...trees, receiving: { ...DELETING, excludes } });
    const isMoved = excludes === undefined;
    assertEquals(plan.includes("move d/e/a.log -> new"), isMoved);
    assertEquals(Object.keys(trees.to.visible()), isMoved ? ["new"] : ["d/e/a.log", "new"]);
  }
});

Deno.test("with checksums the digests that were told are enough", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  ["a", "b"].forEach((name) => from.file(name, `content of ${name}`));
  await runTree(trees);
  rename(from, "a", "c");
  const wire = openWire();
  const { types } = saidBy(wire.server);
  const { plan } = await runTree({ from, to, wire, sending: { hasDigests: true }, receiving: DELETING });
  assertEquals(plan, ["move a -> c"]);
  assert(!types.includes("probe"));
});

Deno.test("more new files than may be put off are sent, and the others moved", async () => {
  using trees = twoTrees();
  const { from } = trees;
  const files = Object.fromEntries([..."abcde"].map((name) => [`old/${name}`, `content of ${name}`]));
  const { plan, received } = await runEdited(trees, files, () => Deno.renameSync(from.at("old"), from.at("new")), {
    ...DELETING,
    movesMax: 3,
  });
  assertEquals(plan.slice(1, 6), [
    "create new/d",
    "create new/e",
    ...[..."abc"].map((name) => `move old/${name} -> new/${name}`),
  ]);
  assertEquals(received, { ...NONE, files: 2, fileBytes: 24, moved: 3, removed: 3 });
});

Deno.test("a new file waits only while one of its size may be among those that go", async () => {
  const scenes: readonly (readonly [extras: readonly string[], isPutOff: boolean])[] = [
    [[], false],
    [["a/of another size"], false],
    [["a/same"], true],
    [["e/anything"], true],
    [["z"], false],
    [["zzzz"], true],
  ];
  for (const [extras, isPutOff] of scenes) {
    using trees = twoTrees();
    const { from, to } = trees;
    from.file("a/x", "x");
    await runTree(trees);
    from.file("c/new", "same");
    for (const name of extras) to.file(name, name.endsWith("same") ? "SAME" : name);
    const wire = openWire();
    const { actions } = saidBy(wire.server);
    const { receiveFailures } = await runTree({ from, to, wire, receiving: DELETING });
    assertEquals([receiveFailures, actions.includes("later")], [[], isPutOff], extras.join());
    assertEquals(describeTree(to.path), describeTree(from.path));
  }
});

Deno.test("a new file that cannot be read as it was told is sent as it is then", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  from.file("a", "content");
  await runTree(trees);
  rename(from, "a", "b");
  const wire = openWire();
  const send = wire.client.send.bind(wire.client);
  wire.client.send = (message) => {
    if (message.type === "scanned") from.file("b", "CONTENT");
    send(message);
  };
  const { plan } = await runTree({ from, to, wire, receiving: DELETING });
  assertEquals([plan, to.read("b")], [["create b", "remove a"], "CONTENT"]);
});

Deno.test("10,000 files of one size are recognised among as many", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  const content = new Uint8Array(4_096);
  const view = new DataView(content.buffer);
  for (let index = 0; index < 10_000; index++) {
    if (index % 500 === 0) Deno.mkdirSync(from.at(`old/${index / 500}`), { recursive: true });
    view.setUint32(0, index);
    Deno.writeFileSync(from.at(`old/${Math.floor(index / 500)}/${index}`), content);
  }
  await runTree({ from, to, receiving: { isUnflushed: true } });
  Deno.renameSync(from.at("old"), from.at("a"));
  const wire = openWire();
  const { received } = await runTree({ from, to, wire, receiving: { ...DELETING, isUnflushed: true } });
  assertEquals(received, { ...NONE, moved: 10_000, removed: 21 });
  assert(wire.client.bytesOnWire < 100 * 10_000, `${wire.client.bytesOnWire} bytes`);
  assertEquals(describeTree(to.path), describeTree(from.path));
});

/** What is done to the receiver's file "a", which the sender calls "b", right before the system is told to link it. */
const RACES: Readonly<Record<string, { race: (to: TemporaryTree) => void; plan: string[]; names: string[] }>> = {
  "nothing": { race() {}, plan: ["move a -> b"], names: ["b"] },
  "it is written to": {
    race: (to) => to.file("a", "another version"),
    plan: ["create b", "remove a"],
    names: ["b"],
  },
  "it is exchanged for one of the same size and time": {
    race(to) {
      const { mtime } = Deno.statSync(to.at("a"));
      to.file("x", "CONTENT");
      Deno.utimeSync(to.at("x"), mtime!, mtime!);
      Deno.renameSync(to.at("x"), to.at("a"));
    },
    plan: ["create b", "remove a"],
    names: ["b"],
  },
  "it is exchanged for a link": {
    race(to) {
      Deno.removeSync(to.at("a"));
      Deno.symlinkSync("b", to.at("a"));
    },
    plan: ["create b", "remove a"],
    names: ["b"],
  },
  "it is removed": { race: (to) => Deno.removeSync(to.at("a")), plan: ["create b", "remove a"], names: ["b"] },
  "the new name is taken": { race: (to) => to.file("b", "mine"), plan: ["create b", "remove a"], names: ["b"] },
};

for (const [what, { race, plan, names }] of Object.entries(RACES)) {
  Deno.test(`a file that is to be moved, and in that moment ${what}: the new name has the sender's content`, async () => {
    using from = new TemporaryTree();
    let isRacing = false;
    using to = new TemporaryTree({
      linkSync(old, name) {
        if (isRacing) race(to);
        isRacing = false;
        FILE_SYSTEM.linkSync(old, name);
      },
    });
    from.file("a", "content");
    await runTree({ from, to });
    rename(from, "a", "b");
    isRacing = true;
    const ended = await runTree({ from, to, receiving: DELETING });
    assertEquals([ended.plan, ended.receiveFailures], [plan, []]);
    assertEquals(Object.keys(to.visible()), names);
    assertEquals(to.read("b"), "content");
    assertEquals(describeTree(to.path), describeTree(from.path));
  });
}

Deno.test("a race that makes more go away than may: what could be moved is moved, and nothing removed", async () => {
  using from = new TemporaryTree();
  using to = new TemporaryTree({
    linkSync(old, name) {
      if (String(name) === "n" && isRacing) to.file("a", "another");
      FILE_SYSTEM.linkSync(old, name);
    },
  });
  let isRacing = false;
  from.file("a", "content");
  from.file("b", "something");
  await runTree({ from, to });
  rename(from, "a", "n");
  rename(from, "b", "o");
  isRacing = true;
  const { plan, receiveFailures } = await runTree({ from, to, receiving: { removeMax: 0 } });
  assertEquals([plan, receiveFailures], [["move b -> o", "create n"], [": too_many_removals"]]);
  assertEquals([Object.keys(to.visible()), to.read("n"), to.read("a")], [["a", "n", "o"], "content", "another"]);
});

Deno.test("a file with several names is only moved if its time and bits stay, which all of them share", async () => {
  for (const isTouched of [false, true]) {
    using trees = twoTrees();
    const { from, to } = trees;
    from.file("a", "content");
    from.file("kept", "content");
    Deno.utimeSync(from.at("kept"), Deno.statSync(from.at("a")).mtime!, Deno.statSync(from.at("a")).mtime!);
    await runTree(trees);
    Deno.removeSync(to.at("kept"));
    Deno.linkSync(to.at("a"), to.at("kept"));
    rename(from, "a", "b");
    if (isTouched) Deno.utimeSync(from.at("b"), 5, 5);
    const { plan } = await runTree({ from, to, receiving: DELETING });
    assertEquals(plan, isTouched ? ["create b", "remove a"] : ["move a -> b"]);
    assertEquals(describeTree(to.path), describeTree(from.path));
  }
});

Deno.test("files are moved where nothing can have two names, and not to a name that is taken", async () => {
  using from = new TemporaryTree();
  let race = () => {};
  using to = new TemporaryTree({
    linkSync() {
      race();
      throw Object.assign(new Deno.errors.PermissionDenied("Operation not permitted"), { code: "EPERM" });
    },
  });
  from.file("d/a", "content");
  await runTree({ from, to });
  rename(from, "d/a", "e/b");
  Deno.removeSync(from.at("d"));
  const { plan, received } = await runTree({ from, to, receiving: DELETING });
  assertEquals([plan, received], [["make e", "move d/a -> e/b", "remove d"], { ...NONE, moved: 1, removed: 1 }]);
  assertEquals(describeTree(to.path), describeTree(from.path));
  rename(from, "e/b", "e/c");
  race = () => to.file("e/c", "mine");
  const refuses = (action: string) => action === "overwrite" ? new AppError("not_allowed", "No") : undefined;
  const { receiveFailures } = await runTree({ from, to, receiving: { ...DELETING, refuses } });
  assertEquals([receiveFailures, to.read("e/c")], [["e/c: exists"], "mine"]);
});
