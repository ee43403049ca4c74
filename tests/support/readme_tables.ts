/** The part of the README that describes commands and options, made from their tables. */
import { loadCommands } from "../../main.ts";
import { CLIENT_COMMANDS } from "../../client/commands/mod.ts";
import { COMMON_OPTIONS } from "../../client/options.ts";
import type { Option } from "../../protocol/cli/command.ts";
import { helpOf, spelled } from "../../protocol/cli/help.ts";

export const START = "<!-- commands: made by tests/support/write_readme_tables.ts -->";
export const END = "<!-- end of commands -->";

const COMMON = new Set<string>(COMMON_OPTIONS.map(({ name }) => name));

export async function commandTables(): Promise<string> {
  const rows = (await loadCommands()).flatMap((command) => [
    `| **\`${escapeCell(`app ${command.name} ${command.words}`.trimEnd())}\`** | **${command.summary}** |`,
    ...optionRows(
      command.options.filter(({ name }) => !Object.hasOwn(CLIENT_COMMANDS, command.name) || !COMMON.has(name)),
    ),
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

function optionRows(options: readonly Option[]): string[] {
  return options.filter(({ hidden }) => !hidden)
    .map((option) => `| \`${escapeCell(spelled(option))}\` | ${escapeCell(helpOf(option))} |`);
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|");
}
