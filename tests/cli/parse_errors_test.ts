/** Command lines that are wrong: the error points at the option, and says what it wants. */
import { assertEquals, assertStringIncludes, assertThrowsCode } from "../support/assert.ts";
import type { Command, Option } from "../../protocol/cli/command.ts";
import { parseLine } from "../../protocol/cli/parse.ts";

const OPTIONS: readonly Option[] = [
  { name: "quiet", short: "q", kind: "flag", help: "Nothing" },
  { name: "port", short: "p", kind: "count", value: "N", default: 6000, max: 65_535, help: "A port" },
  { name: "max-size", kind: "size", value: "SIZE", min: 10, max: 1_000_000, help: "A size" },
  { name: "for", kind: "duration", value: "TIME", min: 1, help: "A time with a unit" },
  { name: "timeout", kind: "seconds", value: "S", default: 30, min: 0.1, max: 60, help: "A time" },
  { name: "output", short: "o", kind: "text", value: "PATH", help: "A path" },
  { name: "log", kind: "choice", choices: ["text", "json"], default: "text", help: "A choice" },
  { name: "secret", kind: "flag", hidden: true, help: "An old name" },
];

const COMMAND: Command = {
  name: "try",
  summary: "Tries options",
  words: "[DIR]",
  wordsMax: 1,
  options: OPTIONS,
  run: () => Promise.resolve(0),
};

function parse(...args: string[]) {
  return parseLine(COMMAND, args);
}

/** What is refused, a part of what it is told, and its benign twin. */
const CASES: readonly (readonly [refused: string[], told: string, twin: string[]])[] = [
  [["--port"], `--port "": a value must follow`, ["--port", "1"]],
  [["-_"], `Unknown option "-_"`, ["-q"]],
  [["--_=x"], `Unknown option "--_"`, ["--", "--_=x"]],
  [["-q_x", "more"], `Unknown option "-q_x"`, ["_q"]],
  [["--port="], `--port "": a value must follow`, ["--port=1"]],
  [["--output"], `--output "": a value must follow`, ["--output", "x"]],
  [["--output", ""], `--output "": a value must follow`, ["--output", " "]],
  [["--output", "--quiet"], `--output "": a value must follow`, ["--output", "quiet"]],
  [["-o"], `--output "": a value must follow`, ["-o", "x"]],
  [["-o="], `--output "": a value must follow`, ["-o=x"]],
  [["--port", "many"], `--port "many": it must be a whole number`, ["--port", "80"]],
  [["--port", "1e3"], "it must be a whole number", ["--port", "1000"]],
  [["--port", "0x50"], "it must be a whole number", ["--port", "80"]],
  [["--port", "80.5"], "it must be a whole number", ["--port", "80"]],
  [["--port", " 80"], "it must be a whole number", ["--port", "080"]],
  [["--port", "+80"], "it must be a whole number", ["--port", "80"]],
  [["--port", "Infinity"], "it must be a whole number", ["--port", "0"]],
  [["--port", "65536"], `--port "65536": it must be from 0 to 65535`, ["--port", "65535"]],
  [["--port=-1"], "it must be from 0 to 65535", ["--port=0"]],
  [["-p", "x"], `--port "x": it must be a whole number`, ["-p", "1"]],
  [["--max-size", "big"], `--max-size "big": it must be a size, such as 500, 10M or 2G`, ["--max-size", "100"]],
  [["--max-size", "10X"], "it must be a size", ["--max-size", "10K"]],
  [["--max-size", "1e3"], "it must be a size", ["--max-size", "1k"]],
  [["--max-size", "9"], "it must be from 10 to 1000000", ["--max-size", "10"]],
  [["--max-size", "1000001"], "it must be from 10 to 1000000", ["--max-size", "1M"]],
  [["--timeout", "soon"], `--timeout "soon": it must be a number of seconds`, ["--timeout", "3"]],
  [["--for", "5"], "it must be a time with its unit, such as 90s, 30m, 12h or 7d", ["--for", "5m"]],
  [["--for", "-5m"], "it must be a time with its unit", ["--for", "5m"]],
  [["--for", "5y"], "it must be a time with its unit", ["--for", "5w"]],
  [["--for", "0m"], "it must be from 1 to", ["--for", "1m"]],
  [["--timeout", "NaN"], "it must be a number of seconds", ["--timeout", "1"]],
  [["--timeout", ".5"], "it must be a number of seconds", ["--timeout", "0.5"]],
  [["--timeout", "0"], "it must be from 0.1 to 60", ["--timeout", "0.1"]],
  [["--timeout", "60.1"], "it must be from 0.1 to 60", ["--timeout", "60"]],
  [["--log", "xml"], `--log "xml": it must be one of text, json`, ["--log", "json"]],
  [["--log", "JSON"], "it must be one of text, json", ["--log", "text"]],
  [["--prot", "1"], `Unknown option "--prot" of app try: did you mean --port?`, ["--port", "1"]],
  [["--prot=1"], `Unknown option "--prot" of app try: did you mean --port?`, ["--port=1"]],
  [["--outptu=x"], "did you mean --output?", ["--output=x"]],
  [["--quite"], "did you mean --quiet?", ["--quiet"]],
  [["-x"], `Unknown option "-x" of app try`, ["-q"]],
  [["-qx"], `Unknown option "-qx" of app try`, ["-q"]],
  [["--no-quiet"], `Unknown option "--no-quiet"`, ["--quiet"]],
  [["--__proto__", "x"], `Unknown option "--__proto__"`, ["--output", "x"]],
  [["--constructor", "x"], `Unknown option "--constructor"`, ["--output", "x"]],
  [["--port.x", "1"], `Unknown option "--port.x"`, ["--port", "1"]],
  [["a", "b"], `Unexpected "b": app try takes [DIR]`, ["a"]],
  [["a", "--", "-b"], `Unexpected "-b"`, ["--", "-b"]],
];

Deno.test("command lines that are wrong are refused, and their twins are not", () => {
  for (const [refused, told, twin] of CASES) {
    const error = assertThrowsCode(() => parse(...refused), "usage");
    assertStringIncludes(error.message, told);
    assertEquals(error.exit, 2);
    assertStringIncludes(error.advice, "app try --help");
    parse(...twin);
  }
});

Deno.test("an option that nothing resembles gets no suggestion", () => {
  const { message } = assertThrowsCode(() => parse("--nonsense"), "usage");
  assertEquals(message, `Unknown option "--nonsense" of app try`);
});

Deno.test("hidden options are taken, but never suggested", () => {
  assertEquals(parse("--secret").options.secret, true);
  assertEquals(assertThrowsCode(() => parse("--secre"), "usage").message.includes("did you mean"), false);
});

Deno.test("a command without words says so", () => {
  const none = { ...COMMAND, words: "", wordsMax: 0 };
  assertStringIncludes(assertThrowsCode(() => parseLine(none, ["x"]), "usage").message, "takes no words");
  assertEquals(parseLine(none, []).words, []);
});

Deno.test("errors quote what was given, so that a line end in it stays on the line", () => {
  const { message } = assertThrowsCode(() => parse("--log", "a\nb\u001b[31m"), "usage");
  assertEquals(message.split("\n").length, 1);
  assertEquals(message.includes("\u001b"), false);
});
