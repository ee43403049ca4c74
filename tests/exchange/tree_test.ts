/** Trees that are sent: what is told, done, counted, left alone, and what a refused entry does to the others. */
import { AppError } from "../../protocol/errors.ts";
import { TREE_ENTRIES_AHEAD_MAX } from "../../protocol/limits.ts";
import { assert, assertEquals, assertInstanceOf } from "../support/assert.ts";
import { describeTree } from "../support/random_tree.ts";
import { oneByteAtATime } from "../support/streams.ts";
import { openWire } from "./engines.ts";
import { runTree, twoTrees } from "./trees.ts";

const NONE = { files: 0, fileBytes: 0, unchanged: 0, skipped: 0, removed: 0, failed: 0, moved: 0 };

Deno.test("everything is told in the order of the names, and made", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  from.file("b/c/deep", "deep");
  from.file("b/x", "x");
  from.file("a", "1");
  Deno.mkdirSync(from.at("empty"));
  Deno.symlinkSync("../a", from.at("b/link"));
  const { plan, sent, received, sendFailures } = await runTree({ from, to });
  assertEquals(plan, [
    ...["create a", "make b", "make empty"],
    ...["make b/c", "link b/link", "create b/x"],
    "create b/c/deep",
  ]);
  assertEquals(sendFailures, []);
  const tally = { ...NONE, files: 3, fileBytes: 6 };
  assertEquals([sent, received], [tally, tally]);
  assertEquals(describeTree(to.path), describeTree(from.path));
  assertEquals(to.reserved(), []);
});

Deno.test("a second time nothing is sent", async () => {
  using trees = twoTrees();
  trees.from.file("a/b", "1");
  await runTree(trees);
  const { plan, received } = await runTree(trees);
  assertEquals(plan, []);
  assertEquals(received, { ...NONE, unchanged: 1 });
});

Deno.test("what a dry run tells is what the run tells, and only the run does it", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  from.file("file_now/in", "1");
  from.file("same", "same");
  from.file("kind");
  from.file("dir_now");
  await runTree({ from, to });
  to.file("extra/one");
  to.file("extra/two");
  Deno.removeSync(from.at("file_now"), { recursive: true });
  from.file("file_now", "a file now");
  Deno.removeSync(from.at("dir_now"));
  from.file("dir_now/inside", "2");
  Deno.removeSync(from.at("kind"));
  Deno.symlinkSync("same", from.at("kind"));
  from.file("new", "3");
  from.file("same", "changed");
  Deno.chmodSync(from.at("new"), 0o640);
  const before = describeTree(to.path);
  const receiving = { removeMax: 10 };
  const dry = await runTree({ from, to, sending: { isDryRun: true }, receiving: { ...receiving, isDryRun: true } });
  assertEquals(describeTree(to.path), before);
  const real = await runTree({ from, to, receiving });
  assertEquals(dry.plan, real.plan);
  assertEquals(dry.received, real.received);
  assertEquals(real.receiveFailures, []);
  assertEquals(describeTree(to.path), describeTree(from.path));
  assert(real.plan.includes("remove extra/one") && real.plan.includes("remove extra"));
});

Deno.test("a dry run tells, too, that a file fails for a directory that stays since it, or what is in it, is left out", async () => {
  const isLeftOut = {
    directory: (name: string, isDirectory: boolean) => name === "foo" && isDirectory,
    "what is in it": (name: string) => name === "foo/in",
    nothing: () => false,
  };
  for (const [what, excludes] of Object.entries(isLeftOut)) {
    using trees = twoTrees();
    trees.from.file("foo", "a file now");
    trees.to.file("foo/in", "there before");
    const receiving = { removeMax: 9, excludes };
    const dry = await runTree({
      ...trees,
      sending: { isDryRun: true },
      receiving: { ...receiving, isDryRun: true },
    });
    const real = await runTree({ ...trees, receiving });
    assertEquals([dry.plan, dry.receiveFailures], [real.plan, real.receiveFailures], what);
    assertEquals(real.receiveFailures, what === "nothing" ? [] : ["foo: is_directory"]);
  }
});

Deno.test("what was stored under a numbered name is not stored under another one the next time, unless it has changed", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  to.file("a", "older");
  from.file("a", "new");
  const receiving = { ifDifferent: "rename", isExact: false } as const;
  assertEquals((await runTree({ from, to, receiving })).received, { ...NONE, files: 1, fileBytes: 3 });
  assertEquals((await runTree({ from, to, receiving })).received, { ...NONE, unchanged: 1 });
  assertEquals(Object.keys(to.visible()), ["a", "a (2)"]);
  from.file("a", "newer");
  assertEquals((await runTree({ from, to, receiving })).received, { ...NONE, files: 1, fileBytes: 5 });
  assertEquals(Object.keys(to.visible()), ["a", "a (2)", "a (3)"]);
});

Deno.test("more removals than are allowed remove nothing, as many as are allowed all of it", async () => {
  for (const [removeMax, isRefused] of [[2, true], [3, false]] as const) {
    using trees = twoTrees();
    const { from, to } = trees;
    from.file("new");
    ["x", "d/1"].forEach((name) => to.file(name));
    const { receiveFailures, sendFailures, plan } = await runTree({ from, to, receiving: { removeMax } });
    assertEquals(receiveFailures, isRefused ? [": too_many_removals"] : []);
    assertEquals(sendFailures, receiveFailures);
    assertEquals(Object.keys(to.visible()), isRefused ? ["d/1", "new", "x"] : ["new"]);
    assertEquals(plan, ["create new", ...isRefused ? [] : ["remove d/1", "remove d", "remove x"]]);
  }
});

Deno.test("names that are left out are neither sent nor removed, with the directories that they are in", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  const excludes = (name: string) => /\.log$/.test(name);
  ["a", "b.log", "c/d.log", "c/e"].forEach((name) => from.file(name));
  ["x", "y.log", "z/1.log", "z/2"].forEach((name) => to.file(name, "there"));
  const { plan, receiveFailures } = await runTree({
    from,
    to,
    sending: { excludes, spares: excludes },
    receiving: { removeMax: 2, asksSender: true },
  });
  assertEquals(receiveFailures, []);
  assertEquals(plan.filter((line) => line.startsWith("remove")), ["remove x", "remove z/2"]);
  assertEquals(Object.keys(to.visible()), ["a", "c/e", "y.log", "z/1.log"]);
});

Deno.test("a receiver leaves out what it is told to, and what is in it", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  ["a", "no/b", "no/c/d"].forEach((name) => from.file(name));
  to.file("no/own", "mine");
  const excludes = (name: string) => name === "no";
  await runTree({ from, to, receiving: { removeMax: 10, excludes } });
  assertEquals(Object.keys(to.visible()), ["a", "no/own"]);
});

for (
  const [ifDifferent, end] of [
    ["error", { failures: ["a: exists"], files: { a: "older" } }],
    ["skip", { failures: [], files: { a: "older" } }],
    ["rename", { failures: [], files: { a: "older", "a (2)": "new" } }],
    ["replace", { failures: [], files: { a: "new" } }],
  ] as const
) {
  Deno.test(`a file that is another one: ${ifDifferent}`, async () => {
    using trees = twoTrees();
    const { from, to } = trees;
    from.file("a", "new");
    from.file("b", "b");
    to.file("a", "older");
    const { receiveFailures } = await runTree({ from, to, receiving: { ifDifferent, isExact: false } });
    assertEquals(receiveFailures, [...end.failures]);
    const names = Object.keys(to.visible());
    assertEquals(Object.fromEntries(names.map((name) => [name, to.read(name)])), { ...end.files, b: "b" });
  });
}

Deno.test("with checksums, content decides and not the time", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  from.file("same", "12345");
  from.file("other", "12345");
  await runTree(trees);
  to.file("other", "54321");
  const time = Deno.statSync(from.at("other")).mtime!;
  Deno.utimeSync(to.at("other"), time, time);
  Deno.utimeSync(to.at("same"), 0, 0);
  assertEquals((await runTree({ from, to, receiving: { isDryRun: true }, sending: { isDryRun: true } })).plan, [
    "replace same",
  ]);
  assertEquals((await runTree({ from, to, sending: { hasDigests: true } })).plan, ["replace other", "adjust same"]);
  assertEquals(describeTree(to.path), describeTree(from.path));
});

Deno.test("what is no file, and a link that leads out, is left out and told; nothing is removed for it", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  Deno.mkdirSync(from.at("d"));
  const links = { "d/out": "../../x", absolute: "/etc/passwd", "d/round": "../d/../../x", fine: "d/..", in: "d/x" };
  for (const [name, target] of Object.entries(links)) Deno.symlinkSync(target, from.at(name));
  await new Deno.Command("mkfifo", { args: [from.at("pipe")] }).output();
  to.file("pipe", "a file here");
  const { leftOut, receiveFailures } = await runTree({ from, to, receiving: { removeMax: 9 } });
  assertEquals(leftOut.sort(), [
    ...["absolute: outside", "d/out: outside", "d/round: outside", "fine: outside", "pipe: not_a_file"],
  ]);
  assertEquals(receiveFailures, []);
  assertEquals(to.read("pipe"), "a file here");
  assertEquals(Deno.readLinkSync(to.at("in")), "d/x");
});

Deno.test("a file that cannot be read, and one that vanishes, are named, and the others are sent", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  ["a", "b", "c"].forEach((name) => from.file(name));
  const refuses = (_: string, name: string) => name === "b" ? new AppError("denied", `May not read "b"`) : undefined;
  const onPlanned = (_: string, name: string) => name === "c" && Deno.removeSync(from.at("c"));
  const { sendFailures, receiveFailures, received } = await runTree({ from, to, sending: { refuses, onPlanned } });
  assertEquals(sendFailures, ["b: denied", "c: not_found"]);
  assertEquals(receiveFailures, sendFailures);
  assertEquals(received, { ...NONE, files: 1, fileBytes: 1, failed: 2 });
  assertEquals(Object.keys(to.visible()), ["a"]);
});

Deno.test("a file that changed since it was told is sent as it is now", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  from.file("a", "before");
  const onPlanned = () => from.file("a", "and after that");
  const { receiveFailures } = await runTree({ from, to, sending: { onPlanned } });
  assertEquals(receiveFailures, []);
  assertEquals(to.read("a"), "and after that");
  assertEquals(Deno.statSync(to.at("a")).mtime, Deno.statSync(from.at("a")).mtime);
});

Deno.test("a directory that cannot be listed fails alone, and nothing in it is removed", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  ["a/1", "b/2"].forEach((name) => from.file(name));
  to.file("a/own");
  const refuses = (action: string, name: string) =>
    action === "list" && name === "a" ? new AppError("denied", `May not list "a"`) : undefined;
  const { receiveFailures } = await runTree({ from, to, sending: { refuses }, receiving: { removeMax: 9 } });
  assertEquals(receiveFailures, ["a: denied"]);
  assertEquals(Object.keys(to.visible()), ["a/own", "b/2"]);
});

for (const action of ["create", "overwrite", "remove"] as const) {
  Deno.test(`a receiver that may not ${action} something says so, and goes on`, async () => {
    using trees = twoTrees();
    const { from, to } = trees;
    ["new", "old"].forEach((name) => from.file(name, "sent"));
    ["old", "gone"].forEach((name) => to.file(name, "was here"));
    const refuses = (asked: string) => asked === action ? new AppError("not_allowed", "No") : undefined;
    const { receiveFailures } = await runTree({ from, to, receiving: { removeMax: 9, refuses } });
    const name = { create: "new", overwrite: "old", remove: "gone" }[action];
    assertEquals(receiveFailures, [`${name}: not_allowed`]);
    const left = { create: ["old"], overwrite: ["new", "old"], remove: ["gone", "new", "old"] }[action];
    assertEquals(Object.keys(to.visible()), left);
    assertEquals(to.read("old"), action === "overwrite" ? "was here" : "sent");
  });
}

Deno.test("a receiver that may not begin says why, and the session stays usable", async () => {
  using trees = twoTrees();
  const wire = openWire();
  trees.from.file("a");
  const refuses = (action: string) => action === "list" ? new AppError("not_allowed", "No") : undefined;
  const refused = await runTree({ ...trees, wire, receiving: { refuses } });
  for (const end of [refused.sent, refused.received]) {
    assertInstanceOf(end, AppError);
    assertEquals(end.code, "not_allowed");
  }
  assertEquals((await runTree({ ...trees, wire })).received, { ...NONE, files: 1, fileBytes: 1 });
});

Deno.test("a sender that has no such directory says why, and the session stays usable", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  const wire = openWire();
  from.file("a");
  const refuses = () => new AppError("not_allowed", "No");
  const refused = await runTree({ from, to, wire, sending: { refuses } });
  for (const end of [refused.sent, refused.received]) assertInstanceOf(end, AppError);
  assertEquals((await runTree({ from, to, wire })).received, { ...NONE, files: 1, fileBytes: 1 });
});

Deno.test("large files among small ones go by the way of a single file, in a small window and byte by byte", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  from.file("a", new Uint8Array(300_000).fill(1));
  from.file("b", new Uint8Array(1_200_000).fill(2));
  from.file("c", "small");
  from.file("d", new Uint8Array(3_000).fill(3));
  const slow = { clientStream: oneByteAtATime, dataBytesMax: 2_048 };
  const { received, receiveFailures } = await runTree({ from, to, wire: openWire(slow) });
  assertEquals(receiveFailures, []);
  assertEquals(received, { ...NONE, files: 4, fileBytes: 1_503_005 });
  assertEquals(describeTree(to.path), describeTree(from.path));
});

Deno.test("more entries than the window holds are sent, and refused, without either side waiting for ever", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  const count = TREE_ENTRIES_AHEAD_MAX + 3_000;
  Deno.mkdirSync(from.at("d"));
  for (let index = 0; index < count; index++) Deno.writeFileSync(from.at(`d/${index}`), new Uint8Array(1));
  // The receiver has so much to say that it fills every buffer between the two.
  const error = new AppError("not_allowed", "No! ".repeat(60));
  const refuses = (action: string, name: string) => action === "create" && name !== "d" ? error : undefined;
  const refused = await runTree({ from, to, receiving: { refuses } });
  assertEquals([refused.received, refused.sendFailures.length], [{ ...NONE, failed: count }, count]);
  const { received } = await runTree({ from, to, receiving: { isUnflushed: true } });
  assertEquals(received, { ...NONE, files: count, fileBytes: count });
});
