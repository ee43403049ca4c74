/** From a command line to words and values, by a command's table of options. Throws `usage`, naming the option. */
// @ts-types="./std_parse_args.d.ts"
import { parseArgs } from "@std/cli/parse-args";
import { AppError } from "../errors.ts";
import type { Command, NumberOption, Option } from "./command.ts";
import { parseDuration, parseSize } from "./format.ts";
import { didYouMean } from "./suggest.ts";

export interface ParsedLine {
  readonly words: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly wantsHelp: boolean;
}

/** `args` are those behind the command's name. */
export function parseLine(command: Command, args: readonly string[]): ParsedLine {
  const flags = command.options.filter((option) => option.kind === "flag").map(keyOf);
  const valued = command.options.filter((option) => option.kind !== "flag").map(keyOf);
  const shorts = command.options.flatMap((option) => option.short ? [[option.short, keyOf(option)]] : []);
  const parsed = parseArgs(spellOut(command, args), {
    boolean: [...flags, "help"],
    string: [...valued, "_"],
    collect: command.options.filter((option) => option.kind === "list").map(keyOf),
    alias: { ...Object.fromEntries(shorts), h: "help" },
    unknown(argument, key) {
      if (key !== undefined) throw unknownOption(command, argument);
    },
  });
  if (parsed.help === true) return { words: [], options: {}, wantsHelp: true };
  const options: Record<string, unknown> = {};
  for (const option of command.options) options[option.name] = valueOf(command, option, parsed[keyOf(option)]);
  if (parsed._.length > command.wordsMax) throw tooManyWords(command, parsed._[command.wordsMax]!);
  return { words: parsed._, options, wantsHelp: false };
}

/**
 * Writes every option that takes a value as `--name=value`, and every flag as `--name=true`. The library would take
 * `true` behind a flag for its value, would take neither a lone dash nor `-ovalue` for a value, and would take -5 for an
 * option: such words, and those that follow them, go behind a `--`.
 */
function spellOut(command: Command, args: readonly string[]): string[] {
  const spelled: string[] = [];
  const words: string[] = [];
  const rest = [...args];
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    if (argument === "--") return [...spelled, argument, ...words, ...rest];
    const { option, value } = findOption(command, argument);
    // The library keeps its words under this name, and fails of an option that has it.
    if (!option && /^--?[^=]*_/.test(argument) && !isNegative(argument)) throw unknownOption(command, argument);
    if (!option) {
      (isNegative(argument) || (words.length > 0 && !argument.startsWith("-")) ? words : spelled).push(argument);
    } else if (option.kind !== "flag") spelled.push(`--${keyOf(option)}=${value ?? takeValue(rest)}`);
    else spelled.push(`--${keyOf(option)}=${flagValue(command, argument, value)}`);
  }
  return [...spelled, "--", ...words];
}

/** Under which name the library is given an option: it would take `--no-name=true` for one called "name". */
function keyOf({ name }: Option): string {
  return name.startsWith("no-") ? `:${name}` : name;
}

function isNegative(argument: string): boolean {
  return /^-\d/.test(argument);
}

/** The next word, unless it is an option itself; one that looks like an option is given as `--name=-value`. */
function takeValue(rest: string[]): string {
  const isOption = /^-[^\d]/.test(rest[0] ?? "");
  return isOption ? "" : rest.shift() ?? "";
}

/** The option that `argument` is (`--name`, `--name=value`, `-n`, `-nvalue`), with the value that is written onto it. */
function findOption(command: Command, argument: string): { option?: Option | undefined; value?: string | undefined } {
  const long = /^--([^=]+)(?:=(.*))?$/s.exec(argument);
  if (long) return { option: command.options.find(({ name }) => name === long[1]), value: long[2] };
  const short = /^-([^-])=?(.*)$/s.exec(argument);
  const option = short ? command.options.find((candidate) => candidate.short === short[1]) : undefined;
  if (option?.kind === "flag" && short![2] !== "") return {}; // several short flags in one word
  return { option, value: short?.[2] || undefined };
}

function flagValue(command: Command, argument: string, value: string | undefined): string {
  if (value === undefined || value === "true" || value === "false") return value ?? "true";
  throw usageError(command, `Cannot use ${JSON.stringify(argument)}: this option takes no value`);
}

/** A `usage` error of `command`, with its help as the next step. */
export function usageError(command: { readonly name: string }, message: string, advice?: string): AppError {
  return new AppError("usage", message, { advice: advice ?? `Run: app ${command.name} --help` });
}

function valueOf(command: Command, option: Option, given: unknown): unknown {
  if (option.kind === "flag") return given === true;
  if (option.kind === "list") return given ?? [];
  if (given === undefined) return option.default;
  const text = String(given);
  const fail = (wanted: string) =>
    usageError(command, `Cannot use --${option.name} ${JSON.stringify(text)}: ${wanted}`);
  if (text === "") throw fail("a value must follow");
  switch (option.kind) {
    case "text":
      return text;
    case "choice":
      if (option.choices.includes(text)) return text;
      throw fail(`it must be one of ${option.choices.join(", ")}`);
    default:
      return numberOf(option, text, fail);
  }
}

function numberOf(option: NumberOption, text: string, fail: (wanted: string) => AppError): number {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = option;
  const number = NUMBERS[option.kind](text);
  if (number === undefined) throw fail(`it must be ${NUMBER_NAMES[option.kind]}`);
  if (number < min || number > max) throw fail(`it must be from ${min} to ${max}`);
  return number;
}

const NUMBERS: Record<NumberOption["kind"], (text: string) => number | undefined> = {
  count: (text) => /^-?\d+$/.test(text) ? Number(text) : undefined,
  size: parseSize,
  seconds: (text) => /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined,
  duration: parseDuration,
};

const NUMBER_NAMES = {
  count: "a whole number",
  size: "a size, such as 500, 10M or 2G",
  seconds: "a number of seconds",
  duration: "a time with its unit, such as 90s, 30m, 12h or 7d",
};

function unknownOption(command: Command, argument: string): AppError {
  const name = argument.replace(/=.*$/s, "");
  const known = command.options.filter(({ hidden }) => !hidden).map((option) => `--${option.name}`);
  return usageError(command, `Unknown option ${JSON.stringify(name)} of app ${command.name}${didYouMean(name, known)}`);
}

function tooManyWords(command: Command, word: string): AppError {
  return usageError(
    command,
    `Unexpected ${JSON.stringify(word)}: app ${command.name} takes ${command.words || "no words"}`,
  );
}
