/** What is stopped at every point: one operation on a tree each, with what is there before and after it. */
import type { LocalTree } from "../../protocol/files/local_tree.ts";
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import type { Draft, IfTaken } from "../../protocol/files/tree.ts";
import { Random } from "../support/random.ts";

/** Name -> content of what is visible. */
export type Content = Readonly<Record<string, Uint8Array>>;

export interface Operation {
  readonly name: string;
  readonly before: Content;
  readonly after: Content;
  /** A state on the way that no call of the system can avoid. */
  readonly between?: Content;
  /** What is visible when it runs once more after it had done its work; `after` if absent. */
  readonly afterTwice?: Content;
  /** With what it may be refused when it runs once more after it had done its work. */
  readonly doneCode?: string;
  /** What comes before it, besides `before`. */
  prepare?(tree: LocalTree): Promise<void>;
  run(tree: LocalTree): Promise<unknown>;
}

const random = new Random(1);
const SMALL = random.bytes(1000);
const OLD = random.bytes(500);
/** Three blocks, the last of them short. */
const LARGE = random.bytes(3 * BLOCK_BYTES - 1000);

/** Four blocks and a bit, and the same with another second block. */
const COMPARED = random.bytes(4 * BLOCK_BYTES + 10);
const CHANGED = COMPARED.slice();
CHANGED.set(random.bytes(BLOCK_BYTES), BLOCK_BYTES);

/** What the source of the large file says of itself. */
export const LARGE_FACTS = { sizeBytes: LARGE.length, mtimeMs: 1_600_000_000_000 };

/** Stores `bytes` as the receiver does: proves what is held, goes on, and leaves a partial if it comes to nothing. */
async function put(tree: LocalTree, name: string, bytes: Uint8Array, ifTaken: IfTaken): Promise<string> {
  const draft = await begin(tree, name, bytes, ifTaken);
  try {
    const offset = await prove(draft, bytes);
    await draft.startAt(offset);
    for (let at = offset; at < bytes.length; at += BLOCK_BYTES) await draft.write(bytes.subarray(at, at + BLOCK_BYTES));
    return await draft.publish();
  } catch (error) {
    await draft.suspend();
    throw error;
  }
}

function begin(tree: LocalTree, name: string, bytes: Uint8Array, ifTaken: IfTaken): Promise<Draft> {
  return tree.create(name, { sizeBytes: bytes.length, mtimeMs: 1_600_000_000_000 }, ifTaken);
}

/** Replaces `name` as the receiver does, and takes from the old file what is the same in it. */
async function putChanged(tree: LocalTree, name: string, bytes: Uint8Array): Promise<string> {
  const facts = { sizeBytes: bytes.length, mtimeMs: 1_600_000_000_000, comparesOld: true };
  const draft = await tree.create(name, facts, "replace");
  const block = new Uint8Array(BLOCK_BYTES);
  try {
    const offset = await prove(draft, bytes);
    await draft.startAt(offset);
    for (let at = offset; at < bytes.length; at += BLOCK_BYTES) {
      const wanted = bytes.subarray(at, at + BLOCK_BYTES);
      await draft.old?.readAt(at, block);
      const isSame = wanted.every((byte, index) => byte === block[index]);
      await draft.write(isSame ? block.subarray(0, wanted.length) : wanted);
    }
    return await draft.publish();
  } catch (error) {
    await draft.suspend();
    throw error;
  }
}

/** How much of what is held is the beginning of `bytes`, in whole blocks. */
async function prove(draft: Draft, bytes: Uint8Array): Promise<number> {
  const block = new Uint8Array(BLOCK_BYTES);
  let blocks = 0;
  for (; blocks < draft.heldBlocks; blocks++) {
    await draft.readAt(blocks * BLOCK_BYTES, block);
    const start = blocks * BLOCK_BYTES;
    if (block.some((byte, index) => byte !== bytes[start + index])) break;
  }
  return blocks * BLOCK_BYTES;
}

/** Leaves a partial of two blocks. */
async function suspendLarge(tree: LocalTree, name: string): Promise<void> {
  const draft = await begin(tree, name, LARGE, "error");
  await draft.startAt(0);
  await draft.write(LARGE.subarray(0, 2 * BLOCK_BYTES));
  await draft.suspend();
}

/** Begins to replace `name`, and discards what there is of it. */
async function giveUp(tree: LocalTree, name: string): Promise<void> {
  const draft = await begin(tree, name, LARGE, "replace");
  try {
    await draft.startAt(0);
    await draft.write(LARGE.subarray(0, 10));
  } finally {
    await draft.discard();
  }
}

export const OPERATIONS: readonly Operation[] = [
  {
    name: "a put of a small file",
    before: {},
    after: { "new/dir/small": SMALL },
    doneCode: "exists",
    run: (tree) => put(tree, "new/dir/small", SMALL, "error"),
  },
  {
    name: "a put of a file of three blocks",
    before: { other: OLD },
    after: { other: OLD, large: LARGE },
    doneCode: "exists",
    run: (tree) => put(tree, "large", LARGE, "error"),
  },
  {
    name: "an overwrite with a small file",
    before: { file: OLD },
    after: { file: SMALL },
    run: (tree) => put(tree, "file", SMALL, "replace"),
  },
  {
    name: "an overwrite with a file of three blocks",
    before: { file: OLD },
    after: { file: LARGE },
    run: (tree) => put(tree, "file", LARGE, "replace"),
  },
  {
    name: "an overwrite with a changed file of four blocks",
    before: { file: COMPARED },
    after: { file: CHANGED },
    run: (tree) => putChanged(tree, "file", CHANGED),
  },
  {
    name: "a resume of a file of three blocks",
    before: {},
    after: { "dir/large": LARGE },
    doneCode: "exists",
    prepare: (tree) => suspendLarge(tree, "dir/large"),
    run: (tree) => put(tree, "dir/large", LARGE, "error"),
  },
  {
    name: "a put of a small file that evades a taken name",
    before: { "a.txt": OLD },
    after: { "a.txt": OLD, "a (2).txt": SMALL },
    afterTwice: { "a.txt": OLD, "a (2).txt": SMALL, "a (3).txt": SMALL },
    run: (tree) => put(tree, "a.txt", SMALL, "rename"),
  },
  {
    name: "a put of a file of three blocks that evades a taken name",
    before: { "a.txt": OLD },
    after: { "a.txt": OLD, "a (2).txt": LARGE },
    afterTwice: { "a.txt": OLD, "a (2).txt": LARGE, "a (3).txt": LARGE },
    run: (tree) => put(tree, "a.txt", LARGE, "rename"),
  },
  {
    name: "a put that is given up",
    before: { file: OLD },
    after: { file: OLD },
    run: (tree) => giveUp(tree, "file"),
  },
  {
    name: "a move to a new name",
    before: { "dir/file": OLD },
    between: { "dir/file": OLD, "new/dir/file": OLD }, // no system call renames without replacing in every file system
    after: { "new/dir/file": OLD },
    doneCode: "not_found",
    run: (tree) => Promise.resolve().then(() => tree.move("dir/file", "new/dir/file", "error")),
  },
  {
    name: "a move that replaces",
    before: { file: SMALL, other: OLD },
    after: { other: SMALL },
    doneCode: "not_found",
    run: (tree) => Promise.resolve().then(() => tree.move("file", "other", "replace")),
  },
  {
    name: "a move of a directory",
    before: { "dir/file": SMALL, "dir/sub/file": OLD },
    after: { "new/dir/file": SMALL, "new/dir/sub/file": OLD },
    doneCode: "not_found",
    run: (tree) => Promise.resolve().then(() => tree.move("dir", "new/dir", "error")),
  },
];
