/**
 * What somebody else who may write in the shared directory can put there: links, second names of files elsewhere, pipes
 * and devices, under names of files and under our own. None is written through, waited for, or replaced by surprise.
 */
import { LocalTree } from "../../protocol/files/local_tree.ts";
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import { assert, assertEquals, assertRejectsCode, assertThrowsCode } from "../support/assert.ts";
import { makeDevice, makePipe, PATIENCE_MS } from "./special_files.ts";
import { bytesOf, fingerprint, store, TemporaryTree } from "./temporary_tree.ts";

const FACTS = { sizeBytes: BLOCK_BYTES, mtimeMs: 1_600_000_000_000 };
const BLOCK = new Uint8Array(BLOCK_BYTES).fill(1);

/** A tree, and the names that the partial and the note of "file" have in it. */
async function treeWithNames() {
  const temporary = new TemporaryTree();
  const draft = await temporary.tree.create("file", FACTS, "replace");
  const [partial, note] = temporary.reserved() as [string, string];
  await draft.discard();
  assertEquals([temporary.reserved(), `${partial}.note`], [[], note]);
  Deno.writeTextFileSync(`${temporary.outside}/secret`, "secret");
  return { temporary, partial, note };
}

function assertOutsideIsUntouched({ outside }: TemporaryTree): void {
  assertEquals(Array.from(Deno.readDirSync(outside), ({ name }) => name), ["secret"]);
  assertEquals(Deno.readTextFileSync(`${outside}/secret`), "secret");
}

/** What can stand under one of our own names, and leads out. */
const TRAPS: Readonly<Record<string, (temporary: TemporaryTree, name: string) => void>> = {
  "a link to a file outside": ({ outside }, at) => Deno.symlinkSync(`${outside}/secret`, at),
  "a link to nothing outside": ({ outside }, at) => Deno.symlinkSync(`${outside}/new`, at),
  "a second name of a file outside": ({ outside }, at) => Deno.linkSync(`${outside}/secret`, at),
  "a pipe": (_, at) => makePipe(at),
};

for (const [what, plant] of Object.entries(TRAPS)) {
  Deno.test({
    name: `${what} in the place of a partial or its note is not written through`,
    ignore: Deno.build.os === "windows",
    async fn() {
      const { temporary, partial, note } = await treeWithNames();
      using _ = temporary;
      for (const planted of [partial, note]) {
        plant(temporary, temporary.at(planted));
        temporary.tree.partialOf("file");
        const isRefused = planted === partial && what !== "a second name of a file outside";
        const stored = store(temporary.tree, "file", BLOCK, { ...FACTS, ifTaken: "replace" });
        if (isRefused) await assertRejectsCode(() => stored, "not_a_file");
        else assertEquals([await stored, temporary.visible()], ["file", { file: fingerprint(BLOCK) }]);
        assertOutsideIsUntouched(temporary);
        if (isRefused) Deno.removeSync(temporary.at(planted));
        assertEquals(temporary.reserved(), []);
      }
    },
  });
}

for (const [what, plant] of Object.entries(TRAPS)) {
  Deno.test({
    name: `${what} in the place of a file that is about to be published gets none of its bits`,
    ignore: Deno.build.os === "windows",
    async fn() {
      using temporary = new TemporaryTree();
      Deno.writeTextFileSync(`${temporary.outside}/secret`, "secret");
      const { mode } = Deno.statSync(`${temporary.outside}/secret`);
      const draft = await temporary.tree.create("file", { ...FACTS, permissions: 0o711 }, "replace");
      draft.startAt(0);
      draft.write(BLOCK);
      const partial = temporary.at(temporary.reserved()[0]!);
      Deno.removeSync(partial);
      plant(temporary, partial);
      await assertRejectsCode(() => draft.publish(), "source_changed");
      assertEquals(Deno.statSync(`${temporary.outside}/secret`).mode, mode);
      assertOutsideIsUntouched(temporary);
    },
  });
}

Deno.test("a partial with a note that is a link is begun anew, and the one with its own note goes on", async () => {
  for (const isPlanted of [true, false]) {
    const { temporary, note } = await treeWithNames();
    using _ = temporary;
    const first = await temporary.tree.create("file", { ...FACTS, sizeBytes: 2 * BLOCK_BYTES }, "error");
    await first.write(BLOCK);
    await first.suspend();
    if (isPlanted) {
      Deno.renameSync(temporary.at(note), `${temporary.outside}/note`);
      Deno.symlinkSync("../outside/note", temporary.at(note));
    }
    const second = await temporary.tree.create("file", { ...FACTS, sizeBytes: 2 * BLOCK_BYTES }, "error");
    assertEquals(second.heldBlocks, isPlanted ? 0 : 1);
    await second.discard();
  }
});

Deno.test("replacing one name of a file leaves its other name as it was", async () => {
  using temporary = new TemporaryTree();
  const { tree, outside } = temporary;
  Deno.writeTextFileSync(`${outside}/secret`, "secret");
  const before = Deno.statSync(`${outside}/secret`).mtime;
  for (const content of [bytesOf("new"), BLOCK]) {
    Deno.linkSync(`${outside}/secret`, temporary.at("file"));
    assertEquals(await store(tree, "file", content, { ifTaken: "replace" }), "file");
    Deno.removeSync(temporary.at("file"));
  }
  temporary.file("other", "other");
  Deno.linkSync(`${outside}/secret`, temporary.at("file"));
  assertEquals(tree.move("other", "file", "replace"), "file");
  assertOutsideIsUntouched(temporary);
  assertEquals(Deno.statSync(`${outside}/secret`).mtime, before);
  assertEquals(temporary.read("file"), "other");
});

Deno.test({
  name: "a pipe that takes the place of a file between the look and the opening is refused, and not waited for",
  ignore: Deno.build.os === "windows",
  async fn() {
    using temporary = new TemporaryTree();
    temporary.file("file");
    makePipe(`${temporary.outside}/pipe`);
    const modules = new URL("../../", import.meta.url).href;
    // A process, as one that waits for a pipe can do nothing else, not even fail.
    const code = `import { LocalTree } from "${modules}protocol/files/local_tree.ts";
      import { FILE_SYSTEM } from "${modules}protocol/files/file_system.ts";
      const openToRead = (path) => {
        Deno.renameSync(${JSON.stringify(`${temporary.outside}/pipe`)}, path);
        return FILE_SYSTEM.openToRead(path);
      };
      const fs = Object.assign(Object.create(FILE_SYSTEM), { openToRead });
      await new LocalTree(${JSON.stringify(temporary.path)}, fs).open("file").catch(({ code }) => console.log(code));`;
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", code], signal }).output();
    assertEquals(new TextDecoder().decode(stdout), "source_changed\n");
  },
});

Deno.test({
  name: "pipes, sockets and devices are listed as neither file nor directory, and neither read nor replaced",
  ignore: Deno.build.os === "windows",
  async fn() {
    using temporary = new TemporaryTree();
    const { tree } = temporary;
    makePipe(temporary.at("pipe"));
    using socket = Deno.listen({ transport: "unix", path: temporary.at("socket") });
    assert(socket);
    const names = ["pipe", "socket"];
    if (makeDevice(temporary.at("device"))) names.unshift("device");
    else console.log("skipped: a device, which only an administrator can make");
    temporary.file("plain");
    const [batch] = await Array.fromAsync(tree.list("", { all: false }));
    assertEquals(batch!.entries.map(({ name, kind }) => `${name}: ${kind}`), [
      ...names.slice(0, -1).map((name) => `${name}: other`),
      "plain: file",
      "socket: other",
    ]);
    for (const name of names) {
      await assertRejectsCode(() => tree.open(name), "not_a_file");
      await assertRejectsCode(() => store(tree, name, bytesOf("new"), { ifTaken: "replace" }), "not_a_file");
      await assertRejectsCode(() => store(tree, name, bytesOf("new")), "exists");
      assertThrowsCode(() => tree.move("plain", name, "replace"), "not_a_file");
      assertThrowsCode(() => tree.makeDirectory(name), "not_a_directory");
    }
    assertEquals(await tree.measure(), { files: 1, sizeBytes: 5 });
    assertEquals(await new LocalTree(temporary.path).sweep(), 0);
    for (const name of names) tree.remove(name);
    assertEquals(Array.from(Deno.readDirSync(temporary.path), ({ name }) => name), ["plain"]);
  },
});
