/** When directories get their times and bits: as soon as nothing comes to them any more, and not before. */
import type { TreeStep } from "../../protocol/exchange/tree_report.ts";
import { AppError } from "../../protocol/errors.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { describeTree } from "../support/random_tree.ts";
import { runTree, twoTrees } from "./trees.ts";

const SECOND = new Date(1_000);

Deno.test("directories get their times while others are filled; those that lock, or lose something, at the end", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  const plain = Array.from({ length: 200 }, (_, index) => `p${index}`);
  const names = ["locks", "loses", ...plain];
  for (const name of names) for (let index = 0; index < 5; index++) from.file(`${name}/${index}`, "x");
  from.file("locks/below/it", "x");
  to.file("loses/extra");
  Deno.chmodSync(from.at("locks"), 0o500);
  for (const name of ["locks/below", ...names]) Deno.utimeSync(from.at(name), SECOND, SECOND);
  let stored = 0;
  let early: string[] = [];
  const isSet = (name: string) => Deno.statSync(to.at(name)).mtime?.getTime() === 1_000;
  const onProgress = ({ files = 0 }: TreeStep) => {
    stored += files;
    if (stored === 1_011 && files > 0) early = names.filter(isSet);
  };
  const { received } = await runTree({ from, to, receiving: { removeMax: 1, onProgress } });
  assert(!(received instanceof AppError), `${received}`);
  assertEquals([received.files, received.removed], [1_011, 1]);
  assert(early.length >= 100 && early.length < 200, `${early.length} were set early`);
  assertEquals(early.filter((name) => !plain.includes(name)), []);
  assertEquals(describeTree(to.path), describeTree(from.path));
});

Deno.test("a directory to which a moved file comes at the end has the right time all the same", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  from.file("a/new name", "content of some length");
  for (let index = 0; index < 300; index++) from.file(`z/${index}`, "x");
  to.file("old/name", "content of some length");
  for (const name of ["a", "z"]) Deno.utimeSync(from.at(name), SECOND, SECOND);
  const { received } = await runTree({ from, to, receiving: { removeMax: 1 } });
  assert(!(received instanceof AppError), `${received}`);
  assertEquals([received.moved, received.files], [1, 300]);
  assertEquals(describeTree(to.path), describeTree(from.path));
});

Deno.test("a directory to which files that were put off come in two groups has the right time all the same", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  to.file("extra", "abc"); // of the size of what is put off
  const names = Array.from({ length: 64 }, (_, index) => `${index}`.padStart(2, "0")); // as many as are set together
  for (const name of names) from.file(`${name}/a`, "x");
  for (let index = 0; index < 400; index++) from.file(`63/put off ${index}`, "xyz");
  for (const name of names) Deno.utimeSync(from.at(name), SECOND, SECOND);
  const { received } = await runTree({ from, to, receiving: { removeMax: 1 } });
  assert(!(received instanceof AppError), `${received}`);
  assertEquals([received.files, received.removed], [464, 1]);
  assertEquals(describeTree(to.path), describeTree(from.path));
});
