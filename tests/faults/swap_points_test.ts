/**
 * A directory that is swapped for a link out right before any one call to the system, for that call alone or from it on:
 * whatever the call, nothing outside is read, listed, made, changed or removed. With every call once, where
 * `swapped_links_test.ts` takes what comes.
 */
import { AppError } from "../../protocol/errors.ts";
import { keepIn } from "../../protocol/files/keep_in.ts";
import { FILE_SYSTEM, type FileSystem, lstatIfThere, removeIfThere } from "../../protocol/files/file_system.ts";
import { LocalTree } from "../../protocol/files/local_tree.ts";
import type { Draft } from "../../protocol/files/tree.ts";
import { undoLast } from "../../protocol/files/undo_last.ts";
import { BLOCK_BYTES, PARTIAL_AGE_MAX_MS } from "../../protocol/limits.ts";
import { bytesOf, readAll, store, textOf } from "../files/temporary_tree.ts";
import { assert, assertEquals, fail } from "../support/assert.ts";
import { assertNothingArrived, Canary, ONLY_OUTSIDE, SECRET } from "../support/canary.ts";
import { FOLDER_OPERATIONS } from "./folder_operations.ts";
import { memoryIfThere } from "../support/neighbourhood.ts";

const FACTS = { sizeBytes: 2 * BLOCK_BYTES, mtimeMs: 1_600_000_000_000 };
const BLOCK = new Uint8Array(BLOCK_BYTES);

type Operation = (tree: LocalTree) => unknown;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  async open(tree) {
    using source = await tree.open("dir/file");
    assertEquals(textOf(await readAll(source)), "inside");
  },
  stat: (tree) => assertEquals(tree.stat("dir/file").sizeBytes, "inside".length),
  async list(tree) {
    const names = (await Array.fromAsync(tree.list("dir", { all: true }))).flatMap(({ entries }) => entries);
    for (const { name, sizeBytes } of names) {
      assert(!name.startsWith(ONLY_OUTSIDE) && sizeBytes !== SECRET.length, name);
    }
  },
  "put of a small file": (tree) => store(tree, "dir/new", bytesOf("new")),
  "put in new directories": (tree) => store(tree, "dir/a/b/new", bytesOf("new")),
  "put that replaces": (tree) => store(tree, "dir/file", bytesOf("new"), { ifTaken: "replace" }),
  "put that steps aside": (tree) => store(tree, "dir/file", bytesOf("new"), { ifTaken: "rename" }),
  "put of blocks": (tree) => putBlocks(tree, (draft) => draft.publish()),
  "put that breaks off": (tree) => putBlocks(tree, (draft) => draft.suspend()),
  "put that is given up": (tree) => putBlocks(tree, (draft) => draft.discard()),
  "move to another directory": (tree) => tree.move("dir/file", "moved", "error"),
  "move that replaces": (tree) => tree.move("dir/file", "other/file", "replace"),
  "move into": (tree) => tree.move("other/file", "dir/a/moved", "error"),
  "move that steps aside": (tree) => tree.move("other/file", "dir/file", "rename"),
  "move within": (tree) => tree.move("dir/file", "dir/moved", "error"),
  "move of a directory": (tree) => tree.move("dir/sub", "moved", "error"),
  "move of a directory into": (tree) => tree.move("other", "dir/moved", "error"),
  async "moves from folder to folder"(tree) {
    await moveBetween(tree, "dir", "other");
    await moveBetween(tree, "other", "dir");
  },
  "remove of a file": (tree) => tree.remove("dir/file"),
  "remove of a directory": (tree) => tree.remove(`dir/empty`),
  "making directories": (tree) => tree.makeDirectory("dir/a/b"),
  has: (tree) => tree.has("dir/file"),
  partialOf: (tree) => tree.partialOf("dir/new"),
  ...FOLDER_OPERATIONS,
  async "run that keeps what it replaces and removes, and its undo"(tree) {
    await keepAndChange(tree);
    const facts = { directory: "", who: "me", mayUndo: () => true };
    await undoLast(tree, facts, { onUndone() {}, onFailed() {} });
  },
  async measure(tree) {
    const { files, sizeBytes } = await tree.measure();
    assert(sizeBytes <= files * "inside".length, `${files} files have ${sizeBytes} bytes`);
  },
  async sweep(tree) {
    const now = Date.now;
    Date.now = () => now() + 2 * PARTIAL_AGE_MAX_MS;
    try {
      await tree.sweep();
    } finally {
      Date.now = now;
    }
  },
};

async function keepAndChange(tree: LocalTree): Promise<void> {
  await using keeping = keepIn(tree, "on", { directory: "", who: "me" });
  const folder = await keeping.tree.folder("dir");
  const [staged] = await folder.stage([{ base: "file", bytes: bytesOf("new"), facts: FACTS }]);
  if (!staged || staged instanceof AppError) return;
  await folder.publish([{ base: "file", staged, ifTaken: "replace", sizeBytes: 3, mtimeMs: FACTS.mtimeMs }]);
  await (await folder.folder("sub")).remove("file");
  for (const base of ["empty", "taken"]) await folder.remove(base);
  await keeping.settle!();
}

/** As a tree is made with it, the file of one folder; with another time. */
async function moveBetween(tree: LocalTree, from: string, to: string): Promise<void> {
  const [old, target] = [tree.folder(from), tree.folder(to)];
  const entry = await old.look("file");
  if (!entry) return;
  const moved = [{ base: `from ${from}`, entry, facts: { mtimeMs: FACTS.mtimeMs } }];
  await target.adopt(from, moved);
  await target.flush();
  await old.removeEach([entry]);
  await old.flush();
}

async function putBlocks(tree: LocalTree, end: (draft: Draft) => unknown): Promise<void> {
  const draft = await tree.create("dir/new", FACTS, "error");
  try {
    await draft.startAt(draft.heldBlocks * BLOCK_BYTES);
    for (let block = draft.heldBlocks; block < 2; block++) await draft.write(BLOCK);
    await end(draft);
  } finally {
    await draft.suspend();
  }
}

/** What is swapped, for a link to where. */
const SWAPS = {
  "the directory": { path: "share/dir", link: "../outside" },
  "the root": { path: "share", link: "outside/root" },
  "its parent": { path: ".", link: "" },
  "a file in it": { path: "share/dir/file", link: "../../outside/file" },
  "a directory in it": { path: "share/dir/sub", link: "../../outside/sub" },
} as const;

/** How long it stays swapped. */
const SPANS = ["for one call", "from then on"] as const;

class Stage implements Disposable {
  readonly #directory = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "app-test-", ...memoryIfThere() }));
  readonly path = `${this.#directory}/stage`;
  readonly canaries: readonly Canary[];
  /** Since the tree was opened. */
  calls = -Infinity;

  constructor() {
    for (const directory of ["dir/sub", "dir/empty", "other"]) {
      Deno.mkdirSync(`${this.path}/share/${directory}`, { recursive: true });
    }
    Deno.mkdirSync(`${this.path}/share/dir/taken`); // outside a file has that name
    for (const name of ["dir/file", "dir/sub/file", "other/file", "dir/taken/.app-partial-0"]) {
      Deno.writeTextFileSync(`${this.path}/share/${name}`, "inside");
    }
    const there = ["", "/sub", "/dir", "/dir/sub", "/other", "/root/dir/sub", "/root/other"];
    const canaries = [`${this.path}/outside`, `${this.#directory}/elsewhere/share`];
    this.canaries = canaries.map((path) => new Canary(path, there));
  }

  swap({ path, link }: typeof SWAPS[keyof typeof SWAPS]): void {
    const at = path === "." ? this.path : `${this.path}/${path}`;
    Deno.renameSync(at, `${at}-aside`);
    Deno.symlinkSync(path === "." ? "elsewhere" : link, at);
  }

  swapBack({ path }: typeof SWAPS[keyof typeof SWAPS]): void {
    const at = path === "." ? this.path : `${this.path}/${path}`;
    removeIfThere(FILE_SYSTEM, at); // the operation may have done that
    if (lstatIfThere(FILE_SYSTEM, `${at}-aside`)) Deno.renameSync(`${at}-aside`, at);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#directory, { recursive: true });
  }
}

/** The system, whose call number `swapAt` comes when `before` has run, and is followed by `after`. */
function swapping(stage: Stage, swapAt: number, before: () => void, after: () => void): FileSystem {
  const call = (owner: object, name: string) => (...args: unknown[]) => {
    const isNow = ++stage.calls === swapAt;
    if (isNow) before();
    try {
      if (name === "readDir" && isNow) return readAtOnce(String(args[0]));
      return (Reflect.get(owner, name) as (...args: unknown[]) => unknown).apply(owner, args);
    } finally {
      if (isNow) after();
    }
  };
  return new Proxy({} as FileSystem, { get: (_, name) => call(FILE_SYSTEM, String(name)) });
}

/**
 * The names that are there now, as another thread may find them. Not from `Deno.readDir` itself: in Deno 2.5 that begins
 * to read when it is called, and fails later, unheard, if nobody takes what it gave.
 */
function readAtOnce(path: string): AsyncIterable<Deno.DirEntry> {
  const entries = [...Deno.readDirSync(path)];
  return (async function* () {
    yield* entries;
  })();
}

/** Runs `operation` with the swap at call `swapAt`; whether there was such a call. */
async function play(operation: Operation, swap: keyof typeof SWAPS, span: typeof SPANS[number], swapAt: number) {
  using stage = new Stage();
  const { path } = stage;
  let isSwapped = false;
  const before = () => {
    stage.swap(SWAPS[swap]);
    isSwapped = true;
  };
  const after = () => {
    if (isSwapped) stage.swapBack(SWAPS[swap]);
    isSwapped = false;
  };
  const tree = new LocalTree(
    `${path}/share`,
    swapping(stage, swapAt, before, span === "for one call" ? after : () => {}),
  );
  stage.calls = 0;
  try {
    await operation(tree);
  } catch (error) {
    if (!(error instanceof AppError) || error.code === "internal") throw error;
  } finally {
    after();
  }
  stage.canaries.forEach((canary) => canary.assertUntouched());
  assertNothingArrived(`${path}/share`);
  return stage.calls >= swapAt;
}

for (const swap of Object.keys(SWAPS) as (keyof typeof SWAPS)[]) {
  for (const span of SPANS) {
    Deno.test({
      name: `nothing leaves the root when ${swap} is swapped for a link ${span}, at whatever call`,
      ignore: Deno.build.os === "windows",
      async fn() {
        const faults: string[] = [];
        for (const [name, operation] of Object.entries(OPERATIONS)) {
          let swapAt = 1;
          for (let isThere = true; isThere; swapAt++) {
            isThere = await play(operation, swap, span, swapAt).catch((error) => {
              faults.push(`${name}, at call ${swapAt}: ${String(error).replaceAll(/\s+/g, " ").slice(0, 300)}`);
              return true;
            });
          }
          assert(swapAt > 2, `${name} makes no call`);
        }
        if (faults.length > 0) fail(`It left the root at ${faults.length} points:\n${faults.join("\n")}`);
      },
    });
  }
}
