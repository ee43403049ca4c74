/** `app mkdir`, `app move` and `app remove`: changes on the server. */
import { type CommandInput, defineCommand } from "../../protocol/cli/command.ts";
import { hasCode } from "../../protocol/errors.ts";
import { validateName } from "../../protocol/names.ts";
import type { Client } from "../client.ts";
import {
  clientFor,
  COMMON_OPTIONS,
  IF_EXISTS_OPTION,
  ifTakenOf,
  LOOK_OPTIONS,
  reportFor,
  targetFor,
} from "../options.ts";
import type { Report } from "../report.ts";
import { askFor, wordsAsNames } from "../target.ts";
import { runOnNames } from "./each.ts";

export const mkdirCommand = defineCommand({
  name: "mkdir",
  summary: "Make directories, with their parents",
  words: "HOST PORT NAME...",
  wordsMax: Infinity,
  options: LOOK_OPTIONS,
  async run(input) {
    const make = async (name: string, client: Client, report: Report) => {
      await client.makeDirectory(name);
      report.result(`${report.shown(name)} successfully made.`, { event: "done", name });
    };
    return await runOnNames(input, "Enter directory name on server --> ", make, wordsAsNames);
  },
});

const MOVE_OPTIONS = [IF_EXISTS_OPTION, ...COMMON_OPTIONS] as const;

export const moveCommand = defineCommand({
  name: "move",
  summary: "Rename a file or directory on the server",
  words: "HOST PORT FROM TO",
  wordsMax: 4,
  options: MOVE_OPTIONS,
  notes: ["Needs a server that was started with --allow-remove; --if-exists replace also needs --allow-overwrite."],
  run: runMove,
});

async function runMove(input: CommandInput<typeof MOVE_OPTIONS>): Promise<number> {
  const taken = targetFor(input);
  const [first, second] = wordsAsNames(taken);
  const from = first ?? askFor("FROM", "Enter file name on server --> ", input.terminal);
  const to = second ?? askFor("TO", "Enter new name --> ", input.terminal);
  [from, to].forEach(validateName);
  const report = reportFor(input);
  await using client = clientFor(taken.target, input, report);
  const choice = input.options["if-exists"];
  try {
    const name = await client.move(from, to, ifTakenOf(choice));
    report.result(`${report.shown(from)} successfully moved to ${report.shown(name)}.`, { event: "done", from, name });
  } catch (error) {
    if (choice !== "skip" || !hasCode(error, "exists")) throw error;
    report.result(`${report.shown(from)} skipped: ${report.shown(to)} is there already.`, {
      event: "skipped",
      name: from,
    });
  }
  return 0;
}

export const removeCommand = defineCommand({
  name: "remove",
  summary: "Remove files or empty directories on the server",
  words: "HOST PORT NAME...",
  wordsMax: Infinity,
  options: LOOK_OPTIONS,
  notes: ["Needs a server that was started with --allow-remove."],
  async run(input) {
    return await runOnNames(input, "Enter file name on server --> ", async (name, client, report) => {
      await client.remove(name);
      report.result(`${report.shown(name)} successfully removed.`, { event: "done", name });
    });
  },
});
