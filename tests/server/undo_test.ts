/** Undo over the wire: random pushes taken back, rights, quotas, two at once, and what a server refuses. */
import { LocalTree, pullTree, pushTree, undoPull, undoPush, type UndoTreeOptions } from "../../client/mod.ts";
import type { Client } from "../../client/mod.ts";
import { keepIn } from "../../protocol/files/keep_in.ts";
import { sendTree } from "../../protocol/exchange/tree_sender.ts";
import type { FileTree } from "../../protocol/files/tree.ts";
import { IF_DIFFERENT, KEEPING } from "../../protocol/wire/messages/sync.ts";
import { startLinked } from "../access/linked.ts";
import { assert, assertEquals, assertRejectsCode, assertStringIncludes } from "../support/assert.ts";
import { temporaryDirectory } from "../support/program.ts";
import { withSeed } from "../support/random.ts";
import { describeTop, describeTree, editRandomly, makeRandomTree } from "../support/random_tree.ts";
import { startServed } from "./served.ts";

const ALL = { allowOverwrite: true, allowRemove: true };
const EXACT = { ifDifferent: "replace", isExact: true, removeMax: 10_000, trash: "on" } as const;
const ROUNDS = 15;

/** What an undo tells, and how many names failed. */
async function undo(client: Client, name = "", options: UndoTreeOptions = {}) {
  const done: string[] = [];
  const failures: string[] = [];
  const failed = await undoPush(client, name, {
    ...options,
    onUndone: (action, undone) => done.push(`${action} ${undone}`),
    onFailed: (undone, { code }) => failures.push(`${undone}: ${code}`),
  });
  assertEquals(failed, failures.length);
  return { done, failures };
}

function localFiles(files: Readonly<Record<string, string>>) {
  const directory = temporaryDirectory();
  for (const [name, content] of Object.entries(files)) {
    Deno.mkdirSync(`${directory.path}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
    Deno.writeTextFileSync(`${directory.path}/${name}`, content);
  }
  return { ...directory, tree: new LocalTree(directory.path), [Symbol.dispose]: directory[Symbol.dispose] };
}

for (const direction of ["push", "pull"] as const) {
  Deno.test(`whatever a ${direction} changed, undo makes it as it was, and a second one as it is`, () =>
    withSeed(async (random) => {
      for (let round = 0; round < ROUNDS; round++) {
        await using served = startServed({}, ALL);
        using beside = temporaryDirectory();
        const [there, here] = [`${served.root}/there`, `${beside.path}/here`];
        const [from, to] = direction === "push" ? [here, there] : [there, here];
        makeRandomTree(random, from, 5 + random.below(60));
        makeRandomTree(random, to, 0);
        await using client = served.client();
        const local = new LocalTree(here);
        const move = () =>
          direction === "push" ? pushTree(client, local, "there", EXACT) : pullTree(client, "there", local, EXACT);
        assertEquals((await move()).failed, 0);
        editRandomly(random, to, random.below(30));
        editRandomly(random, from, random.below(60));
        const look = () => ({ ...describeTree(to), "": describeTop(to) });
        const before = look();
        assertEquals((await move()).failed, 0);
        const after = look();
        const failures: string[] = [];
        const options = { onFailed: (name: string, error: Error) => void failures.push(`${name}: ${error.message}`) };
        const takeBack = () => direction === "push" ? undoPush(client, "there", options) : undoPull(local, options);
        if (JSON.stringify(after) === JSON.stringify(before)) continue;
        for (const wanted of [before, after, before]) {
          await takeBack();
          assertEquals(failures, [], `round ${round}`);
          assertEquals(look(), wanted, `round ${round}`);
        }
      }
    }));
}

Deno.test("a file that was moved, and got another time and other bits, is moved and not sent, and goes back as it was", async () => {
  await using served = startServed({ "old/a": "content" }, ALL);
  using local = localFiles({ "new/b": "content" });
  Deno.chmodSync(`${local.path}/new/b`, 0o600);
  Deno.utimeSync(`${local.path}/new/b`, 6, 6);
  await using client = served.client();
  const before = describeTree(served.root);
  const { files, moved } = await pushTree(client, local.tree, "", EXACT);
  assertEquals([files, moved], [0, 1]);
  const after = describeTree(served.root);
  assertEquals(after, describeTree(local.path));
  for (const wanted of [before, after, before]) {
    assertEquals((await undo(client)).failures, []);
    assertEquals(describeTree(served.root), wanted);
  }
});

Deno.test("without --trash nothing is kept, and nothing can be undone", async () => {
  await using served = startServed({ a: "as it was" }, ALL);
  using local = localFiles({ a: "now" });
  await using client = served.client();
  await pushTree(client, local.tree, "", { ...EXACT, trash: "off" });
  await assertRejectsCode(() => undo(client), "not_found");
  assertEquals([...Deno.readDirSync(served.root)].map(({ name }) => name), ["a"]);
});

Deno.test("a server without a trash refuses a push that must be undone, keeps nothing of others, and has nothing to undo", async () => {
  await using served = startServed({ a: "as it was" }, { ...ALL, trash: "off" });
  using local = localFiles({ a: "now" });
  await using client = served.client();
  const { by, advice } = await assertRejectsCode(() => pushTree(client, local.tree, "", EXACT), "no_trash");
  assertEquals(by, "peer");
  assertStringIncludes(advice, "Say --trash auto");
  assertEquals(Deno.readTextFileSync(`${served.root}/a`), "as it was");
  assertEquals((await pushTree(client, local.tree, "", { ...EXACT, trash: "auto" })).failed, 0);
  await assertRejectsCode(() => undo(client), "not_found");
  assertEquals([...Deno.readDirSync(served.root)].map(({ name }) => name), ["a"]);
});

Deno.test("a server without a trash takes what is in one from before for room", async () => {
  const content = "0123456789".repeat(1_000);
  const limits = { rootBytesMax: 25_000 };
  await using served = startServed({ a: content, b: content }, { ...ALL, trash: "off", limits });
  await using keeping = keepIn(new LocalTree(served.root), "on", { directory: "", who: "-" });
  for (const name of ["a", "b"]) await keeping.tree.remove(name);
  await keeping.settle!();
  using local = localFiles({ c: content });
  await using client = served.client();
  const isCounted = async () =>
    (await client.status()).gauges.some(({ name, used }) => name === "root_bytes" && used !== undefined);
  while (!await isCounted());
  assertEquals((await pushTree(client, local.tree, "", { ifDifferent: "replace", trash: "auto" })).failed, 0);
  assertEquals(Object.keys(describeTree(served.root)), ["c"]);
  assertEquals([...Deno.readDirSync(`${served.root}/.app-trash`)].filter(({ isDirectory }) => isDirectory), []);
});

Deno.test("a link undoes what was pushed with it, an admin link what anybody pushed", async () => {
  await using linked = startLinked({ "a/x": "as it was", "b/x": "as it was" }, ALL);
  using local = localFiles({ x: "now" });
  await using kim = linked.client(await linked.link({ right: "write", label: "kim" }));
  await using lee = linked.client(await linked.link({ right: "write", label: "lee" }));
  await using admin = linked.client(await linked.link({ right: "admin", label: "boss" }));
  await pushTree(kim, local.tree, "a", EXACT);
  await pushTree(lee, local.tree, "b", EXACT);
  assertEquals(await undo(kim), { done: ["adjust a", "restore a/x"], failures: [] });
  await assertRejectsCode(() => undo(kim, "b"), "not_found");
  assertEquals(await undo(admin, "b"), { done: ["adjust b", "restore b/x"], failures: [] });
  assertEquals(Deno.readTextFileSync(`${linked.root}/b/x`), "as it was");
});

Deno.test("a link for a directory undoes what it pushed there, and nothing beside it", async () => {
  await using linked = startLinked({ "in/x": "as it was", "out/x": "as it was" }, ALL);
  using local = localFiles({ x: "now", "d/y": "new" });
  await using client = linked.client(await linked.link({ right: "write", path: "in", label: "kim" }));
  await pushTree(client, local.tree, "in", EXACT);
  await pushTree(client, local.tree, "in/new", EXACT);
  for (const name of ["", "out"]) await assertRejectsCode(() => undo(client, name), "not_allowed");
  assertEquals((await undo(client, "in/new")).failures, []);
  assertEquals(Object.keys(describeTree(linked.root)), ["in/", "in/d/", "in/d/y", "in/x", "out/", "out/x"]);
  assertEquals(Deno.readTextFileSync(`${linked.root}/in/x`), "now");
});

Deno.test("each name is undone by the rights of who asks, and those that may not be are named", async () => {
  for (
    const [policy, failures] of [
      [{ allowOverwrite: true }, ["new: remove_denied"]],
      [ALL, []],
    ] as const
  ) {
    await using served = startServed({ old: "as it was" }, policy);
    using local = localFiles({ old: "now", new: "new" });
    await using client = served.client();
    const { removeMax: _, ...options } = EXACT;
    await pushTree(client, local.tree, "", options);
    assertEquals((await undo(client)).failures, [...failures]);
    assertEquals(Deno.readTextFileSync(`${served.root}/old`), "as it was");
  }
});

Deno.test("who may neither replace nor remove has nothing kept, and may not undo", async () => {
  for (const options of [{}, { strangers: "public-write" }, { readOnly: true }] as const) {
    await using served = startServed({ a: "1" }, options);
    using local = localFiles({ "d/new": "1" });
    await using client = served.client();
    await pushTree(client, local.tree, "", { ...EXACT, trash: "auto" }).catch(() => {});
    assert(![...Deno.readDirSync(served.root)].some(({ name }) => name === ".app-trash"));
    const code = { none: "overwrite_denied", "public-write": "link_needed", true: "read_only" } as const;
    const expected = "readOnly" in options ? code.true : "strangers" in options ? code["public-write"] : code.none;
    await assertRejectsCode(() => undo(client), expected);
  }
});

Deno.test("a dry run of undo over the wire tells the same, and does nothing", async () => {
  await using served = startServed({ "d/a": "as it was", b: "as it was" }, ALL);
  using local = localFiles({ b: "now", "e/c": "new" });
  await using client = served.client();
  const before = describeTree(served.root);
  await pushTree(client, local.tree, "", EXACT);
  const after = describeTree(served.root);
  const dry = await undo(client, "", { isDryRun: true });
  assertEquals(describeTree(served.root), after);
  assertEquals(await undo(client), dry);
  assertEquals(dry.done, ["make d", "restore d/a", "remove e/c", "restore b", "remove e"]);
  assertEquals(describeTree(served.root), before);
});

Deno.test("of two undos at once one wins, and the other one says so", async () => {
  for (const isFirst of [true, false]) {
    await using served = startServed({ a: "as it was" }, ALL);
    using local = localFiles({ a: "now" });
    await using client = served.client();
    await pushTree(client, local.tree, "", EXACT);
    const tree = new LocalTree(served.root);
    if (isFirst) {
      assertEquals((await undo(client)).done, ["restore a"]);
      continue;
    }
    await using _first = await tree.trash.undo({ directory: "", who: "somebody", mayUndo: () => true }, {});
    await assertRejectsCode(() => undo(client), "not_found");
  }
});

Deno.test("a push that is tried again while the server still waits for the first attempt is one run", async () => {
  await using served = startServed({ a: "as it was", "z/b": "as it was" }, ALL);
  using local = localFiles({ a: "now!".repeat(500_000), "z/b": "now" });
  await using first = served.client();
  await using second = served.client();
  const before = describeTree(served.root);
  const keeping = { trash: KEEPING.indexOf("auto"), tag: "0123456789abcdef" };
  const push = (client: Client, tree: FileTree) =>
    client.attempt(({ session }) => {
      session.send({ type: "push", name: "", ifDifferent: IF_DIFFERENT.indexOf("replace"), exact: true, ...keeping });
      return sendTree(session, tree, "", {});
    });
  const goesOn = Promise.withResolvers<void>();
  const stalled: FileTree = Object.assign(new LocalTree(local.path), {
    folder: async (name: string) => {
      const folder = await local.tree.folder(name);
      const read = folder.readEach;
      const readLater: typeof read = async (...what) => {
        await goesOn.promise;
        await read.call(folder, ...what);
      };
      return name === "z" ? Object.assign(folder, { readEach: readLater }) : folder;
    },
  });
  using watcher = Deno.watchFs(served.root);
  const tried = push(first, stalled);
  for await (const _change of watcher) if (Deno.statSync(`${served.root}/a`).size > 1_000_000) break;
  assertEquals((await push(second, local.tree)).failed, 0);
  assertEquals((await undo(second)).failures, []);
  assertEquals(describeTree(served.root), before);
  goesOn.resolve();
  assert((await tried).failed > 0);
  assertEquals(describeTree(served.root), before);
});

Deno.test("what is kept counts, and makes room when that is needed", async () => {
  const content = "0123456789".repeat(1_000);
  await using served = startServed({ a: content, b: content }, { ...ALL, limits: { rootBytesMax: 45_000 } });
  using local = localFiles({ a: "now", b: "now" });
  await using client = served.client();
  await client.status();
  await pushTree(client, local.tree, "", EXACT);
  const gauge = async () => (await client.status()).gauges.find(({ name }) => name === "root_bytes")!.used!;
  assert(await gauge() > 20_000, "the old ones are still there");
  Deno.writeTextFileSync(`${local.path}/c`, "0123456789".repeat(4_000));
  const { failed } = await pushTree(client, local.tree, "", { ...EXACT, trash: "off" });
  assertEquals(failed, 0);
  assert(await gauge() < 45_000);
  await assertRejectsCode(() => undo(client), "not_found");
});

Deno.test("a push that does not fit beside what it keeps is refused before anything is changed; what others kept is room", async () => {
  const large = "0123456789".repeat(200_000);
  const files = { a: large, b: large, c: large };
  await using served = startServed(files, { ...ALL, limits: { rootBytesMax: 9_000_000 } });
  await using client = served.client();
  await client.status();
  const before = describeTree(served.root);
  using local = localFiles({ a: `${large}1`, b: `${large}2`, c: `${large}3` });
  const push = (trash: "on" | "auto" | "off") => pushTree(client, local.tree, "", { ...EXACT, trash });
  for (const trash of ["on", "auto"] as const) await assertRejectsCode(() => push(trash), "no_space");
  assertEquals(describeTree(served.root), before);
  assertEquals([(await push("off")).failed, (await push("auto")).failed], [0, 0]);
  // What the first one kept goes, and then the second one has as much room as it had.
  for (const name of ["a", "b"]) {
    Deno.writeTextFileSync(`${local.path}/${name}`, `${large}again`);
    const { failed, unkept = 0 } = await push("on");
    assertEquals([failed, unkept], [0, 0]);
  }
  assertEquals((await undo(client)).done, ["restore b"]);
});

Deno.test("what would not fit in any case does not empty the trash", async () => {
  const content = "0123456789".repeat(1_000);
  for (const [sizeBytes, fits] of [[60_000, false], [40_000, true]] as const) {
    await using served = startServed({ a: content, b: content }, { ...ALL, limits: { rootBytesMax: 45_000 } });
    using local = localFiles({ a: "now", b: "now" });
    await using client = served.client();
    await client.status();
    await pushTree(client, local.tree, "", EXACT);
    Deno.writeTextFileSync(`${local.path}/c`, "0".repeat(sizeBytes));
    const { failed } = await pushTree(client, local.tree, "", { ...EXACT, trash: "off", ifImpossible: "skip" });
    assertEquals(failed, fits ? 0 : 1);
    if (fits) await assertRejectsCode(() => undo(client), "not_found");
    else assertEquals((await undo(client)).done.toSorted(), ["restore a", "restore b"]);
  }
});

Deno.test("a strict push names what cannot be kept, and any other counts it", async () => {
  for (const trash of ["on", "auto"] as const) {
    await using served = startServed({ a: "as it was" }, ALL);
    using local = localFiles({ a: "now", new: "1" });
    Deno.writeTextFileSync(`${served.root}/.app-trash`, "in the way");
    await using client = served.client();
    const failures: string[] = [];
    const onFailed = (name: string, { code }: { code: string }) => void failures.push(`${name}: ${code}`);
    const { unkept } = await pushTree(client, local.tree, "", { ...EXACT, trash, onFailed });
    assertEquals([unkept, failures], trash === "on" ? [undefined, ["a: denied", "new: denied"]] : [1, []]);
    assertEquals(Deno.readTextFileSync(`${served.root}/a`), trash === "on" ? "as it was" : "now");
  }
});

Deno.test("a strict pull goes on behind a large file that there is no room to keep", async () => {
  const large = "x".repeat(5_000_000);
  await using served = startServed({ a: "now", large: `${large}now`, z: "new" }, ALL);
  using local = localFiles({ a: "as it was", large });
  await using client = served.client();
  const failures: string[] = [];
  const onFailed = (name: string, { code }: { code: string }) => void failures.push(`${name}: ${code}`);
  const tree = new LocalTree(local.path, undefined, { bytesMin: 100_000 });
  const { files, failed } = await pullTree(client, "", tree, { ...EXACT, onFailed });
  assertEquals([files, failed, failures], [2, 1, ["large: no_space"]]);
  assertEquals(Deno.readTextFileSync(`${local.path}/large`), large);
  assertEquals((await pullTree(client, "", tree, { ...EXACT, trash: "auto" })).unkept, 1);
  assertEquals(Deno.readTextFileSync(`${local.path}/large`), `${large}now`);
});
