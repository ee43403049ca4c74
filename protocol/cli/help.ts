/** Help, made from the tables of commands and options. Pure. */
import type { Command, Option } from "./command.ts";
import { formatSize } from "./format.ts";

const GAP = 2;

/** `app --help`. */
export function formatProgramHelp(commands: readonly Command[], version: string): string {
  return [
    `app ${version}: shares a directory over TCP, complete or not at all`,
    "",
    "Usage: app COMMAND [WORDS] [OPTIONS]",
    "",
    ...columns(commands.map(({ name, words, summary }) => [`  ${name} ${words}`.trimEnd(), summary])),
    "",
    "  app COMMAND --help   shows the options of a command",
    "  app --version        shows the version",
    "",
    "HOST PORT may be written as one word: host:port or [v6]:port; or be a link, app://…,",
    "which may also stand in the environment as APP_LINK, or in a --link-file: then without HOST PORT.",
    "Exit codes: 0 done, 1 refused or failed, 2 wrong command line, 3 never connected,",
    "4 broken off (run it again: it goes on), 130 interrupted (likewise).",
  ].join("\n");
}

/** `app COMMAND --help`. */
export function formatCommandHelp({ name, summary, words, options, notes = [] }: Command): string {
  const shown = options.filter(({ hidden }) => !hidden);
  const groups = [...new Set(shown.map(({ group }) => group))].filter((group) => group !== undefined);
  const rowsOf = (wanted: string | undefined) =>
    shown.filter(({ group }) => group === wanted).map((option) => [`  ${spelled(option)}`, helpOf(option)] as const);
  const rows = [
    ...rowsOf(undefined),
    ["  --help", "Show this"] as const,
    ...groups.flatMap((group) => [heading(""), heading(`${group}:`), ...rowsOf(group)]),
  ];
  return [
    `app ${name}: ${summary}`,
    "",
    `Usage: app ${name} ${words} [OPTIONS]`.replace("  ", " "),
    "",
    ...columns(rows),
    ...(notes.length > 0 ? ["", ...notes] : []),
  ].join("\n");
}

/** The rows of an option table: how it is written, what it does. For the README, too. */
export function spelled(option: Option): string {
  const short = option.short ? `-${option.short}, ` : "";
  if (option.kind === "flag") return `${short}--${option.name}`;
  return `${short}--${option.name} ${option.kind === "choice" ? option.choices.join("|") : option.value}`;
}

export function helpOf(option: Option): string {
  if (option.kind === "flag" || option.default === undefined || option.default === "") return option.help;
  const shown = option.kind === "size" ? formatSize(option.default as number) : String(option.default);
  return `${option.help} (default: ${shown})`;
}

/** A line of its own between the rows. */
function heading(text: string): readonly [string, string] {
  return [text, ""];
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length)) + GAP;
  return rows.map(([left, right]) => (left.padEnd(width) + right).trimEnd());
}
