/** The part of the README that describes commands and options, made from their tables. */
import { loadCommands } from "../../main.ts";
import { COMMON_OPTIONS } from "../../client/options.ts";
import type { Command, Option } from "../../protocol/cli/command.ts";
import { helpOf, spelled } from "../../protocol/cli/help.ts";

export const START = "<!-- commands: made by tests/support/write_readme_tables.ts -->";
export const END = "<!-- end of commands -->";

const COMMON = new Set<string>(COMMON_OPTIONS.map(({ name }) => name));

export async function commandTables(): Promise<string> {
  const rows = (await loadCommands()).flatMap((command) => [
    `| **\`${escapeCell(`app ${command.name} ${command.words}`.trimEnd())}\`** | **${command.summary}** |`,
    ...optionRows(command.options.filter(({ name }) => !talksToServer(command) || !COMMON.has(name))),
  ]);
  return [
    "| command, option | what it does |",
    "| --- | --- |",
    ...rows,
    "| **all that talk to a server** | |",
    ...optionRows(COMMON_OPTIONS),
    "| **all** | |",
    "| `--help` | Show the options of a command |",
  ].join("\n");
}

/** Whether it is a client's: the others work on this machine alone. */
export function talksToServer({ options }: Command): boolean {
  return options.some(({ name }) => name === "timeout");
}

function optionRows(options: readonly Option[]): string[] {
  return options.filter(({ hidden }) => !hidden)
    .map((option) => `| \`${escapeCell(spelled(option))}\` | ${escapeCell(helpOf(option))} |`);
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|");
}
