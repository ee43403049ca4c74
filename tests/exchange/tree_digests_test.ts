/** Digests of files as they were scanned: right for small and large ones, none for what is not that any more. */
import { AppError } from "../../protocol/errors.ts";
import { digestsOf } from "../../protocol/exchange/tree_digests.ts";
import type { Folder, FolderEntry } from "../../protocol/files/tree.ts";
import { TemporaryTree } from "../files/temporary_tree.ts";
import { assertEquals, assertRejectsCode } from "../support/assert.ts";
import { Random } from "../support/random.ts";

async function scanned(folder: Folder): Promise<FolderEntry[]> {
  return (await Array.fromAsync(folder.scan())).flatMap(({ entries }) => entries);
}

async function blake2b(bytes: Uint8Array): Promise<string> {
  const { createHash } = await import("node:crypto");
  return createHash("blake2b512").update(bytes).digest("hex").slice(0, 32);
}

/** In hexadecimal digits. */
async function shownDigestsOf(files: Parameters<typeof digestsOf>[0]): Promise<(string | undefined)[]> {
  const hex = (digest: Uint8Array) => [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return (await digestsOf(files, () => {})).map((digest) => digest && hex(digest));
}

/** Files of which some are read together and some are not. */
const SIZES = [1, 5_000, 70_000, 70_000, 131_072, 131_073, 1_000_000, ...Array(40).fill(10)];

Deno.test("files of any size, read together or not, have the digests of their content, in their order", async () => {
  using temporary = new TemporaryTree();
  const random = new Random(1);
  for (const [index, size] of SIZES.entries()) temporary.file(`${100 + index}`, random.bytes(size));
  temporary.file("d/x", "x");
  const folder = temporary.tree.folder("");
  const entries = (await scanned(folder)).filter(({ kind }) => kind === "file");
  const other = temporary.tree.folder("d");
  const inOther = { folder: other, entry: (await scanned(other))[0]! };
  const files = entries.flatMap((entry) => [{ folder, entry }, ...entry.sizeBytes === 10 ? [] : [inOther, undefined]]);
  const expected = await Promise.all(
    files.map((file) => file && blake2b(Deno.readFileSync(`${temporary.path}/${file.folder.name}/${file.entry.name}`))),
  );
  assertEquals(await shownDigestsOf(files), expected);
});

Deno.test("what changed since it was scanned, or has gone, has none, and the others have theirs", async () => {
  using temporary = new TemporaryTree();
  const large = new Uint8Array(200_000);
  const names = ["changed", "gone", "large", "same"];
  names.forEach((name) => temporary.file(name, name === "large" ? large : "content"));
  const folder = temporary.tree.folder("");
  const entries = await scanned(folder);
  temporary.file("changed", "CONTENT");
  Deno.utimeSync(temporary.at("changed"), 1, 1);
  temporary.file("large", large.fill(1));
  Deno.utimeSync(temporary.at("large"), 1, 1);
  Deno.removeSync(temporary.at("gone"));
  const same = await blake2b(new TextEncoder().encode("content"));
  const files = entries.map((entry) => ({ folder, entry }));
  assertEquals(await shownDigestsOf(files), [undefined, undefined, undefined, same]);
  for (const [index, file] of files.entries()) {
    assertEquals(await shownDigestsOf([file]), [index === 3 ? same : undefined], "alone");
  }
});

Deno.test("a file that changes while it is read has none", async () => {
  using temporary = new TemporaryTree();
  temporary.file("a", new Uint8Array(600_000));
  const inner = temporary.tree.folder("");
  const [entry] = await scanned(inner);
  for (const isChanged of [false, true]) {
    const folder = Object.create(inner, {
      open: {
        async value(base: string) {
          const source = await inner.open(base);
          return Object.create(source, {
            entry: { value: source.entry },
            readAt: {
              value(offset: number, into: Uint8Array) {
                if (isChanged && offset > 0) Deno.utimeSync(temporary.at("a"), 1, 1);
                return source.readAt(offset, into);
              },
            },
            verifyUnchanged: { value: () => source.verifyUnchanged() },
            [Symbol.dispose]: { value: () => source[Symbol.dispose]() },
          });
        },
      },
    }) as Folder;
    const [digest] = await shownDigestsOf([{ folder, entry: entry! }]);
    assertEquals(digest === undefined, isChanged);
  }
});

Deno.test("who does not want them any more ends it", async () => {
  using temporary = new TemporaryTree();
  temporary.file("a");
  const folder = temporary.tree.folder("");
  const [entry] = await scanned(folder);
  const gone = () => {
    throw new AppError("lost", "gone");
  };
  await assertRejectsCode(() => digestsOf([{ folder, entry: entry! }], gone), "lost");
});
