/** Small files that are kept: changed whole, by one at a time, and for nobody else's eyes. */
import { changeKept, readKept, requirePrivate } from "../../protocol/files/kept_file.ts";
import { assertEquals, assertRejectsCode, assertStringIncludes, assertThrowsCode } from "../support/assert.ts";
import { names } from "../support/names_in.ts";
import { temporaryDirectory } from "../support/program.ts";

const modeOf = (path: string) => Deno.statSync(path).mode! & 0o777;

Deno.test("a file that is kept is made with its folder, for its owner alone, and nothing is left beside it", async () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/new/folder/file`;
  assertEquals(readKept(path), undefined);
  await changeKept(path, (text) => `${text}\n`);
  assertEquals(readKept(path), "undefined\n");
  await changeKept(path, (text) => text + "more\n");
  assertEquals(readKept(path), "undefined\nmore\n");
  await changeKept(path, () => undefined);
  assertEquals(readKept(path), "undefined\nmore\n");
  assertEquals([modeOf(`${directory.path}/new`), modeOf(`${directory.path}/new/folder`), modeOf(path)], [
    0o700,
    0o700,
    0o600,
  ]);
  assertEquals(names(`${directory.path}/new/folder`), ["file", "file.lock"]);
});

Deno.test("no change is lost when many change a file at once", async () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/file`;
  const lines = Array.from({ length: 20 }, (_, index) => `${index}\n`);
  await Promise.all(lines.map((line) => changeKept(path, (text = "") => text + line)));
  assertEquals(readKept(path)!.split("\n").slice(0, -1).map(Number).sort((a, b) => a - b), [...lines.keys()]);
});

Deno.test("what a writer that was killed left is no obstacle, and a change that throws changes nothing", async () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/file`;
  Deno.writeTextFileSync(`${path}.new`, "half");
  await changeKept(path, () => "whole");
  assertEquals(readKept(path), "whole");
  const fail = () => {
    throw new Error("no");
  };
  await changeKept(path, fail).catch(() => {});
  await changeKept(path, (text) => `${text} again`);
  assertEquals(readKept(path), "whole again");
});

Deno.test("a link to the file stays one", async () => {
  using directory = temporaryDirectory();
  Deno.writeTextFileSync(`${directory.path}/real`, "old");
  Deno.symlinkSync("real", `${directory.path}/link`);
  await changeKept(`${directory.path}/link`, (text) => `${text} and new`);
  assertEquals(Deno.readTextFileSync(`${directory.path}/real`), "old and new");
  assertEquals(Deno.readLinkSync(`${directory.path}/link`), "real");
});

Deno.test("what is no regular file is refused without being opened", async () => {
  using directory = temporaryDirectory();
  const fifo = `${directory.path}/fifo`;
  assertEquals(new Deno.Command("mkfifo", { args: [fifo] }).outputSync().code, 0);
  assertThrowsCode(() => readKept(fifo), "not_a_file");
  assertThrowsCode(() => readKept(directory.path), "not_a_file");
  await assertRejectsCode(() => changeKept(directory.path, () => "x"), "not_a_file");
});

// In a process of its own: who opens a pipe waits for its other end, and can then not even be interrupted.
Deno.test("a pipe where the lock should be is refused, and one that is a file is taken", async () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/file`;
  assertEquals(new Deno.Command("mkfifo", { args: [`${path}.lock`] }).outputSync().code, 0);
  const change = async () => {
    const module = new URL("../../protocol/files/kept_file.ts", import.meta.url).href;
    const code = `import { changeKept } from ${JSON.stringify(module)};
      await changeKept(${
      JSON.stringify(path)
    }, () => "x").then(() => console.log("changed"), (e) => console.log(e.code));`;
    const args = ["eval", "--no-check", code];
    const signal = AbortSignal.timeout(30_000); // it would never end by itself
    const { stdout } = await new Deno.Command(Deno.execPath(), { args, signal }).output();
    return new TextDecoder().decode(stdout).trim();
  };
  assertEquals(await change(), "not_a_file");
  assertEquals(readKept(path), undefined);
  Deno.removeSync(`${path}.lock`);
  assertEquals(await change(), "changed");
});

Deno.test("a file that others may read or write is told, with what to do", () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/file`;
  Deno.writeTextFileSync(path, "secret");
  for (const mode of [0o640, 0o604, 0o660, 0o622, 0o644, 0o601]) {
    Deno.chmodSync(path, mode);
    const error = assertThrowsCode(() => requirePrivate(path), "failed");
    assertStringIncludes(error.message, mode.toString(8));
    assertStringIncludes(error.advice, "chmod 600");
  }
  for (const mode of [0o600, 0o400, 0o700]) {
    Deno.chmodSync(path, mode);
    requirePrivate(path);
  }
});

Deno.test("a file that others may change is not read, and one that they may read is", async () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/file`;
  Deno.writeTextFileSync(path, "kept");
  for (const mode of [0o666, 0o620, 0o602]) {
    Deno.chmodSync(path, mode);
    const error = assertThrowsCode(() => readKept(path), "failed");
    assertStringIncludes(error.message, mode.toString(8));
    assertStringIncludes(error.advice, "chmod go-w");
    await assertRejectsCode(() => changeKept(path, () => "planted"), "failed");
  }
  for (const mode of [0o644, 0o600]) {
    Deno.chmodSync(path, mode);
    assertEquals(readKept(path), "kept");
  }
});
