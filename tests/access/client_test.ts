/** Commands with links, and where links come from. */
import { getCommand } from "../../client/commands/get.ts";
import { listCommand, statCommand } from "../../client/commands/look.ts";
import { mkdirCommand, moveCommand, removeCommand } from "../../client/commands/change.ts";
import { putCommand } from "../../client/commands/put.ts";
import { capitalCommand } from "../../client/commands/countries.ts";
import { shellCommand } from "../../client/commands/shell.ts";
import { CLIENT_COMMANDS } from "../../client/commands/mod.ts";
import { SessionHolder } from "../../client/session_holder.ts";
import { Shell } from "../../client/shell/shell.ts";
import { Report } from "../../client/report.ts";
import type { Command } from "../../protocol/cli/command.ts";
import { parseLine } from "../../protocol/cli/parse.ts";
import { formatLink } from "../../protocol/wire/link.ts";
import { FakeTerminal, NEVER_INTERRUPTED } from "../cli/fake_terminal.ts";
import { assert, assertEquals, assertRejectsCode, assertStringIncludes } from "../support/assert.ts";
import { temporaryDirectory } from "../support/program.ts";
import { CHANNELS, KEY, type Linked, startLinked } from "./linked.ts";

/** Runs a command as the program does, over a connection that shows its link. */
async function run(command: Command, args: readonly string[], secret: string, linked: Linked): Promise<string[]> {
  const terminal = new FakeTerminal();
  await using holder = new SessionHolder(CHANNELS[0].dial);
  const target = { host: "127.0.0.1", port: linked.served.port, secret };
  await holder.session({ target, agent: "test", timeoutMs: 10_000 });
  const { words, options } = parseLine(command, args);
  const input = {
    words,
    options: options as never,
    terminal,
    interruption: NEVER_INTERRUPTED,
    version: "test",
    holder,
  };
  const code = await command.run(input);
  assertEquals(code, 0, terminal.noted);
  return terminal.results;
}

Deno.test("every command takes a link where it takes HOST PORT", async () => {
  await using linked = startLinked({ "in/a.txt": "one", "in/b.txt": "two", "c.txt": "three" }, { allowRemove: true });
  using here = temporaryDirectory();
  Deno.writeTextFileSync(`${here.path}/new.txt`, "new");
  const secret = await linked.link({ right: "write" });
  const linkTo = (path: string) => formatLink({ host: "127.0.0.1", port: linked.served.port, path, key: KEY, secret });
  const app = (command: Command, path: string, ...more: string[]) =>
    run(command, [linkTo(path), ...more], secret, linked);
  const output = ["--output", `${here.path}/`];

  assertEquals(await app(listCommand, ""), ["c.txt", "in/"]);
  assertEquals(await app(listCommand, "in/"), ["a.txt", "b.txt"]);
  assertEquals(await app(listCommand, "in"), ["a.txt", "b.txt"]);
  assertEquals((await app(statCommand, "in/a.txt", "c.txt")).length, 2);
  await app(getCommand, "c.txt", ...output);
  await app(getCommand, "in/", "a.txt", "b.txt", ...output);
  assertEquals(["c.txt", "in/a.txt", "in/b.txt"].map((name) => Deno.readTextFileSync(`${here.path}/${name}`)), [
    "three",
    "one",
    "two",
  ]);
  for (const [path, stored] of [["", "new.txt"], ["in/", "in/new.txt"], ["up", "up/new.txt"]] as const) {
    await app(putCommand, path, `${here.path}/new.txt`);
    assertEquals(Deno.readTextFileSync(`${linked.root}/${stored}`), "new");
  }
  await app(putCommand, "in/", `${here.path}/new.txt`, "--as", "as.txt");
  await app(mkdirCommand, "in/", "d");
  await app(moveCommand, "in/", "as.txt", "d/as.txt");
  await app(removeCommand, "in/d/as.txt");
  assertEquals(await app(listCommand, "in/", "d"), []);
  assertEquals(await app(capitalCommand, "c.txt", "Peru"), ["Lima"]);
});

Deno.test("a shell that a link leads into a directory has its names there, and never shows the secret", async () => {
  await using linked = startLinked({ "in/a.txt": "one", "c.txt": "three" });
  const secret = await linked.link({ right: "read", path: "in" });
  const target = { host: "127.0.0.1", port: linked.served.port, key: KEY, secret };
  const terminal = new FakeTerminal();
  await using holder = new SessionHolder(CHANNELS[0].dial);
  await holder.session({ target, agent: "test", timeoutMs: 10_000 });
  const names = ["list", "stat", "shell"];
  const commands = await Promise.all(names.map((name) => CLIENT_COMMANDS[name]!()));
  const { options } = parseLine(shellCommand(CLIENT_COMMANDS), ["h", "1"]);
  const input = { words: [], options: options as never, terminal, interruption: NEVER_INTERRUPTED, version: "test" };
  const report = new Report(terminal, { json: false, quiet: false });
  const shell = new Shell({ commands, input, target, path: "in/", holder, report });
  const lines = ["list", "stat a.txt", "stat c.txt", "list a b c", "stat --timeout", `stat -- ${secret}`];
  const inputs = [...lines.map((text) => ({ kind: "line" as const, text })), { kind: "end" as const }];
  await shell.run(
    { next: () => Promise.resolve(inputs.shift()!), tell: (write) => write(), [Symbol.dispose]() {} },
    NEVER_INTERRUPTED.signal(),
  );
  assertEquals(terminal.results[0], "a.txt");
  assertStringIncludes(terminal.results[1]!, "in/a.txt");
  assertStringIncludes(terminal.noted, `"in/c.txt"`);
  assert(!terminal.noted.replaceAll(`in/${secret}`, "").includes(secret));
});

Deno.test("a file of a link must be its owner's alone", async () => {
  await using linked = startLinked({ "a.txt": "one" }, { strangers: "public" });
  using here = temporaryDirectory();
  const file = `${here.path}/link`;
  const link = formatLink({ host: "127.0.0.1", port: linked.served.port, path: "", key: KEY });
  Deno.writeTextFileSync(file, `${link}\n`);
  const list = (...args: string[]) => {
    const { words, options } = parseLine(listCommand, ["--link-file", file, ...args]);
    const terminal = new FakeTerminal();
    const input = { words, options: options as never, terminal, interruption: NEVER_INTERRUPTED, version: "test" };
    return listCommand.run(input).then(() => terminal.results);
  };
  for (const mode of [0o640, 0o604, 0o620, 0o777]) {
    Deno.chmodSync(file, mode);
    await assertRejectsCode(() => list(), "failed");
  }
  Deno.chmodSync(file, 0o600);
  await assertRejectsCode(() => list(link), "usage");
  const { message } = await assertRejectsCode(() => list("a", "b"), "usage");
  assertStringIncludes(message, "list takes one directory");
  Deno.removeSync(file);
  await assertRejectsCode(() => list(), "not_found");
});
