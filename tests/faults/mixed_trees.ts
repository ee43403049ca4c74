/** Two directories whose difference takes every action that a receiver of trees knows, and what may be seen on the way. */
import { lutimesSync } from "node:fs";
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import { twoTrees } from "../exchange/trees.ts";
import type { TemporaryTree } from "../files/temporary_tree.ts";
import { assert } from "../support/assert.ts";
import { Random } from "../support/random.ts";

const LARGE = new Random(51).bytes(BLOCK_BYTES + 1_000);
const TIME_MS = 1_600_000_000_123;

export function mixedTrees(): ReturnType<typeof twoTrees> {
  const trees = twoTrees();
  const { from, to } = trees;
  for (const tree of [from, to]) {
    for (const name of ["same", "touched", "bits", "in/same"]) tree.file(name);
    Deno.symlinkSync("same", tree.at("link_touched"));
  }
  from.file("changed", "what it is now");
  to.file("changed", "what it was");
  from.file("new");
  from.file("large", LARGE);
  to.file("large", "what it was");
  from.file("made/deeper/new");
  from.file("file_now");
  to.file("file_now/was/in", "in a directory");
  from.file("directory_now/new");
  to.file("directory_now", "a file");
  to.file("extra/in");
  to.file("extra_too");
  Deno.symlinkSync("same", from.at("link"));
  Deno.symlinkSync("../same", from.at("in/link"));
  Deno.symlinkSync("same", to.at("in/link"));
  for (const tree of [from, to]) setTimes(tree);
  Deno.chmodSync(from.at("bits"), 0o750);
  Deno.chmodSync(from.at("made"), 0o711);
  for (const name of ["touched", "link_touched"]) setTime(from.at(name), TIME_MS + 5_000);
  return trees;
}

function setTimes(tree: TemporaryTree, directory = ""): void {
  for (const { name, isDirectory } of Deno.readDirSync(tree.at(directory))) {
    if (isDirectory) setTimes(tree, `${directory}${name}/`);
    setTime(tree.at(directory + name), TIME_MS);
  }
}

function setTime(path: string, timeMs: number): void {
  lutimesSync(path, timeMs / 1000, timeMs / 1000);
}

type Described = Readonly<Record<string, string>>;

/** Everything that is there is as it was or as it is to be, but for times and bits, which come last. */
export function assertNothingHalf(there: Described, ...states: readonly Described[]): void {
  for (const [name, facts] of Object.entries(there)) {
    if (name.endsWith("/")) continue;
    const isKnown = states.some((state) => contentOf(state[name]) === contentOf(facts));
    assert(isKnown, `${name} is ${facts}, and none of ${states.map((state) => state[name])}`);
  }
}

/** Without time and bits. */
function contentOf(facts: string | undefined): string | undefined {
  return facts?.replace(/^\d+ \d+ /, "");
}
