/** Any of the calls of a tree, drawn by lot, each of which looks at its answer: nothing in it may be of a canary. */
import { AppError } from "../../protocol/errors.ts";
import type { LocalTree } from "../../protocol/files/local_tree.ts";
import type { IfTaken } from "../../protocol/files/tree.ts";
import { BLOCK_BYTES, PARTIAL_AGE_MAX_MS } from "../../protocol/limits.ts";
import { bytesOf, readAll, store, textOf } from "../files/temporary_tree.ts";
import { assert } from "../support/assert.ts";
import type { Random } from "../support/random.ts";
import { FOLDER_OPERATIONS } from "./folder_operations.ts";
import { ONLY_OUTSIDE, SECRET } from "../support/canary.ts";

const CONTENT = bytesOf("inside");
const DIRECTORIES = ["", "dir/", "dir/sub/", "link/", "other/"];
const BASES = ["file", "taken", "new", "sub"];
/** What stands outside alone is asked for, and never given to anything. */
const ASKED = [...BASES, `${ONLY_OUTSIDE}-file`, `${ONLY_OUTSIDE}-empty`];
const WAYS: readonly IfTaken[] = ["error", "rename", "replace"];
/** One of so many that take long is made. */
const RARELY = 10;

type Request = (tree: LocalTree, name: string, random: Random) => unknown;

/** Those that change nothing, or take something away. */
const ASKING: readonly Request[] = [open, stat, list, has, partialOf, remove, moveAway, measure, sweep];
const GIVING: readonly Request[] = [put, putLarge, makeDirectory, moveAway, useFolder];

/** Makes one; how it ended. */
export async function makeRequest(tree: LocalTree, random: Random): Promise<string> {
  const request = random.pick([...ASKING, ...GIVING]);
  const name = nameFrom(ASKING.includes(request) ? ASKED : BASES, random);
  return await endOf(() => request(tree, name, random), `${request.name} of ${name}`);
}

/** Makes again what requests took away. */
export async function refill(tree: LocalTree): Promise<void> {
  for (const directory of DIRECTORIES) {
    for (const base of ["file", "taken"]) await endOf(() => store(tree, directory + base, CONTENT), "a refill");
  }
}

async function endOf(work: () => unknown, what: string): Promise<string> {
  try {
    await work();
    return "done";
  } catch (error) {
    if (error instanceof AppError && error.code !== "internal") return error.code;
    throw new Error(`${what}: ${error}`, { cause: error });
  }
}

function nameFrom(bases: readonly string[], random: Random): string {
  return random.pick(DIRECTORIES) + random.pick(bases);
}

async function open(tree: LocalTree, name: string): Promise<void> {
  using source = await tree.open(name);
  assert(!textOf(await readAll(source)).includes(SECRET), "the content is of a file outside");
}

function stat(tree: LocalTree, name: string): void {
  assert(tree.stat(name).sizeBytes !== SECRET.length, "it is of a file outside");
}

async function list(tree: LocalTree, asked: string): Promise<void> {
  const directory = asked.slice(0, Math.max(0, asked.lastIndexOf("/")));
  for await (const { entries } of tree.list(directory, { all: true })) {
    for (const { name, sizeBytes } of entries) {
      assert(!name.startsWith(ONLY_OUTSIDE) && sizeBytes !== SECRET.length, `${name} is outside`);
    }
  }
}

function has(tree: LocalTree, name: string): void {
  assert(!tree.has(name) || !name.includes(ONLY_OUTSIDE), "it is outside");
}

function partialOf(tree: LocalTree, name: string): void {
  tree.partialOf(name);
}

function remove(tree: LocalTree, name: string): void {
  tree.remove(name);
}

function moveAway(tree: LocalTree, name: string, random: Random): void {
  tree.move(name, nameFrom(BASES, random), random.pick(WAYS));
}

async function measure(tree: LocalTree, _: string, random: Random): Promise<void> {
  if (random.below(RARELY) > 0) return;
  const { files, sizeBytes } = await tree.measure();
  // Files inside have the size of `CONTENT`, or one block, or nothing.
  assert(sizeBytes % BLOCK_BYTES <= files * CONTENT.length, `${files} files have ${sizeBytes} bytes`);
}

async function sweep(tree: LocalTree, _: string, random: Random): Promise<void> {
  if (random.below(RARELY) > 0) return;
  const now = Date.now;
  Date.now = () => now() + 2 * PARTIAL_AGE_MAX_MS;
  try {
    await tree.sweep();
  } finally {
    Date.now = now;
  }
}

async function put(tree: LocalTree, name: string, random: Random): Promise<void> {
  await store(tree, name, CONTENT, { ifTaken: random.pick(WAYS) });
}

async function putLarge(tree: LocalTree, name: string, random: Random): Promise<void> {
  if (random.below(RARELY) > 0) return;
  const facts = { sizeBytes: BLOCK_BYTES, mtimeMs: 1_700_000_000_000 };
  const draft = await tree.create(name, facts, random.pick(WAYS));
  await draft.startAt(0);
  await draft.write(new Uint8Array(BLOCK_BYTES));
  await (random.below(2) === 0 ? draft.suspend() : draft.publish());
}

async function useFolder(tree: LocalTree, name: string, random: Random): Promise<void> {
  const operation = random.pick(Object.values(FOLDER_OPERATIONS));
  await operation(tree, name.slice(0, Math.max(0, name.lastIndexOf("/"))));
}

function makeDirectory(tree: LocalTree, name: string): void {
  tree.makeDirectory(`${name}/sub`);
}
