/** Files that cannot be sent, served or stored: missing, directories, pipes, devices, sockets, and unreadable ones. */
import { assertEquals } from "../../support/assert.ts";
import { names as namesIn } from "../../support/names_in.ts";
import { runApp, ServerProcess, temporaryDirectory } from "../../support/program.ts";
import { NEEDS_LOST_RIGHTS, withMode, WITHOUT_RIGHTS } from "./lost_rights.ts";
import { assertNoDefect, assertRefusals, assertTaken, canMakeSpecialFiles, type Refusal } from "./refusals.ts";

const OWNER = "Ask the server's owner to check who may do that with its files";
const OURS = "Check the owner and the permissions of it, and of the directory that it is in";

/** Makes a pipe, a socket, a link to nothing and a link to a device in `path`; the socket lives until it is disposed. */
function makeSpecialFiles(path: string): Disposable {
  new Deno.Command("mkfifo", { args: [`${path}/pipe`] }).outputSync();
  Deno.symlinkSync("nowhere", `${path}/dangling`);
  Deno.symlinkSync("/dev/zero", `${path}/zero`);
  const socket = Deno.listen({ transport: "unix", path: `${path}/socket` });
  return { [Symbol.dispose]: () => socket.close() };
}

Deno.test({
  name: "what is no file here is not put, and never waited for",
  ignore: !canMakeSpecialFiles(),
  async fn() {
    using shared = temporaryDirectory();
    using here = temporaryDirectory();
    using _socket = makeSpecialFiles(here.path);
    Deno.mkdirSync(`${here.path}/directory`);
    Deno.writeTextFileSync(`${here.path}/file`, "content");
    Deno.symlinkSync("file", `${here.path}/link`);
    await using server = await ServerProcess.start(shared.path);
    const rows: readonly (readonly [path: string, says: string, next: string])[] = [
      ["missing", `Cannot open "missing": there is nothing under that name`, "Check the spelling"],
      ["file/x", `Cannot open "file/x": part of the name is a file`, "Name a directory"],
      [".", `Cannot tell a name from "."`, "--as NAME"],
      ["/", `Cannot tell a name from "/"`, "--as NAME"],
      ["pipe", `Cannot send "pipe": it is not a regular file`, "put HOST PORT - --as NAME"],
      ["socket", `Cannot send "socket": it is not a regular file`, "put HOST PORT - --as NAME"],
      ["dangling", `Cannot open "dangling": there is nothing under that name`, "Check the spelling"],
      ["zero", `Cannot send "zero": it is not a regular file`, "put HOST PORT - --as NAME"],
      ["/dev/zero", `Cannot send "/dev/zero": it is not a regular file`, "put HOST PORT - --as NAME"],
    ];
    const put = ["put", "127.0.0.1", server.port];
    await assertRefusals(rows.map(([path, says, next]) => ({ args: [...put, path], code: 1, says, next })), {
      cwd: here.path,
    });
    assertEquals(namesIn(shared.path), []);
    await assertTaken([[...put, "file"], [...put, "link"], [...put, "directory/"]], { cwd: here.path });
    assertEquals(namesIn(shared.path), ["directory", "file", "link"]);
  },
});

Deno.test({
  name: "what is no file in the shared directory is not got, and never waited for",
  ignore: !canMakeSpecialFiles(),
  async fn() {
    using shared = temporaryDirectory();
    using here = temporaryDirectory();
    using _socket = makeSpecialFiles(shared.path);
    Deno.mkdirSync(`${shared.path}/directory`);
    Deno.writeTextFileSync(`${shared.path}/file`, "content");
    await using server = await ServerProcess.start(shared.path, ["--allow-overwrite", "--allow-remove"]);
    const there = ["127.0.0.1", server.port];
    const notRegular = "Only regular files and directories are shared";
    const rows: readonly (readonly [args: string[], says: string, next: string])[] = [
      [["get", ...there, "missing"], `"missing": there is nothing`, `app list 127.0.0.1 ${server.port}`],
      [["get", ...there, "file/x"], `"file/x": part of the name is a file`, "Name a directory"],
      [
        ["get", ...there, "directory", "--output", "-"],
        `"directory": it is a directory`,
        `app list 127.0.0.1 ${server.port} DIR`,
      ],
      [["get", ...there, "pipe"], `"pipe": it is not a regular file`, notRegular],
      [["digest", ...there, "pipe"], `"pipe": it is not a regular file`, notRegular],
      [["get", ...there, "socket"], `"socket": it is not a regular file`, notRegular],
      [["get", ...there, "dangling"], `"dangling": there is nothing`, "app list"],
      [
        ["get", ...there, "zero"],
        `"zero": a link in it leads out of the shared directory`,
        "inside the shared directory",
      ],
      [["list", ...there, "file"], `Cannot list "file": it is not a directory`, "Name a directory"],
      [["put", ...there, "/etc/hosts", "--as", "pipe", "--if-exists", "replace"], `"pipe": it is no file`, notRegular],
      [["put", ...there, "/etc/hosts", "--as", "pipe"], `"pipe": the name is taken`, "--if-exists"],
    ];
    await assertRefusals(rows.map(([args, says, next]) => ({ args, code: 1, says, next })), { cwd: here.path });
    assertEquals(namesIn(here.path), []);
    await assertTaken([["stat", ...there, "pipe", "socket"], ["get", ...there, "file"]], { cwd: here.path });
    assertEquals(namesIn(here.path), ["file"]);
    assertNoDefect((await server.stop()).log);
  },
});

Deno.test({
  name: "output that is neither a new file nor a directory is refused before anything is sent",
  ignore: !canMakeSpecialFiles(),
  async fn() {
    using shared = temporaryDirectory();
    using here = temporaryDirectory();
    using _socket = makeSpecialFiles(here.path);
    Deno.writeTextFileSync(`${shared.path}/file`, "content");
    Deno.writeTextFileSync(`${here.path}/plain`, "mine");
    await using server = await ServerProcess.start(shared.path);
    const rows: readonly (readonly [output: string, says: string, next: string])[] = [
      ["pipe", `Cannot store anything in "pipe": it is not a regular file`, "Say --output - and redirect it"],
      ["socket", `Cannot store anything in "socket": it is not a regular file`, "Say --output - and redirect it"],
      ["/dev/null", `Cannot store anything in "/dev/null": it is not a regular file`, "Say --output -"],
      ["plain/", `Cannot store anything in "plain/": it is not a directory`, "Name a directory"],
      ["pipe/", `Cannot store anything in "pipe/": it is not a directory`, "Name a directory"],
      ["plain/x", `Cannot store anything in "plain": it is not a directory`, "Name a directory"],
      ["plain/x/y", `Cannot store anything in "plain/x": part of the name is a file`, "Name a directory"],
      ["plain", `Cannot get "plain": the name is taken here`, "--output to choose another"],
      ["dangling", `Cannot get "dangling": the name is taken here`, "--output to choose another"],
      ["..x.", `Cannot use the name "..x.": it has a part that ends in a dot or a space`, "--output"],
    ];
    const get = ["get", "127.0.0.1", server.port, "file"];
    const before = namesIn(here.path);
    await assertRefusals(
      rows.map(([output, says, next]) => ({ args: [...get, "--output", output], code: 1, says, next })),
      { cwd: here.path },
    );
    assertEquals([namesIn(here.path), Deno.readTextFileSync(`${here.path}/plain`)], [before, "mine"]);
    await assertTaken([[...get, "--output", "new/dir/"], [...get, "--output", "plain", "--if-exists", "replace"]], {
      cwd: here.path,
    });
    assertEquals(Deno.readTextFileSync(`${here.path}/new/dir/file`), "content");
    assertEquals(Deno.readTextFileSync(`${here.path}/plain`), "content");
    const { code, stdout } = await runApp([...get, "--output", "-"]);
    assertEquals([code, stdout], [0, "content"]);
  },
});

Deno.test({
  name: "files and directories that may not be read or written are told as that, on either side",
  ...NEEDS_LOST_RIGHTS,
  async fn() {
    using shared = temporaryDirectory();
    using here = temporaryDirectory();
    Deno.writeTextFileSync(`${shared.path}/open`, "content");
    for (const locked of [`${shared.path}/locked`, `${here.path}/locked`]) {
      Deno.writeTextFileSync(locked, "secret");
      Deno.chmodSync(locked, 0o000);
    }
    for (const name of ["unwritable", "unsearchable"]) Deno.mkdirSync(`${here.path}/${name}`);
    using _unwritable = withMode(`${here.path}/unwritable`, 0o555);
    using _unsearchable = withMode(`${here.path}/unsearchable`, 0o000);
    const options = { cwd: here.path, through: WITHOUT_RIGHTS! };
    await using server = await ServerProcess.start(shared.path, [], options);
    const there = ["127.0.0.1", server.port];
    const get = ["get", ...there, "open", "--output"];
    const rows: readonly (readonly [args: string[], says: string, next: string])[] = [
      [["get", ...there, "locked", "-o", "new"], `Cannot open "locked": the operating system does not allow it`, OWNER],
      [["digest", ...there, "locked"], `Cannot open "locked"`, OWNER],
      [
        ["put", ...there, "locked", "--as", "new"],
        `Cannot open "locked": the operating system does not allow it`,
        OURS,
      ],
      [[...get, "unwritable/x"], `Cannot store "x": the operating system does not allow it`, OURS],
      [[...get, "unwritable/"], `Cannot store "open": the operating system does not allow it`, OURS],
      [[...get, "unwritable/new/x"], `Cannot store anything in "unwritable/new"`, OURS],
      [[...get, "unsearchable/x"], `"x": the operating system does not allow it`, OURS],
      [[...get, "unsearchable/x", "--if-exists", "replace"], `"x": the operating system does not allow it`, OURS],
    ];
    const refusals = rows.map(([args, says, next]): Refusal => ({ args, code: 1, says, next }));
    await assertRefusals(refusals, options);
    assertEquals([namesIn(shared.path), namesIn(here.path)], [["locked", "open"], [
      "locked",
      "unsearchable",
      "unwritable",
    ]]);
    await assertTaken([["get", ...there, "open"], ["stat", ...there, "locked"]], options);
    assertNoDefect((await server.stop()).log);
  },
});
