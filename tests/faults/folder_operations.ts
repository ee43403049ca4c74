/** Every call of a folder of a tree, on the directory "dir", each of which looks at its answer: nothing of it is a canary's. */
import { AppError } from "../../protocol/errors.ts";
import type { LocalTree } from "../../protocol/files/local_tree.ts";
import type { Folder } from "../../protocol/files/tree.ts";
import { bytesOf, readAll, textOf } from "../files/temporary_tree.ts";
import { assert } from "../support/assert.ts";
import { ONLY_OUTSIDE, SECRET } from "../support/canary.ts";

const FACTS = { mtimeMs: 1_600_000_000_000, permissions: 0o710 };
const LINK = { target: "file", mtimeMs: FACTS.mtimeMs };

type Operation = (folder: Folder) => unknown;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  async scan(folder) {
    for await (const { entries } of folder.scan()) {
      for (const { name, sizeBytes } of entries) {
        assert(!name.startsWith(ONLY_OUTSIDE) && sizeBytes !== SECRET.length, name);
      }
    }
  },
  async look(folder) {
    assert((await folder.look("file"))?.sizeBytes !== SECRET.length);
  },
  async open(folder) {
    using source = await folder.open("file");
    assert(!textOf(await readAll(source)).includes(SECRET));
  },
  async readEach(folder) {
    const file = await folder.look("file");
    const into = new Uint8Array(2 * SECRET.length);
    if (file) await folder.readEach([file], into, () => assert(!textOf(into).includes(SECRET)));
  },
  "store of a new file": (folder) => store(folder, "new", "error"),
  "store that replaces": (folder) => store(folder, "file", "replace"),
  "store that steps aside": (folder) => store(folder, "file", "rename"),
  makeDirectory: (folder) => folder.makeDirectory("made", 0o755),
  makeLink: (folder) => folder.makeLink({ ...LINK, base: "made" }, "error"),
  "makeLink that replaces": (folder) => folder.makeLink({ ...LINK, base: "file" }, "replace"),
  "adjust of a file": (folder) => adjust(folder, "file"),
  "adjust of a directory": (folder) => adjust(folder, "sub"),
  "adjust of the folder itself": (folder) => adjust(folder, ""),
  "remove of a file": (folder) => folder.remove("file"),
  "remove of a directory": (folder) => folder.remove("empty"),
  "remove of a directory with leftovers": (folder) => folder.remove("taken"),
  flush: (folder) => folder.flush(),
};

/** Name -> the operation, on a tree. */
export const FOLDER_OPERATIONS: Readonly<Record<string, (tree: LocalTree, name?: string) => Promise<void>>> = Object
  .fromEntries(
    Object.entries(OPERATIONS).map(([what, operation]) => [
      `folder: ${what}`,
      async (tree, name = "dir") => void await operation(tree.folder(name)),
    ]),
  );

async function store(folder: Folder, base: string, ifTaken: "error" | "replace" | "rename"): Promise<void> {
  const bytes = bytesOf("inside");
  const staged = ended((await folder.stage([{ base, bytes, facts: FACTS }]))[0]!);
  try {
    await staged.flush();
    const { mtimeMs } = FACTS;
    ended((await folder.publish([{ base, staged, ifTaken, sizeBytes: bytes.length, mtimeMs }]))[0]!);
  } catch (error) {
    await staged.discard();
    throw error;
  }
}

async function adjust(folder: Folder, base: string): Promise<void> {
  const expected = base === "file" ? await folder.look(base) : "directory";
  if (expected) await ended((await folder.adjust([{ base, facts: FACTS, expected }]))[0]!).flush();
}

function ended<T>(result: T | AppError): T {
  if (result instanceof AppError) throw result;
  return result;
}
