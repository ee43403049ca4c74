/** The shared directory and what its server allows: no good roots, taken names, read-only, and the size limit. */
import { assertEquals } from "../../support/assert.ts";
import { names as namesIn } from "../../support/names_in.ts";
import { runApp, ServerProcess, temporaryDirectory } from "../../support/program.ts";
import { Random } from "../../support/random.ts";
import { NEEDS_LOST_RIGHTS, withMode, WITHOUT_RIGHTS } from "./lost_rights.ts";
import { assertNoDefect, assertRefusals, assertRefused, assertTaken, type Refusal } from "./refusals.ts";

Deno.test("a root that is missing, or no directory, is not shared", async () => {
  using here = temporaryDirectory();
  Deno.writeTextFileSync(`${here.path}/file`, "content");
  Deno.symlinkSync("nowhere", `${here.path}/dangling`);
  const spelling = "Check the spelling, and in which directory you are";
  const rows: readonly (readonly [root: string, says: string, next: string])[] = [
    ["missing", `Cannot share "missing": there is nothing under that name`, spelling],
    ["dangling", `Cannot share "dangling": there is nothing under that name`, spelling],
    ["file", `Cannot share "file": it is not a directory`, "Name the directory that it lies in"],
    ["file/x", `Cannot share "file/x": part of the name is a file`, "Name a directory"],
    ["/dev/null", `Cannot share "/dev/null": it is not a directory`, "Name the directory that it lies in"],
  ];
  await assertRefusals(
    rows.map(([root, says, next], index): Refusal => (
      { args: ["serve", ...(index % 2 ? [root] : ["--root", root]), "--port", "0"], code: 1, says, next }
    )),
    { cwd: here.path },
  );
  Deno.symlinkSync(".", `${here.path}/link`);
  await using server = await ServerProcess.start("link", [], { cwd: here.path });
  await assertTaken([["stat", "127.0.0.1", server.port, "file"]]);
});

Deno.test({
  name: "a root that may not be read is not shared",
  ...NEEDS_LOST_RIGHTS,
  async fn() {
    using here = temporaryDirectory();
    for (const mode of [0o000, 0o311]) {
      using _locked = withMode(here.path, mode);
      await assertRefusals([{
        args: ["serve", here.path, "--port", "0"],
        code: 1,
        says: `Cannot share "${here.path}": the operating system does not allow it`,
        next: "Check the owner and the permissions",
      }], { through: WITHOUT_RIGHTS! });
    }
  },
});

Deno.test({
  name: "a root that may not be written is served, and takes no change",
  ...NEEDS_LOST_RIGHTS,
  async fn() {
    using shared = temporaryDirectory();
    using here = temporaryDirectory();
    Deno.writeTextFileSync(`${shared.path}/file`, "content");
    using _unwritable = withMode(shared.path, 0o555);
    await using server = await ServerProcess.start(shared.path, ["--allow-remove"], { through: WITHOUT_RIGHTS! });
    const there = ["127.0.0.1", server.port];
    const next = "Ask the server's owner";
    const says = "the operating system does not allow it";
    await assertRefusals([
      { args: ["put", ...there, "/etc/hosts"], code: 1, says: `Cannot store "hosts": ${says}`, next },
      { args: ["put", ...there, "/etc/hosts", "--as", "a/b"], code: 1, says: `Cannot store "a/b": ${says}`, next },
      { args: ["mkdir", ...there, "new"], code: 1, says: `Cannot make "new": ${says}`, next },
      { args: ["move", ...there, "file", "other"], code: 1, says: `Cannot move "file": ${says}`, next },
      { args: ["remove", ...there, "file"], code: 1, says: `Cannot remove "file": ${says}`, next },
    ]);
    await assertTaken([["get", ...there, "file"], ["list", ...there]], { cwd: here.path });
    assertEquals([namesIn(shared.path), namesIn(here.path)], [["file"], ["file"]]);
    assertNoDefect((await server.stop()).log);
  },
});

Deno.test("a taken name is refused on both sides, and nothing is replaced without the right to it", async () => {
  using shared = temporaryDirectory();
  using here = temporaryDirectory();
  for (const [path, content] of [[shared.path, "theirs"], [here.path, "mine"]] as const) {
    Deno.writeTextFileSync(`${path}/taken`, content);
    Deno.mkdirSync(`${path}/directory`);
  }
  await using server = await ServerProcess.start(shared.path, ["--allow-remove"]);
  const there = ["127.0.0.1", server.port];
  const choose = "Choose another name, or say --if-exists skip, rename or replace";
  const rows: readonly (readonly [args: string[], says: string, next: string])[] = [
    [["put", ...there, "taken"], `Cannot store "taken": the name is taken`, choose],
    [["put", ...there, "taken", "--as", "directory"], `Cannot store "directory": the name is taken`, choose],
    [["put", ...there, "-", "--as", "taken"], `Cannot store "taken": the name is taken`, choose],
    [["put", ...there, "taken", "--if-exists", "replace"], `"taken": the server does not let`, "--allow-overwrite"],
    [["move", ...there, "taken", "directory"], `"directory": the name is taken`, choose],
    [["get", ...there, "taken"], `Cannot get "taken": the name is taken here`, "Say --output"],
    [["get", ...there, "taken", "--output", "directory/../taken"], `the name is taken here`, "Say --output"],
  ];
  await assertRefusals(rows.map(([args, says, next]) => ({ args, code: 1, says, next })), { cwd: here.path });
  assertEquals(Deno.readTextFileSync(`${shared.path}/taken`), "theirs");
  assertEquals(Deno.readTextFileSync(`${here.path}/taken`), "mine");
  await assertTaken([
    ["put", ...there, "taken", "--if-exists", "rename"],
    ["get", ...there, "taken", "--if-exists", "rename"],
    ["put", ...there, "taken", "--if-exists", "skip"],
    ["get", ...there, "taken", "--if-exists", "skip"],
  ], { cwd: here.path });
  assertEquals(Deno.readTextFileSync(`${shared.path}/taken (2)`), "mine");
  assertEquals(namesIn(shared.path), ["directory", "taken", "taken (2)"]);
});

Deno.test("a read-only server takes no change of any kind, and goes on being read", async () => {
  using shared = temporaryDirectory();
  using here = temporaryDirectory();
  Deno.writeTextFileSync(`${shared.path}/file`, "content");
  Deno.writeFileSync(`${here.path}/big`, new Random(1).bytes(2_000_000));
  await using server = await ServerProcess.start(shared.path, ["--read-only", "--allow-overwrite", "--allow-remove"]);
  const there = ["127.0.0.1", server.port];
  const changes = [
    ["put", ...there, "/etc/hosts"],
    ["put", ...there, "big"],
    ["put", ...there, "-", "--as", "piped"],
    ["put", ...there, "/etc/hosts", "--as", "file", "--if-exists", "replace"],
    ["mkdir", ...there, "new"],
    ["move", ...there, "file", "other"],
    ["remove", ...there, "file"],
  ];
  await assertRefusals(
    changes.map((args) => ({
      args,
      code: 1,
      says: ": the server is read-only",
      next: "Ask its owner to start it without --read-only",
    })),
    { cwd: here.path },
  );
  await assertTaken([["get", ...there, "file"], ["stat", ...there, "file"], ["digest", ...there, "file"]], {
    cwd: here.path,
  });
  assertEquals([namesIn(shared.path), Deno.readTextFileSync(`${here.path}/file`)], [["file"], "content"]);
});

const LIMIT_BYTES = 1_500_000;

Deno.test("what is over the size limit is refused, of known size or from a pipe, and leaves nothing", async () => {
  using shared = temporaryDirectory();
  using here = temporaryDirectory();
  const over = new Random(2).bytes(LIMIT_BYTES + 1);
  const far = new Random(2).bytes(20 * LIMIT_BYTES);
  Deno.writeFileSync(`${here.path}/over`, over);
  Deno.writeFileSync(`${here.path}/at`, over.subarray(1));
  await using server = await ServerProcess.start(shared.path, ["--max-file-size", String(LIMIT_BYTES)]);
  const put = ["put", "127.0.0.1", server.port];
  const refusal = { code: 1, says: `are not taken`, next: "larger --max-file-size" };
  await assertRefusals([{ ...refusal, args: [...put, "over"] }], { cwd: here.path });
  const piped: Refusal = {
    ...refusal,
    args: [...put, "-", "--as", "piped"],
    says: `larger than the ${LIMIT_BYTES} bytes`,
  };
  for (const stdin of [over, far]) assertRefused(await runApp(piped.args, { stdin }), piped);
  assertEquals(namesIn(shared.path), []);
  await assertTaken([[...put, "at"]], { cwd: here.path });
  assertEquals((await runApp([...put, "-", "--as", "piped"], { stdin: over.subarray(1) })).code, 0);
  assertEquals(namesIn(shared.path), ["at", "piped"]);
  assertEquals(Deno.readFileSync(`${shared.path}/piped`), over.subarray(1));
});
