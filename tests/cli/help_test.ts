/**
 * Help: the whole text by snapshot, and rules that every table of options keeps.
 *
 * `UPDATE=1 deno test -A tests/cli/help_test.ts` writes the snapshot anew; review it by eye.
 */
import { CLIENT_COMMANDS } from "../../client/commands/mod.ts";
import configuration from "../../deno.json" with { type: "json" };
import { loadCommands, main } from "../../main.ts";
import type { Command, Option } from "../../protocol/cli/command.ts";
import { formatCommandHelp, helpOf, spelled } from "../../protocol/cli/help.ts";
import { parseLine } from "../../protocol/cli/parse.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { FakeTerminal, NEVER_INTERRUPTED } from "./fake_terminal.ts";

const SNAPSHOT = new URL("help_snapshot.txt", import.meta.url);
const COMMANDS: readonly Command[] = await loadCommands();
const COLUMNS_MAX = 120;

async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const terminal = new FakeTerminal();
  const code = await main(args, terminal, NEVER_INTERRUPTED);
  return { code, stdout: terminal.results.join("\n"), stderr: terminal.noted };
}

async function wholeHelp(): Promise<string> {
  const pages: string[] = [];
  for (const args of [["--help"], ...COMMANDS.map(({ name }) => [name, "--help"])]) {
    const { stdout } = await run(...args);
    pages.push(`$ app ${args.join(" ")}\n${stdout.replace(`app ${configuration.version}:`, "app VERSION:")}\n`);
  }
  return pages.join("\n");
}

Deno.test("help is what the snapshot says", async () => {
  const help = await wholeHelp();
  if (Deno.env.get("UPDATE") === "1") await Deno.writeTextFile(SNAPSHOT, help);
  assertEquals(help, await Deno.readTextFile(SNAPSHOT));
});

Deno.test("help fits the terminal and leaves no spaces at the ends of lines", async () => {
  for (const line of (await wholeHelp()).split("\n")) {
    assert(line.length <= COLUMNS_MAX, `${line.length} columns: ${line}`);
    assertEquals(line, line.trimEnd());
  }
});

Deno.test("help is a success on stdout, however it is asked for", async () => {
  const program = await run("--help");
  assertEquals([program.code, program.stderr], [0, ""]);
  for (const same of [["-h"], ["help"]]) assertEquals(await run(...same), program);
  for (const { name } of COMMANDS) {
    const page = await run(name, "--help");
    assertEquals([page.code, page.stderr], [0, ""]);
    assertEquals(await run("help", name), page);
  }
});

Deno.test("a command line without a command shows the help and is wrong", async () => {
  const { code, stdout } = await run();
  assertEquals([code, stdout], [2, (await run("--help")).stdout]);
});

Deno.test("help is given for a command line that is wrong elsewhere", async () => {
  const page = await run("serve", "--help");
  assertEquals(await run("serve", "a", "b", "--help"), page);
  assertEquals(await run("serve", "--port", "many", "--help"), page);
});

Deno.test("the version is the one of deno.json", async () => {
  for (const flag of ["--version", "-V"]) {
    assertEquals(await run(flag), { code: 0, stdout: `app ${configuration.version}`, stderr: "" });
  }
});

Deno.test("commands and options that do not exist are refused with the right exit code and help", async () => {
  for (
    const [args, told] of [
      [["remov"], /^Unknown command "remov": did you mean remove\?\nRun: app --help\n$/],
      [["help", "remov"], /^Unknown command "remov"/],
      [["get", "--outptu=x"], /^Unknown option "--outptu" of app get: did you mean --output\?\nRun: app get --help\n$/],
    ] as const
  ) {
    const { code, stdout, stderr } = await run(...args);
    assertEquals([code, stdout], [2, ""]);
    assertMatch(stderr, told);
  }
});

function optionsOfAll(): { readonly command: Command; readonly option: Option }[] {
  return COMMANDS.flatMap((command) => command.options.map((option) => ({ command, option })));
}

Deno.test("names of commands and options are unique and well formed", () => {
  const names = COMMANDS.map(({ name }) => name);
  assertEquals(new Set(names).size, names.length);
  for (const { name, options } of COMMANDS) {
    assertMatch(name, /^[a-z]+$/);
    const own = options.map((option) => option.name);
    assertEquals(new Set([...own, "help"]).size, own.length + 1, name);
    const shorts = options.flatMap(({ short }) => short ?? []);
    assertEquals(new Set([...shorts, "h"]).size, shorts.length + 1, name);
  }
  for (const { option } of optionsOfAll()) {
    assertMatch(option.name, /^[a-z]+(-[a-z]+)*$/);
    if (option.short) assertMatch(option.short, /^[a-zA-Z]$/);
  }
});

Deno.test("summaries and help begin with a capital and have no full stop", () => {
  const texts = [...COMMANDS.map(({ summary }) => summary), ...optionsOfAll().map(({ option }) => option.help)];
  for (const text of texts) {
    assertMatch(text, /^[A-Z][^\n]*[^.\s]$/);
  }
});

Deno.test("an option of the same name is the same in all commands, but where it changes nothing it is hidden", () => {
  const seen = new Map<string, Option>();
  for (const { command, option: { hidden: _, ...option } } of optionsOfAll()) {
    if (option.name === "wire") continue; // a server takes a list, and each request exists in some of the formats only
    if (command.name === "serve" && option.name === "trash") continue; // it is for a client to insist
    if (command.name === "link" && ["name", "once", "port"].includes(option.name)) continue; // those of a link
    const first = seen.get(option.name) ?? option;
    seen.set(option.name, first);
    assertEquals<unknown>(option, first);
  }
});

Deno.test("every client command takes the options that scripts give to all of them", () => {
  const words = ["--timeout", "5", "--retries", "0", "--strict", "--quiet", "--json", "--if-exists", "skip"];
  for (const command of COMMANDS.filter(({ name }) => Object.hasOwn(CLIENT_COMMANDS, name))) {
    const { options } = parseLine(command, ["host", "6000", ...words]);
    assertEquals([options.timeout, options.retries, options["if-exists"]], [5, 0, "skip"], command.name);
  }
});

Deno.test("defaults are values that the option itself would take", () => {
  for (const { command, option } of optionsOfAll()) {
    if (option.kind === "flag" || option.default === undefined) continue;
    const parsed = parseLine(command, [`--${option.name}=${option.default}`]).options[option.name];
    assertEquals(parsed, option.default, `app ${command.name} --${option.name}`);
    if (option.kind === "choice" || option.kind === "text") continue;
    const { min = 0, max = Infinity } = option;
    assert(min <= option.default && option.default <= max);
  }
});

Deno.test("help shows every option as it is written, with its default, and hides the hidden", () => {
  for (const command of COMMANDS) {
    const help = formatCommandHelp(command);
    for (const option of command.options) {
      assertEquals(help.includes(`  ${spelled(option)} `), !option.hidden, `${command.name} ${option.name}`);
      assertEquals(help.includes(helpOf(option)), !option.hidden);
    }
  }
  const size: Option = { name: "most", short: "m", kind: "size", value: "SIZE", default: 2e6, help: "The most" };
  assertEquals([spelled(size), helpOf(size)], ["-m, --most SIZE", "The most (default: 2.0 MB)"]);
});
