/** Command lines by a table of options: every kind of option, in every way of writing it. */
import { assertEquals, assertStringIncludes, assertThrowsCode } from "../support/assert.ts";
import { defineCommand } from "../../protocol/cli/command.ts";
import type { Command } from "../../protocol/cli/command.ts";
import { parseLine, usageError } from "../../protocol/cli/parse.ts";

const COMMAND = defineCommand({
  name: "try",
  summary: "Tries options",
  words: "[ONE] [TWO]",
  wordsMax: 2,
  options: [
    { name: "flag", short: "f", kind: "flag", help: "A flag" },
    { name: "green", short: "g", kind: "flag", help: "Another" },
    { name: "text", short: "t", kind: "text", value: "TEXT", help: "A text" },
    { name: "named", kind: "text", value: "TEXT", default: "somebody", help: "A text with a default" },
    { name: "count", short: "c", kind: "count", value: "N", default: 3, max: 10, help: "A count" },
    { name: "size", kind: "size", value: "SIZE", help: "A size" },
    { name: "seconds", kind: "seconds", value: "S", default: 1.5, min: 0.1, max: 60, help: "A time" },
    { name: "time", kind: "duration", value: "TIME", max: 1e9, help: "A time with a unit" },
    { name: "no-flag", kind: "flag", help: "No negation of the flag" },
    { name: "choice", kind: "choice", choices: ["red", "blue"], default: "red", help: "A choice" },
    { name: "old", kind: "flag", hidden: true, help: "An old name" },
  ],
  run: () => Promise.resolve(0),
}) as unknown as Command;

function optionsOf(...args: string[]): Readonly<Record<string, unknown>> {
  return parseLine(COMMAND, args).options;
}

function wordsOf(...args: string[]): readonly string[] {
  return parseLine(COMMAND, args).words;
}

Deno.test("options that were not given have their defaults, or nothing", () => {
  assertEquals(optionsOf(), {
    flag: false,
    green: false,
    text: undefined,
    named: "somebody",
    count: 3,
    size: undefined,
    seconds: 1.5,
    time: undefined,
    "no-flag": false,
    choice: "red",
    old: false,
  });
});

Deno.test("a flag whose name begins with no- is one of its own", () => {
  for (const args of [["--no-flag"], ["--no-flag", "word"], ["--no-flag=true"], ["word", "--no-flag"]]) {
    assertEquals([optionsOf(...args)["no-flag"], optionsOf(...args).flag], [true, false], args.join(" "));
  }
  assertEquals([optionsOf("--flag")["no-flag"], optionsOf("--flag").flag], [false, true]);
  assertThrowsCode(() => optionsOf("--no-green"), "usage");
});

Deno.test("options of every kind are read from both ways of writing them", () => {
  const cases: readonly (readonly [name: string, text: string, value: unknown])[] = [
    ["text", "some words", "some words"],
    ["time", "90s", 90_000],
    ["time", "30m", 1_800_000],
    ["time", "1.5h", 5_400_000],
    ["time", "7d", 604_800_000],
    ["time", "1W", 604_800_000],
    ["time", "0s", 0],
    ["text", "007", "007"],
    ["text", "true", "true"],
    ["text", "ä/b.jpg", "ä/b.jpg"],
    ["text", "-", "-"],
    ["count", "0", 0],
    ["count", "10", 10],
    ["size", "500", 500],
    ["size", "10M", 10_000_000],
    ["size", "1.5K", 1_500],
    ["size", "2GiB", 2_147_483_648],
    ["seconds", "0.1", 0.1],
    ["seconds", "60", 60],
    ["choice", "blue", "blue"],
  ];
  for (const [name, text, value] of cases) {
    assertEquals(optionsOf(`--${name}`, text)[name], value, `--${name} ${text}`);
    assertEquals(optionsOf(`--${name}=${text}`)[name], value, `--${name}=${text}`);
  }
});

Deno.test("values may have = in them and begin with a dash behind =", () => {
  assertEquals(optionsOf("--text=a=b").text, "a=b");
  assertEquals(optionsOf("--text=-x").text, "-x");
  assertEquals(optionsOf("--text=--flag").text, "--flag");
});

Deno.test("short options are read alone, together, and with values", () => {
  assertEquals(optionsOf("-f").flag, true);
  const both = optionsOf("-fg");
  assertEquals([both.flag, both.green], [true, true]);
  assertEquals(optionsOf("-t", "value").text, "value");
  assertEquals(optionsOf("-t", "-").text, "-");
  assertEquals(optionsOf("-t=value").text, "value");
  assertEquals(optionsOf("-c", "7").count, 7);
  assertEquals(optionsOf("-c7").count, 7);
  assertEquals(optionsOf("-ft", "value").text, "value");
});

Deno.test("short options take values that are written onto them, whatever these look like", () => {
  assertEquals(optionsOf("-tvalue1").text, "value1");
  assertEquals(optionsOf("-tvalue").text, "value");
});

Deno.test("options given twice count the last time", () => {
  assertEquals(optionsOf("--count", "1", "--count=2").count, 2);
  assertEquals(optionsOf("--count", "1", "-c", "4").count, 4);
});

Deno.test("options may stand before, between and behind words", () => {
  for (const args of [["-f", "a", "b"], ["a", "-f", "b"], ["a", "b", "--flag"]]) {
    const { words, options } = parseLine(COMMAND, args);
    assertEquals([words, options.flag], [["a", "b"], true]);
  }
});

Deno.test("words stay text", () => {
  assertEquals(wordsOf("6000", "1e3"), ["6000", "1e3"]);
  assertEquals(wordsOf("007", "0x10"), ["007", "0x10"]);
});

Deno.test("words true and false behind a flag are words", () => {
  assertEquals(wordsOf("--flag", "name"), ["name"]);
  assertEquals(wordsOf("--flag", "true"), ["true"]);
  assertEquals(wordsOf("-f", "false"), ["false"]);
});

Deno.test("flag with a value that is neither true nor false is refused", () => {
  assertEquals(optionsOf("--flag=true").flag, true);
  assertEquals(optionsOf("--flag=false").flag, false);
  assertThrowsCode(() => optionsOf("--flag=banana"), "usage");
});

Deno.test("a lone dash is a word, and a value where one is wanted", () => {
  assertEquals(wordsOf("-"), ["-"]);
  assertEquals(wordsOf("a", "-"), ["a", "-"]);
  assertEquals(wordsOf("--flag", "-"), ["-"]);
  assertEquals(parseLine(COMMAND, ["--text", "-", "-"]), {
    ...parseLine(COMMAND, ["--text=-", "-"]),
    words: ["-"],
  });
});

Deno.test("everything behind -- is a word", () => {
  assertEquals(wordsOf("--", "-f", "--text"), ["-f", "--text"]);
  assertEquals(wordsOf("a", "--", "--"), ["a", "--"]);
  assertEquals(optionsOf("--", "-f").flag, false);
});

Deno.test("a lone dash behind -- is not joined with the word before it", () => {
  assertEquals(wordsOf("--", "a", "-"), ["a", "-"]);
  assertEquals(wordsOf("--", "--text", "-"), ["--text", "-"]);
});

Deno.test("help is wanted with --help, whatever else is there", () => {
  assertEquals(parseLine(COMMAND, ["--help"]).wantsHelp, true);
  assertEquals(parseLine(COMMAND, ["a", "--flag", "--help"]).wantsHelp, true);
  assertEquals(parseLine(COMMAND, ["a", "b", "c", "--help"]).wantsHelp, true);
  assertEquals(parseLine(COMMAND, ["--", "--help"]).wantsHelp, false);
});

Deno.test("help is wanted with -h, as app -h wants it", () => {
  assertEquals(parseLine(COMMAND, ["-h"]).wantsHelp, true);
});

Deno.test("errors of a command name its help", () => {
  const error = usageError(COMMAND, "It is wrong");
  assertEquals([error.code, error.message, error.advice], ["usage", "It is wrong", "Run: app try --help"]);
  assertStringIncludes(assertThrowsCode(() => wordsOf("a", "b", "c"), "usage").advice, "app try --help");
});

Deno.test("negative numbers are words, and stay in their order with the others", () => {
  assertEquals(wordsOf("-5"), ["-5"]);
  assertEquals(wordsOf("a", "-5", "-f"), ["a", "-5"]);
  assertEquals(wordsOf("-5", "a", "--text", "x"), ["-5", "a"]);
  assertEquals(wordsOf("-5", "--", "-6"), ["-5", "-6"]);
  assertEquals(optionsOf("-5", "a", "--text", "x", "-f").text, "x");
  assertEquals(optionsOf("-5", "-c", "-0", "-f").flag, true);
  assertThrowsCode(() => parseLine(COMMAND, ["-5", "-x"]), "usage");
});
