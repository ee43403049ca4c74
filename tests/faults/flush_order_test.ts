/** Acknowledged means durable: in which order the system is told to write things to the disk. */
import { LocalTree } from "../../protocol/files/local_tree.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { TemporaryTree } from "../files/temporary_tree.ts";
import { OPERATIONS } from "./operations.ts";
import { StoppingFileSystem } from "./stopping_file_system.ts";

/** The calls of the whole operation. */
async function callsOf(name: string): Promise<string[]> {
  const operation = OPERATIONS.find((candidate) => candidate.name === name);
  assert(operation, name);
  using temporary = new TemporaryTree();
  for (const [file, bytes] of Object.entries(operation.before)) temporary.file(file, bytes);
  await operation.prepare?.(temporary.tree);
  using stopping = new StoppingFileSystem(0, "fault");
  const tree = new LocalTree(temporary.path, stopping.fs);
  stopping.begin();
  await operation.run(tree);
  assertEquals(stopping.openCount, 0);
  return stopping.calls;
}

for (
  const name of OPERATIONS.map((operation) => operation.name).filter((each) => /put of|overwrite|resume/.test(each))
) {
  Deno.test(`${name} is flushed before it shows, and its directory after that`, async () => {
    const calls = await callsOf(name);
    const shows = calls.findLastIndex((call) => call === "linkSync" || call === "renameSync");
    const flushed = calls.lastIndexOf("sync");
    assert(calls.lastIndexOf("writeSync") < flushed && flushed < shows, calls.join());
    assert(calls.lastIndexOf("utimeSync") < flushed, "its time is on the disk too");
    assert(calls.lastIndexOf("syncSync") > shows, "the directory is flushed");
    assertEquals(calls.slice(calls.lastIndexOf("syncSync") + 1), []);
  });
}

Deno.test("directories that were made on the way are flushed too", async () => {
  const calls = await callsOf("a put of a small file");
  assertEquals(calls.filter((call) => call === "mkdirSync").length, 2);
  assertEquals(calls.filter((call) => call === "syncSync").length, 3);
});

Deno.test("a move is flushed on both sides, and before it the directories that were made for it", async () => {
  const directories = {
    "a move to a new name": [2, 2],
    "a move that replaces": [0, 1],
    "a move of a directory": [1, 2],
  };
  for (const [name, counts] of Object.entries(directories)) {
    const calls = await callsOf(name);
    const moved = Math.max(calls.lastIndexOf("renameSync"), calls.lastIndexOf("linkSync"));
    const flushes = [calls.slice(0, moved), calls.slice(moved)]
      .map((part) => part.filter((call) => call === "syncSync").length);
    assertEquals(flushes, counts, calls.join());
  }
});
