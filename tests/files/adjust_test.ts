/** Other times and bits for what is there: of the entry itself, and of nothing that came in its place. */
import { AppError } from "../../protocol/errors.ts";
import type { FolderEntry } from "../../protocol/files/tree.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { TemporaryTree } from "./temporary_tree.ts";

const FACTS = { mtimeMs: 1_600_000_000_123, permissions: 0o711 };

/** Adjusts `base` and flushes it; the error's code if it could not. */
async function adjust({ tree }: TemporaryTree, base: string, looked?: FolderEntry): Promise<string> {
  const expected = looked ?? await tree.folder("").look(base || ".") ?? "directory";
  const [adjusted] = await tree.folder("").adjust([{ base, facts: FACTS, expected }]);
  if (adjusted instanceof AppError) return adjusted.code;
  await adjusted!.flush();
  return "done";
}

function factsOf(temporary: TemporaryTree, base: string): unknown {
  const { mode, mtime } = Deno.lstatSync(temporary.at(base));
  return [mode! & 0o777, mtime?.getTime()];
}

Deno.test("a file, a directory and the folder itself get time and bits, a link only a time, and what it leads to nothing", async () => {
  using temporary = new TemporaryTree();
  temporary.file("file");
  temporary.file("d/in");
  Deno.symlinkSync("untouched", temporary.at("link"));
  temporary.file("untouched");
  const before = factsOf(temporary, "untouched");
  for (const base of ["file", "d", "link", ""]) assertEquals(await adjust(temporary, base), "done", base);
  for (const base of ["file", "d", ""]) assertEquals(factsOf(temporary, base), [0o711, FACTS.mtimeMs], base);
  assertEquals(Deno.lstatSync(temporary.at("link")).mtime?.getTime(), FACTS.mtimeMs);
  assertEquals(factsOf(temporary, "untouched"), before);
});

Deno.test("what is not any more what it was when it was looked at is left as it is", async () => {
  const changes: readonly ((path: string) => void)[] = [
    (path) => Deno.writeTextFileSync(path, "longer than it was"),
    (path) => Deno.utimeSync(path, 1, 1),
    (path) => {
      const { mtime } = Deno.statSync(path);
      Deno.writeTextFileSync(`${path}.new`, Deno.readTextFileSync(path));
      Deno.utimeSync(`${path}.new`, mtime!, mtime!);
      Deno.renameSync(`${path}.new`, path);
    },
  ];
  for (const change of changes) {
    using temporary = new TemporaryTree();
    temporary.file("file");
    const looked = await temporary.tree.folder("").look("file");
    assert(looked);
    change(temporary.at("file"));
    const now = factsOf(temporary, "file");
    assertEquals([await adjust(temporary, "file", looked), factsOf(temporary, "file")], ["busy", now]);
    assertEquals(await adjust(temporary, "file", await temporary.tree.folder("").look("file")), "done");
  }
});

Deno.test("what is no file, directory or link is not opened to be changed", async () => {
  using temporary = new TemporaryTree();
  await new Deno.Command("mkfifo", { args: [temporary.at("pipe")] }).output();
  assertEquals([await adjust(temporary, "pipe"), await adjust(temporary, "missing")], ["source_changed", "not_found"]);
});
