/** Nobody reaches the trash by a name, nothing that somebody planted there is used, and nothing in it leads out. */
import type { FileTree } from "../../protocol/files/tree.ts";
import { assert, assertEquals, assertRejectsCode } from "../support/assert.ts";
import { put, removeIn, TrashedTree } from "./trashed.ts";

function stage(): TrashedTree {
  const trashed = new TrashedTree();
  trashed.file("a", "as it was");
  return trashed;
}

const replace = (tree: FileTree) => put(tree, "a", "now");

Deno.test("no call of the tree reaches what is in the trash, by any of its names", async () => {
  using trashed = stage();
  trashed.file("d/b", "as it was");
  await trashed.run((tree) => removeIn(tree, "d", "b"));
  const { tree } = trashed;
  const run = `.app-trash/${trashed.runs()[0]}`;
  Deno.symlinkSync(run, trashed.at("way"));
  Deno.symlinkSync(`${run}/files/d/b`, trashed.at("leaf"));
  const names = [".app-trash", ".APP-TRASH", `${run}/note`, `${run}/files/d/b`, "way/note", "way/files/d/b", "leaf"];
  for (const name of names) {
    const calls: Record<string, () => unknown> = {
      stat: () => tree.stat(name),
      open: () => tree.open(name),
      list: () => Array.fromAsync(tree.list(name, { all: true })),
      folder: async () => await Array.fromAsync((await tree.folder(name)).scan()),
      create: () => tree.create(`${name}/new`, {}, "error"),
      makeDirectory: () => tree.makeDirectory(`${name}/new`),
      move: () => tree.move(`${name}/note`, "got", "error"),
      moveInto: () => tree.move("a", `${name}/got`, "error"),
      confinedTo: () => tree.confinedTo(name).stat(`${name}/note`),
    };
    for (const [call, work] of Object.entries(calls)) {
      const outcome = await Promise.resolve().then(work).then(() => "done", (error) => error.code);
      assert(["bad_name", "outside", "not_a_directory", "not_found"].includes(outcome), `${call} ${name}: ${outcome}`);
    }
  }
  const listed = await Array.fromAsync(tree.list("", { all: true }));
  assertEquals(listed.flatMap(({ entries }) => entries).map(({ name }) => name), ["a", "d"]);
  const told = await Array.fromAsync((await tree.folder("")).scan());
  assertEquals(told.flatMap(({ entries }) => entries).map(({ name }) => name), ["a", "d", "leaf", "way"]);
  assertEquals(await tree.measure(), { files: 1, sizeBytes: 9 });
  assert((await tree.usage()).files > 5, "what is in the trash takes room");
});

for (
  const [what, plant] of [
    ["a link to a directory", (at: string, outside: string) => Deno.symlinkSync(outside, at)],
    ["a file", (at: string) => Deno.writeTextFileSync(at, "mine")],
    ["a directory that others may write in", (at: string) => {
      Deno.mkdirSync(at);
      Deno.chmodSync(at, 0o777);
    }],
  ] as const
) {
  Deno.test(`${what} in the place of the trash is not used: what cannot be kept stays, or is not kept`, async () => {
    using trashed = stage();
    plant(trashed.at(".app-trash"), trashed.outside);
    await trashed.run(async (tree) => void await assertRejectsCode(() => put(tree, "a", "now"), "denied"));
    assertEquals(trashed.read("a"), "as it was");
    await assertRejectsCode(() => trashed.undo(), "denied");
    await assertRejectsCode(() => trashed.tree.trash.sweep({ all: true }), "denied");
    assertEquals(await trashed.run(replace, { choice: "auto" }), 1);
    assertEquals(trashed.read("a"), "now");
    assertEquals([...Deno.readDirSync(trashed.outside)], []);
    Deno.removeSync(trashed.at(".app-trash"), { recursive: true });
    await trashed.run((tree) => put(tree, "a", "and now"));
    assertEquals((await trashed.undo()).done, ["restore a"]);
  });
}

Deno.test("a directory of the tree that was exchanged for a link is not restored into", async () => {
  using trashed = stage();
  trashed.file("d/b", "as it was");
  await trashed.run((tree) => removeIn(tree, "d", "b"));
  Deno.renameSync(trashed.at("d"), trashed.at("e"));
  for (const target of [trashed.outside, "e"]) {
    Deno.symlinkSync(target, trashed.at("d"));
    const { done, failures } = await trashed.undo();
    assertEquals(done, []);
    assertEquals(failures, ["d/b: outside"]);
    Deno.removeSync(trashed.at("d"));
  }
  assertEquals([...Deno.readDirSync(trashed.outside)], []);
  Deno.renameSync(trashed.at("e"), trashed.at("d"));
  assertEquals((await trashed.undo()).done, ["restore d/b"]);
});

Deno.test("a note that names what is outside brings nothing from there, and changes nothing there", async () => {
  using trashed = stage();
  Deno.writeTextFileSync(`${trashed.outside}/secret`, "secret");
  await trashed.run(replace);
  const note = trashed.at(`.app-trash/${trashed.runs()[0]}/note`);
  const was = { kind: "file", sizeBytes: 6, mtimeMs: 1 };
  const lines = [
    { do: "remove", name: "got", was, kept: "../../../outside/secret" },
    { do: "remove", name: "got", was, kept: "files/../../../../outside/secret" },
    { do: "store", name: "../outside/secret", now: was },
    { do: "make", name: "/tmp" },
    { do: "move", name: "a", from: "../outside/secret" },
  ];
  Deno.writeTextFileSync(note, lines.map((line) => JSON.stringify(line) + "\n").join(""), { append: true });
  assertEquals(await trashed.undo(), { done: ["restore a"], failures: [] });
  assertEquals(Deno.readTextFileSync(`${trashed.outside}/secret`), "secret");
});

Deno.test("old runs are removed without following the links in them", async () => {
  using trashed = stage();
  Deno.writeTextFileSync(`${trashed.outside}/secret`, "secret");
  Deno.symlinkSync(trashed.outside, trashed.at("out"));
  await trashed.run((tree) => removeIn(tree, "", "out"));
  assertEquals(await trashed.tree.trash.sweep({ all: true }), 1);
  assertEquals(Deno.readTextFileSync(`${trashed.outside}/secret`), "secret");
});
