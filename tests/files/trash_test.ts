/** The trash: what runs keep, what taking them back does, what goes when, and what is left alone. */
import { lutimesSync } from "node:fs";
import type { FileSystem } from "../../protocol/files/file_system.ts";
import { keepIn } from "../../protocol/files/keep_in.ts";
import type { FileTree } from "../../protocol/files/tree.ts";
import { TRASH_AGE_MAX_MS } from "../../protocol/limits.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejectsCode,
  assertThrows,
} from "../support/assert.ts";
import { describeTop, describeTree } from "../support/random_tree.ts";
import { adjustIn, put, removeIn, START_MS, TrashedTree } from "./trashed.ts";

/** A tree with one file of each fate: it will be replaced, removed, and left. */
function stage(...options: ConstructorParameters<typeof TrashedTree>): TrashedTree {
  const trashed = new TrashedTree(...options);
  for (const name of ["old", "d/gone", "left"]) trashed.file(name, `${name} as it was`);
  Deno.chmodSync(trashed.at("d/gone"), 0o640);
  Deno.utimeSync(trashed.at("d/gone"), 1_234_567, 1_234_567);
  Deno.symlinkSync("left", trashed.at("link"));
  Deno.mkdirSync(trashed.at("empty"), { mode: 0o750 });
  for (const name of ["d", "empty"]) Deno.utimeSync(trashed.at(name), 2_345_678, 2_345_678);
  return trashed;
}

/** What a run does to it. */
async function change(tree: FileTree): Promise<void> {
  await put(tree, "old", "and as it is now");
  await put(tree, "new", "new");
  const top = await tree.folder("");
  await top.makeDirectory("made", 0o711);
  await put(tree, "made/in it", "x");
  await top.makeLink({ base: "link", target: "old", mtimeMs: 4_000 }, "replace");
  await adjustIn(tree, "", "left", { mtimeMs: 5_000, permissions: 0o600 });
  await removeIn(tree, "d", "gone");
  await removeIn(tree, "", "d", "empty");
}

Deno.test("undo brings back the time of a link, and time and bits of the top, which a trash alone does not change", async () => {
  using trashed = stage();
  lutimesSync(trashed.at("link"), 3_456_789, 3_456_789);
  Deno.utimeSync(trashed.path, 4_567_890, 4_567_890);
  const look = () => [describeTop(trashed.path), describeTree(trashed.path)];
  const before = look();
  await trashed.run(async (tree) => {
    await adjustIn(tree, "", "link", { mtimeMs: 5_000 });
    await adjustIn(tree, "", "", { mtimeMs: 6_000, permissions: 0o711 });
  });
  const after = look();
  assertNotEquals(after, before);
  assertEquals(await trashed.undo(), { done: ["adjust ", "adjust link"], failures: [] });
  assertEquals(look(), before);
  assertEquals((await trashed.undo()).failures, []);
  assertEquals(look(), after);
  lutimesSync(trashed.at("link"), 1, 1);
  assertEquals((await trashed.undo()).failures, ["link: exists"]);
});

Deno.test("undo brings back the time of the top after other changes, too", async () => {
  using trashed = stage();
  Deno.utimeSync(trashed.path, 4_567_890, 4_567_890);
  const before = describeTop(trashed.path);
  await trashed.run(async (tree) => {
    await change(tree);
    await adjustIn(tree, "", "", { mtimeMs: 6_000, permissions: 0o711 });
  });
  assertEquals((await trashed.undo()).failures, []);
  assertEquals(describeTop(trashed.path), before);
});

Deno.test("undo brings back bytes, times, bits, links and directories, and the second undo takes that back", async () => {
  using trashed = stage();
  const before = describeTree(trashed.path);
  assertEquals(await trashed.run(change), 0);
  const after = describeTree(trashed.path);
  assertEquals(trashed.read("old"), "and as it is now");
  assertEquals(Object.keys(after), ["left", "link", "made/", "made/in it", "new", "old"]);
  const { done, failures } = await trashed.undo();
  assertEquals(failures, []);
  assertEquals(done, [
    ...["make empty", "make d", "restore d/gone", "adjust left", "restore link", "remove made/in it", "remove made"],
    ...["remove new", "restore old"],
  ]);
  assertEquals(describeTree(trashed.path), before);
  assertEquals((await trashed.undo()).failures, []);
  assertEquals(describeTree(trashed.path), after);
  await trashed.undo();
  assertEquals(describeTree(trashed.path), before);
});

Deno.test("a dry run of undo tells what undo does, and does nothing", async () => {
  using trashed = stage();
  await trashed.run(change);
  await trashed.run(async (tree) => {
    await removeIn(tree, "", "new");
    await (await tree.folder("")).makeDirectory("new");
    await put(tree, "new/below", "1");
  });
  const before = describeTree(trashed.path);
  const runs = trashed.runs();
  const dry = await trashed.undo({ isDryRun: true });
  assertEquals(describeTree(trashed.path), before);
  assertEquals(trashed.runs(), runs);
  assertEquals(dry, { done: ["remove new/below", "remove new", "restore new"], failures: [] });
  assertEquals(await trashed.undo(), dry);
  assertEquals(trashed.read("new"), "new");
});

Deno.test("what is kept has its name in the trash, for the owner alone, and cannot be read by others", async () => {
  using trashed = stage();
  await trashed.run(change);
  const [run] = trashed.runs();
  assertEquals(run!.slice(0, 20), "20260102T030405678Z-");
  const kept = `.app-trash/${run}`;
  assertEquals(trashed.read(`${kept}/files/old`), "old as it was");
  assertEquals(trashed.read(`${kept}/files/d/gone`), "d/gone as it was");
  assertEquals(Deno.readLinkSync(trashed.at(`${kept}/files/link`)), "left");
  for (const name of [".app-trash", kept, `${kept}/files`, `${kept}/files/d`]) {
    assertEquals(Deno.statSync(trashed.at(name)).mode! & 0o777, 0o700, name);
  }
  assertEquals(Deno.statSync(trashed.at(`${kept}/note`)).mode! & 0o777, 0o600);
});

Deno.test("a run that changes nothing leaves nothing, and there is nothing to undo", async () => {
  using trashed = stage();
  await trashed.run(() => Promise.resolve());
  assertEquals(trashed.reserved(), []);
  await assertRejectsCode(() => trashed.undo(), "not_found");
});

Deno.test("what was changed since is left as it is and named, and all else is undone", async () => {
  using trashed = stage();
  await trashed.run(change);
  trashed.file("old", "by somebody");
  trashed.file("made/theirs", "by somebody");
  trashed.file("d", "by somebody");
  const { done, failures } = await trashed.undo();
  assertEquals(failures, ["d: exists", "d/gone: not_a_directory", "made: not_empty", "old: exists"]);
  assertEquals(done, ["make empty", "adjust left", "restore link", "remove made/in it", "remove new"]);
  for (const name of ["old", "made/theirs", "d"]) assertEquals(trashed.read(name), "by somebody");
});

Deno.test("an undo that left something goes on with that the next time", async () => {
  using trashed = stage();
  const before = describeTree(trashed.path);
  await trashed.run(change);
  Deno.renameSync(trashed.at("old"), trashed.at("aside"));
  trashed.file("old", "by somebody");
  assertEquals((await trashed.undo()).failures, ["old: exists"]);
  Deno.renameSync(trashed.at("aside"), trashed.at("old"));
  assertEquals(await trashed.undo(), { done: ["restore old"], failures: [] });
  assertEquals(describeTree(trashed.path), before);
});

Deno.test("only runs in the directory that is named, or below it, are undone, the last of them first", async () => {
  using trashed = stage();
  await trashed.run((tree) => put(tree, "d/gone", "1"), { directory: "d" });
  await trashed.run((tree) => put(tree, "left", "2"));
  await assertRejectsCode(() => trashed.undo({ directory: "empty" }), "not_found");
  assertEquals((await trashed.undo({ directory: "d" })).done, ["restore d/gone"]);
  assertEquals(trashed.read("left"), "2");
});

Deno.test("who asks undoes only the runs that they may", async () => {
  using trashed = stage();
  await trashed.run((tree) => put(tree, "old", "mine"), { who: "kim" });
  await trashed.run((tree) => put(tree, "left", "theirs"), { who: "lee" });
  await assertRejectsCode(() => trashed.undo({ who: "somebody" }), "not_found");
  assertEquals((await trashed.undo({ who: "kim" })).done, ["restore old"]);
  assertEquals(trashed.read("left"), "theirs");
});

Deno.test("two attempts at one run are undone as one, also where both changed the same name", async () => {
  using trashed = stage();
  const before = describeTree(trashed.path);
  const tag = "0123456789abcdef";
  await trashed.run((tree) => put(tree, "old", "first"), { tag });
  await trashed.run(async (tree) => {
    await put(tree, "old", "and second");
    await removeIn(tree, "d", "gone");
  }, { tag });
  assertEquals(trashed.runs().length, 1);
  assertEquals((await trashed.undo()).failures, []);
  assertEquals(describeTree(trashed.path), before);
});

Deno.test("an attempt that does not know yet that it broke off hands its run over, and does nothing any more", async () => {
  using trashed = stage();
  for (const name of ["d/one", "d/other"]) trashed.file(name, "as it was");
  const before = describeTree(trashed.path);
  const facts = { directory: "d", who: "me", tag: "0123456789abcdef" };
  await using first = keepIn(trashed.tree.confinedTo("d"), "auto", facts);
  await put(first.tree, "d/one", "first");
  await using second = keepIn(trashed.tree.confinedTo("d"), "auto", facts);
  await put(second.tree, "d/other", "second");
  await assertRejectsCode(() => put(first.tree, "d/one", "late"), "lost");
  await assertRejectsCode(() => removeIn(first.tree, "d", "gone"), "lost");
  assertEquals(await first.settle!(), 0);
  await removeIn(second.tree, "d", "gone");
  assertEquals(await second.settle!(), 0);
  assertEquals([trashed.runs().length, trashed.read("d/one")], [1, "first"]);
  const done = ["restore d/gone", "restore d/other", "restore d/one"];
  assertEquals(await trashed.undo(), { done, failures: [] });
  assertEquals(describeTree(trashed.path), before);
});

Deno.test("an attempt that is in the middle of something hands its run over, too", async () => {
  for (const bytesMin of [10, 1_000_000]) { // how much may be kept is asked in between, or is not
    using trashed = stage({ bytesMin });
    const before = describeTree(trashed.path);
    const facts = { directory: "", who: "me", tag: "0123456789abcdef" };
    await using first = keepIn(trashed.tree, "auto", facts);
    const putting = assertRejectsCode(() => put(first.tree, "old", "first"), "lost");
    await using second = keepIn(trashed.tree, "auto", facts);
    await put(second.tree, "left", "second");
    await putting;
    await second.settle!();
    assertEquals(trashed.runs().length, 1);
    if (bytesMin === 10) continue; // nothing fits
    assertEquals((await trashed.undo()).failures, []);
    assertEquals(describeTree(trashed.path), before);
  }
});

Deno.test("the tag of somebody else's run begins another one", async () => {
  using trashed = stage();
  const tag = "0123456789abcdef";
  await trashed.run((tree) => put(tree, "old", "first"), { tag, who: "kim" });
  await trashed.run((tree) => put(tree, "old", "second"), { tag, who: "lee" });
  assertEquals(trashed.runs().length, 2);
});

Deno.test("an undo whose answer was lost is not taken back by the next attempt", async () => {
  using trashed = stage();
  const before = describeTree(trashed.path);
  await trashed.run(change);
  const tag = "0123456789abcdef";
  await trashed.undo({ tag });
  assertEquals(await trashed.undo({ tag }), { done: [], failures: [] });
  assertEquals(describeTree(trashed.path), before);
});

Deno.test("a run under way cannot be undone, and what somebody undoes neither; when that is over it can", async () => {
  for (const meanwhile of ["the run", "an undo", undefined]) {
    using trashed = stage();
    await trashed.run(async (tree) => {
      await put(tree, "left", "now");
      if (meanwhile === "the run") await assertRejectsCode(() => trashed.undo(), "busy");
    });
    if (meanwhile === "an undo") {
      await using _one = await trashed.tree.trash.undo({ directory: "", who: "me", mayUndo: () => true }, {});
      await assertRejectsCode(() => trashed.undo(), "not_found");
    }
    if (!meanwhile) assertEquals((await trashed.undo()).done, ["restore left"]);
  }
});

Deno.test("a strict run does not replace or remove what does not fit, any other does and counts it", async () => {
  for (const choice of ["on", "auto"] as const) {
    using trashed = stage({ bytesMin: 600 });
    trashed.file("large", "x".repeat(2_000));
    const unkept = await trashed.run(async (tree) => {
      if (choice === "on") await assertRejectsCode(() => put(tree, "large", "small"), "no_space");
      else await put(tree, "large", "small");
      await put(tree, "old", "small");
    }, { choice });
    assertEquals(unkept, choice === "on" ? 0 : 1);
    assertEquals(trashed.read("large").length, choice === "on" ? 2_000 : 5);
    const { done, failures } = await trashed.undo();
    assertEquals(done, ["restore old"]);
    assertEquals(failures, choice === "on" ? [] : ["large: not_found"]);
    assertEquals(trashed.read("old"), "old as it was");
  }
});

Deno.test("a run that broke off and goes on keeps no more than one that did not", async () => {
  for (const isKilled of [false, true]) {
    using trashed = stage({ bytesMin: 1_500 });
    const tag = "0123456789abcdef";
    for (const name of ["first", "second"]) trashed.file(name, "x".repeat(1_000));
    assertEquals(await trashed.run((tree) => removeIn(tree, "", "first"), { choice: "auto", tag }), 0);
    const [run] = trashed.runs();
    const note = trashed.at(`.app-trash/${run}/note`);
    if (isKilled) Deno.writeTextFileSync(note, Deno.readTextFileSync(note).replace(/{"do":"end".*\n/, ""));
    const change = (tree: FileTree) => removeIn(tree, "", "second");
    assertEquals(await trashed.run(change, { choice: "auto", tag }), 1, `${isKilled}`);
    assertEquals(trashed.runs(), [run]);
    const [end] = Deno.readTextFileSync(note).trimEnd().split("\n").slice(-1);
    assert(JSON.parse(end!).bytes > 1_000, end);
  }
});

Deno.test("of a large tree a tenth may be kept", async () => {
  using trashed = stage({ bytesMin: 10 });
  trashed.file("most", new Uint8Array(100_000));
  trashed.file("tenth", new Uint8Array(9_000));
  assertEquals(await trashed.run((tree) => removeIn(tree, "", "tenth", "most"), { choice: "auto" }), 1);
  assertEquals((await trashed.undo()).done, ["restore tenth"]);
});

Deno.test("runs go after seven days, and not before", async () => {
  using trashed = stage();
  await trashed.run((tree) => put(tree, "old", "1"));
  const { trash } = trashed.tree;
  assertEquals(await trash.sweep({ nowMs: trashed.nowMs + TRASH_AGE_MAX_MS }), 0);
  assertEquals(await trash.sweep({ nowMs: trashed.nowMs + TRASH_AGE_MAX_MS + 1 }), 1);
  assertEquals(trashed.runs(), []);
  await assertRejectsCode(() => trashed.undo(), "not_found");
});

Deno.test("the oldest runs go when all are too large or too many, and the last one stays", async () => {
  using trashed = stage({ bytesMin: 6_000, runsMax: 5 });
  for (const round of [1, 2, 3]) {
    await trashed.run((tree) => put(tree, "old", `${round}`.repeat(2_500)));
    assertEquals(trashed.runs().length, Math.min(round, 2), `round ${round}`);
  }
  for (let run = 0; run < 7; run++) await trashed.run((tree) => put(tree, "left", `${run}`));
  assertEquals(trashed.runs().length, 5);
  assertEquals(await trashed.tree.trash.sweep({ all: true }), 5);
});

Deno.test("a run that somebody undoes is not swept, nor one that somebody is at, and any other is", async () => {
  for (const meanwhile of ["an undo", "the run", undefined]) {
    using trashed = stage();
    const sweep = () => trashed.tree.trash.sweep({ all: true });
    await trashed.run(async (tree) => {
      await put(tree, "old", "1");
      if (meanwhile === "the run") assertEquals(await sweep(), 0);
    });
    if (meanwhile === "an undo") {
      await using _undoing = await trashed.tree.trash.undo({ directory: "", who: "me", mayUndo: () => true }, {});
      assertEquals(await sweep(), 0);
    }
    assertEquals(trashed.runs().length, 1);
    if (!meanwhile) assertEquals(await sweep(), 1);
  }
});

Deno.test("what is looked at in that moment can be undone, and gone on with", async () => {
  for (const isOver of [true, false]) {
    for (const look of ["removableBytes", "sweep"] as const) {
      using trashed = stage();
      const before = describeTree(trashed.path);
      const tag = "0123456789abcdef";
      await trashed.run((tree) => put(tree, "old", "1"), { tag });
      const note = trashed.at(`.app-trash/${trashed.runs()[0]}/note`);
      if (!isOver) Deno.writeTextFileSync(note, Deno.readTextFileSync(note).replace(/{"do":"end".*\n/, ""));
      const { trash } = trashed.tree;
      const looks = [trash[look]()];
      await trashed.run(async (tree) => {
        looks.push(trash[look]());
        await put(tree, "left", "2");
      }, { tag });
      assertEquals(trashed.runs().length, 1);
      looks.push(trash[look]());
      assertEquals((await trashed.undo()).failures, []);
      assertEquals(describeTree(trashed.path), before);
      looks.push(trash[look]());
      assertEquals((await trashed.undo()).done, ["restore old", "restore left"]);
      await Promise.all(looks);
    }
  }
});

Deno.test("a clock that was put back does not make another run the last one", async () => {
  using trashed = stage();
  await trashed.run((tree) => put(tree, "old", "1"));
  trashed.nowMs = START_MS - 1_000_000;
  await trashed.run((tree) => put(tree, "left", "2"));
  assertEquals((await trashed.undo()).done, ["restore left"]);
});

Deno.test("where files cannot have a second name, they are moved into the trash", async () => {
  const linkSync = () => {
    throw Object.assign(new Deno.errors.PermissionDenied("link"), { code: "EPERM" });
  };
  using trashed = stage({}, { linkSync });
  const before = describeTree(trashed.path);
  await trashed.run(change);
  assertEquals((await trashed.undo()).failures, []);
  assertEquals(describeTree(trashed.path), before);
});

Deno.test("what is moved goes back to its old name", async () => {
  using trashed = stage();
  const before = describeTree(trashed.path);
  await trashed.run(async (tree) => {
    await (await tree.folder("")).makeDirectory("there");
    await tree.move("d/gone", "there/now", "error");
  });
  const after = describeTree(trashed.path);
  assertEquals((await trashed.undo()).done, ["move there/now", "remove there"]);
  assertEquals(describeTree(trashed.path), before);
  await trashed.undo();
  assertEquals(describeTree(trashed.path), after);
});

async function move(tree: FileTree): Promise<void> {
  await tree.move("d/gone", "there", "error");
}

Deno.test("what was moved and then changed by somebody is left as it is, and goes back when it is as it was left", async () => {
  using trashed = stage();
  const before = describeTree(trashed.path);
  const { mtime } = Deno.statSync(trashed.at("d/gone"));
  await trashed.run(move);
  trashed.file("there", "by somebody");
  assertEquals(await trashed.undo({ isDryRun: true }), { done: [], failures: ["there: exists"] });
  assertEquals(await trashed.undo(), { done: [], failures: ["there: exists"] });
  assertEquals(trashed.read("there"), "by somebody");
  trashed.file("there", "d/gone as it was");
  Deno.utimeSync(trashed.at("there"), mtime!, mtime!);
  assertEquals(await trashed.undo(), { done: ["move there"], failures: [] });
  assertEquals(describeTree(trashed.path), before);
});

/** Moves "d/gone" to "there", where it gets another time and other bits. */
async function adopt(tree: FileTree): Promise<void> {
  const [from, to] = [await tree.folder("d"), await tree.folder("")];
  const entry = (await from.look("gone"))!;
  const facts = { mtimeMs: 6_000, permissions: 0o600 };
  assertEquals(await to.adopt("d", [{ base: "there", entry, facts }]), ["linked"]);
  assertEquals(await from.removeEach([entry]), [undefined]);
}

Deno.test("what was moved and got another time and other bits goes back as it was, and there again as it is", async () => {
  using trashed = stage();
  const before = describeTree(trashed.path);
  await trashed.run(adopt);
  const after = describeTree(trashed.path);
  assertMatch(after["there"]!, /^600 6000 /);
  assertEquals(await trashed.undo({ isDryRun: true }), { done: ["move there"], failures: [] });
  for (const wanted of [before, after, before]) {
    assertEquals((await trashed.undo()).failures, []);
    assertEquals(describeTree(trashed.path), wanted);
  }
});

Deno.test("what was moved and got another time is left as it is when somebody changed it or its bits since", async () => {
  using trashed = stage();
  const before = describeTree(trashed.path);
  await trashed.run(adopt);
  Deno.chmodSync(trashed.at("there"), 0o644);
  assertEquals((await trashed.undo()).failures, ["there: exists"]);
  Deno.chmodSync(trashed.at("there"), 0o600);
  Deno.utimeSync(trashed.at("there"), 7, 7);
  assertEquals((await trashed.undo()).failures, ["there: exists"]);
  Deno.utimeSync(trashed.at("there"), 6, 6);
  assertEquals(await trashed.undo(), { done: ["move there"], failures: [] });
  assertEquals(describeTree(trashed.path), before);
});

Deno.test("wherever a move with another time and other bits broke off, it is taken back, also by an undo that did", async () => {
  const steps: ((at: (name: string) => string) => void)[] = [
    (at) => Deno.linkSync(at("d/gone"), at("there")),
    (at) => Deno.chmodSync(at("there"), 0o600),
    (at) => Deno.utimeSync(at("there"), 6, 6),
    (at) => Deno.removeSync(at("d/gone")),
    (at) => Deno.chmodSync(at("there"), 0o640), // and what an undo has done of it
    (at) => Deno.utimeSync(at("there"), 1_234_567, 1_234_567),
  ];
  for (let count = 0; count <= steps.length; count++) {
    using trashed = stage();
    const before = describeTree(trashed.path);
    await trashed.run(adopt);
    Deno.renameSync(trashed.at("there"), trashed.at("d/gone"));
    Deno.chmodSync(trashed.at("d/gone"), 0o640);
    Deno.utimeSync(trashed.at("d/gone"), 1_234_567, 1_234_567);
    for (const step of steps.slice(0, count)) step((name) => trashed.at(name));
    assertEquals((await trashed.undo()).failures, [], `${count} steps`);
    assertEquals(describeTree(trashed.path), before, `${count} steps`);
  }
});

Deno.test("what was moved by a version that noted no more of it goes back", async () => {
  using trashed = stage();
  const before = describeTree(trashed.path);
  await trashed.run(move);
  const note = trashed.at(`.app-trash/${trashed.runs()[0]}/note`);
  const lines = Deno.readTextFileSync(note).replace(/,"now":\{[^}]*\}/g, "");
  Deno.writeTextFileSync(note, lines);
  assertEquals(await trashed.undo(), { done: ["move there"], failures: [] });
  assertEquals(describeTree(trashed.path), before);
});

Deno.test("a note that was torn is read as far as it goes", async () => {
  using trashed = stage();
  await trashed.run((tree) => put(tree, "old", "1"));
  const note = trashed.at(`.app-trash/${trashed.runs()[0]}/note`);
  const lines = Deno.readTextFileSync(note).trimEnd().split("\n");
  Deno.writeTextFileSync(note, [...lines.slice(0, -1), '{"do":"store","name":"le'].join("\n"));
  assertEquals(await trashed.undo(), { done: ["restore old"], failures: [] });
});

Deno.test("a line of a note that a full disk tore spoils none that comes when there is room again", async () => {
  let isFull = false;
  const openSync: FileSystem["openSync"] = (path, options) => {
    const file = Deno.openSync(path, options);
    if (path !== "note") return file;
    const write = file.writeSync.bind(file);
    return Object.assign(file, {
      writeSync(bytes: Uint8Array) {
        if (!isFull) return write(bytes);
        write(bytes.subarray(0, bytes.length >> 1));
        throw Object.assign(new Error("No space left on device"), { code: "ENOSPC" });
      },
    });
  };
  using trashed = stage({}, { openSync });
  await trashed.run(async (tree) => {
    await put(tree, "old", "1");
    isFull = true;
    await put(tree, "left", "2");
    isFull = false;
  }, { choice: "auto" });
  const lines = Deno.readTextFileSync(trashed.at(`.app-trash/${trashed.runs()[0]}/note`)).trimEnd().split("\n");
  assertThrows(() => JSON.parse(lines.at(-2)!), SyntaxError);
  assertEquals(JSON.parse(lines.at(-1)!).do, "end");
  assertEquals(await trashed.undo(), { done: ["restore old"], failures: [] });
});

Deno.test("a strict run keeps what got a name that was free, also when that is found only when it is stored", async () => {
  using trashed = stage();
  await trashed.run(async (tree) => {
    const top = await tree.folder("");
    const [staged] = await top.stage([{ base: "late", bytes: new Uint8Array(3), facts: { mtimeMs: 5_000 } }]);
    assert(staged && !(staged instanceof Error));
    trashed.file("late", "by somebody");
    assertEquals(await top.publish([{ base: "late", staged, ifTaken: "replace", sizeBytes: 3, mtimeMs: 5_000 }]), [
      "late",
    ]);
  });
  assertEquals(trashed.read("late").length, 3);
  assertEquals(await trashed.undo(), { done: ["restore late"], failures: [] });
  assertEquals(trashed.read("late"), "by somebody");
});
