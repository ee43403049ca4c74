/**
 * A push of a directory that was renamed, stopped at every call to the system of who has it under its old name: each file
 * is under the old name or the new one, whole, and the next run completes it.
 */
import { LocalTree } from "../../protocol/files/local_tree.ts";
import { runTree, twoTrees } from "../exchange/trees.ts";
import type { TemporaryTree } from "../files/temporary_tree.ts";
import { assert, assertEquals, fail } from "../support/assert.ts";
import { describeTree } from "../support/random_tree.ts";
import { type StopKind, StoppingFileSystem } from "./stopping_file_system.ts";

const FILES = { "old/a": "first", "old/sub/b": "the second", c: "the third one" };
const MOVED = { "new/a": "first", "new/sub/b": "the second", "new/c": "the third one" };
const RECEIVING = { removeMax: 0 };

function renameAll(from: TemporaryTree): void {
  Deno.renameSync(from.at("old"), from.at("new"));
  Deno.renameSync(from.at("c"), from.at("new/c"));
}

/** Runs it stopped at call `stopAt`, looks, and runs it again; the calls, or `undefined` when it came to its end. */
async function stop(stopAt: number, kind: StopKind): Promise<readonly string[] | undefined> {
  using trees = twoTrees();
  const { from, to } = trees;
  for (const [name, content] of Object.entries(FILES)) from.file(name, content);
  await runTree(trees);
  renameAll(from);
  // Then time and bits are to be set, too.
  Deno.utimeSync(from.at("new/c"), 1_000, 1_000);
  using stopping = new StoppingFileSystem(stopAt, kind);
  const tree = new LocalTree(to.path, stopping.fs);
  stopping.begin();
  await runTree({ from, to: { tree }, receiving: RECEIVING });
  const names = Object.keys(to.visible());
  assert(names.every((name) => name in FILES || name in MOVED), names.join());
  const contents = names.map((name) => to.read(name));
  for (const content of Object.values(FILES)) assert(contents.includes(content), `"${content}" is gone: ${names}`);
  for (const name of names) {
    assertEquals(to.read(name), { ...FILES, ...MOVED }[name as keyof typeof FILES]);
  }
  const { receiveFailures } = await runTree({ from, to, receiving: { removeMax: 9 } });
  assertEquals([receiveFailures, to.reserved()], [[], []]);
  assertEquals(describeTree(to.path), describeTree(from.path));
  return stopping.hasStopped ? stopping.calls : undefined;
}

for (const kind of ["fault", "kill"] as const) {
  Deno.test(`a move that is stopped by a ${kind} loses nothing, and the next run completes it`, async () => {
    const faults: string[] = [];
    let stopAt = 1;
    for (let isOver = false; !isOver; stopAt++) {
      try {
        isOver = await stop(stopAt, kind) === undefined;
      } catch (error) {
        faults.push(`at call ${stopAt}: ${String(error).replaceAll(/\s+/g, " ").slice(0, 300)}`);
      }
      assert(stopAt < 500, "it never comes to its end");
    }
    assert(stopAt > 50, "it makes fewer calls than it can do with");
    if (faults.length > 0) fail(`It failed at ${faults.length} of ${stopAt} points:\n${faults.join("\n")}`);
  });
}

Deno.test("the new names are on the disk before the old ones go, and without a flush nothing waits for it", async () => {
  for (const isUnflushed of [false, true]) {
    using trees = twoTrees();
    const { from, to } = trees;
    for (const [name, content] of Object.entries(FILES)) from.file(name, content);
    await runTree(trees);
    renameAll(from);
    using stopping = new StoppingFileSystem(0, "fault");
    stopping.begin();
    await runTree({
      from,
      to: { tree: new LocalTree(to.path, stopping.fs) },
      receiving: { ...RECEIVING, isUnflushed },
    });
    const { calls } = stopping;
    const [linked, removed] = [calls.lastIndexOf("linkSync"), calls.indexOf("removeSync")];
    assert(linked > 0 && linked < removed, calls.join());
    assertEquals(calls.slice(linked, removed).filter((call) => call === "syncSync").length, isUnflushed ? 0 : 2);
    assertEquals(calls.lastIndexOf("syncSync") > calls.lastIndexOf("removeSync"), !isUnflushed, "their removal, too");
  }
});
