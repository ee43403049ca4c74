/** Opening: what is not a regular file is never opened, and what is opened is what was looked at. */
import { resolve } from "node:path";
import { openLocalFile } from "../../protocol/files/local_file.ts";
import { systemCode } from "../../protocol/files/fs_errors.ts";
import { loadOpenToRead, openToRead } from "../../protocol/files/read_handle.ts";
import { AppError } from "../../protocol/errors.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertRejectsCode,
  assertThrows,
  assertThrowsCode,
} from "../support/assert.ts";
import { makePipe } from "./special_files.ts";
import { bytesOf, fileSystemWith, readAll, store, TemporaryTree, textOf } from "./temporary_tree.ts";

/** An `openToRead` that remembers what it opened, and before that does `first`. */
function watchedOpen(opened: string[], first: () => void = () => {}): typeof openToRead {
  return (path) => {
    opened.push(resolve(path));
    first();
    return openToRead(path);
  };
}

Deno.test("a pipe and a directory are refused without being opened, which could block for ever", async () => {
  const opened: string[] = [];
  using temporary = new TemporaryTree({ openToRead: watchedOpen(opened) });
  makePipe(temporary.at("pipe"));
  Deno.symlinkSync("pipe", temporary.at("link"));
  Deno.mkdirSync(temporary.at("dir"));
  await assertRejectsCode(() => temporary.tree.open("pipe"), "not_a_file");
  await assertRejectsCode(() => temporary.tree.open("link"), "not_a_file");
  await assertRejectsCode(() => temporary.tree.open("dir"), "is_directory");
  await assertRejectsCode(() => temporary.tree.open(""), "bad_name");
  assertEquals(opened, []);
  assertEquals(temporary.tree.stat("pipe").kind, "other");

  temporary.file("file");
  (await temporary.tree.open("file"))[Symbol.dispose]();
  assertEquals(opened, [temporary.at("file")]);
});

Deno.test("a local file that is named by its path is looked at before it is opened, too", async () => {
  const opened: string[] = [];
  const openSync: typeof Deno.openSync = (path, options) => {
    opened.push(String(path));
    return Deno.openSync(path, options);
  };
  const fs = fileSystemWith({ openSync });
  using temporary = new TemporaryTree();
  makePipe(temporary.at("pipe"));
  assertThrowsCode(() => openLocalFile(temporary.at("pipe"), fs), "not_a_file");
  assertThrowsCode(() => openLocalFile(temporary.path, fs), "is_directory");
  assertThrowsCode(() => openLocalFile(temporary.at("missing"), fs), "not_found");
  assertThrowsCode(() => openLocalFile(`${temporary.at("pipe")}/x`, fs), "not_a_directory");
  assertEquals(opened, []);

  temporary.file("file", "content");
  Deno.symlinkSync(temporary.at("file"), `${temporary.outside}/link`);
  for (const path of [temporary.at("file"), `${temporary.outside}/link`]) {
    using source = openLocalFile(path, fs);
    assertEquals(textOf(await readAll(source)), "content");
    source.verifyUnchanged();
  }
});

Deno.test("a file that is exchanged between the look and the opening is refused", async () => {
  let exchange = () => {};
  using temporary = new TemporaryTree({ openToRead: watchedOpen([], () => exchange()) });
  temporary.file("file", "the one that was looked at");
  temporary.file("other", "another one");
  exchange = () => Deno.renameSync(temporary.at("other"), temporary.at("file"));
  await assertRejectsCode(() => temporary.tree.open("file"), "source_changed");

  exchange = () => {};
  (await temporary.tree.open("file"))[Symbol.dispose]();
});

Deno.test("a directory that has got the number of the file that was looked at is no file", async () => {
  let isDirectory = false;
  using temporary = new TemporaryTree({
    openToRead(path) {
      const file = openToRead(path);
      const look = file.stat();
      file.stat = () => ({ ...look, isFile: !isDirectory, isDirectory, size: isDirectory ? 0 : look.size });
      return file;
    },
  });
  temporary.file("file");
  (await temporary.tree.open("file"))[Symbol.dispose]();
  isDirectory = true;
  await assertRejectsCode(() => temporary.tree.open("file"), "source_changed");
});

Deno.test("a file that is exchanged for a link to outside is refused", async () => {
  let exchange = () => {};
  using temporary = new TemporaryTree({ openToRead: watchedOpen([], () => exchange()) });
  Deno.writeTextFileSync(`${temporary.outside}/secret`, "secret");
  temporary.file("file");
  exchange = () => {
    Deno.removeSync(temporary.at("file"));
    Deno.symlinkSync("../outside/secret", temporary.at("file"));
  };
  await assertRejectsCode(() => temporary.tree.open("file"), "source_changed");
});

Deno.test("a parent that is exchanged for a link to outside changes nothing: what was looked at is opened", async () => {
  let exchange = () => {};
  using temporary = new TemporaryTree({ openToRead: watchedOpen([], () => exchange()) });
  temporary.file("dir/file", "inside");
  Deno.writeTextFileSync(`${temporary.outside}/file`, "secret");
  exchange = () => {
    Deno.renameSync(temporary.at("dir"), temporary.at("gone"));
    Deno.symlinkSync("../outside", temporary.at("dir"));
  };
  using source = await temporary.tree.open("dir/file");
  assertEquals(textOf(await readAll(source)), "inside");
  await assertRejectsCode(() => temporary.tree.open("dir/file"), "outside");
});

Deno.test("a file that vanishes between the look and the opening is not found", async () => {
  let exchange = () => {};
  using temporary = new TemporaryTree({ openToRead: watchedOpen([], () => exchange()) });
  temporary.file("file");
  exchange = () => Deno.removeSync(temporary.at("file"));
  await assertRejectsCode(() => temporary.tree.open("file"), "not_found");
});

Deno.test("a file that vanishes right after it was opened is refused without telling where it was", async () => {
  using temporary = new TemporaryTree({
    openToRead(path) {
      const file = openToRead(path);
      Deno.removeSync(path);
      file.stat = () => {
        throw new Deno.errors.NotFound(`lstat '${temporary.path}/${path}'`);
      };
      return file;
    },
  });
  temporary.file("file");
  const { message } = await assertRejects(() => temporary.tree.open("file"), AppError);
  assert(!message.includes(temporary.path), message);
});

Deno.test("what is read is never opened through a link", async () => {
  using temporary = new TemporaryTree();
  temporary.file("file");
  Deno.symlinkSync("file", temporary.at("link"));
  await loadOpenToRead();
  assertEquals(systemCode(assertThrows(() => openToRead(temporary.at("link")), Error)), "ELOOP");
  openToRead(temporary.at("file")).close();
});

Deno.test("what was stored just now is opened again only if it is a file still, and inside", async () => {
  using temporary = new TemporaryTree();
  const { tree } = temporary;
  assertEquals(await store(tree, "dir/file", bytesOf("content")), "dir/file");
  using source = tree.openStored("dir/file");
  assertEquals([textOf(await readAll(source)), source.entry.sizeBytes], ["content", 7]);
  makePipe(temporary.at("pipe"));
  Deno.writeTextFileSync(`${temporary.outside}/secret`, "secret");
  Deno.symlinkSync("../outside/secret", temporary.at("out"));
  assertThrowsCode(() => tree.openStored("pipe"), "source_changed");
  assertThrowsCode(() => tree.openStored("out"), "outside");
  assertThrowsCode(() => tree.openStored("missing"), "not_found");
});
