/** `app list`, `app stat` and `app digest`: what is on the server. */
import { type CommandInput, defineCommand } from "../../protocol/cli/command.ts";
import { formatCount, formatSize, formatTime } from "../../protocol/cli/format.ts";
import { AppError } from "../../protocol/errors.ts";
import type { Entry } from "../../protocol/files/tree.ts";
import { validateDirectoryName } from "../../protocol/names.ts";
import { clientFor, LOOK_OPTIONS, oldServerFor, reportFor, targetFor, wireOption } from "../options.ts";
import { type Event, formatCrc, type Report } from "../report.ts";
import { namesOf, type Target } from "../target.ts";
import { runOnNames } from "./each.ts";

const LIST_OPTIONS = [
  { name: "long", short: "l", kind: "flag", help: "With mode, size and time" },
  { name: "all", kind: "flag", help: "Names that begin with a dot, too" },
  wireOption("share"),
  ...LOOK_OPTIONS,
] as const;

export const listCommand = defineCommand({
  name: "list",
  summary: "List what is shared",
  words: "HOST PORT [DIR]",
  wordsMax: 3,
  options: LIST_OPTIONS,
  notes: ["The link of a start names one file; without that name, between the last / and the #, it lists everything."],
  run: runList,
});

async function runList(input: CommandInput<typeof LIST_OPTIONS>): Promise<number> {
  const taken = targetFor(input);
  const { target } = taken;
  const [given = "", ...more] = namesOf(taken);
  if (more.length > 0) throw new AppError("usage", `Unexpected ${JSON.stringify(more[0])}: list takes one directory`);
  const directory = given.replace(/\/$/, "");
  validateDirectoryName(directory);
  const report = reportFor(input);
  if (input.options.wire === "share") return await listShare(target, directory, input);
  await using client = clientFor(target, input, report);
  let hidden = 0;
  for await (const listing of client.list(directory, { all: input.options.all })) {
    for (const entry of listing.entries) {
      report.answer(input.options.long ? longLine(entry, report) : shortLine(entry, report), entryEvent(entry));
    }
    hidden += listing.hidden;
  }
  if (hidden > 0) report.note(`${formatCount(hidden, "name")} left out: they lead nowhere or break the name rule`);
  return 0;
}

/** An old server tells the names of one directory, and nothing else of them. */
async function listShare(target: Target, directory: string, input: CommandInput<typeof LIST_OPTIONS>): Promise<number> {
  if (directory !== "" || input.options.long || input.options.all) {
    const what = directory !== "" ? "no directories" : input.options.long ? "no --long" : "no --all";
    throw new AppError("usage", `The format share knows ${what}`, {
      advice: "Say only: app list HOST PORT --wire share",
    });
  }
  const report = reportFor(input);
  const { listOldServer } = await import("../old/list.ts");
  for (const name of await listOldServer(await oldServerFor(target, input, report))) {
    report.answer(report.shown(name), { event: "entry", name });
  }
  return 0;
}

export const statCommand = defineCommand({
  name: "stat",
  summary: "Show size, time and mode",
  words: "HOST PORT NAME...",
  wordsMax: Infinity,
  options: LOOK_OPTIONS,
  async run(input) {
    return await runOnNames(input, "Enter file name on server --> ", async (name, client, report) => {
      const entry = await client.stat(name);
      report.answer(longLine(entry, report), entryEvent(entry));
    });
  },
});

export const digestCommand = defineCommand({
  name: "digest",
  summary: "Show the BLAKE2b-512 of files, as b2sum does, without a transfer",
  words: "HOST PORT NAME...",
  wordsMax: Infinity,
  options: LOOK_OPTIONS,
  notes: ["Compare with files that are here: app digest HOST PORT NAME... | b2sum --check"],
  async run(input) {
    return await runOnNames(input, "Enter file name on server --> ", async (name, client, report) => {
      const { sizeBytes, crc, blake2b } = await client.digest(name);
      const hex = Array.from(blake2b, (byte) => byte.toString(16).padStart(2, "0")).join("");
      const crc32 = formatCrc(crc);
      report.answer(`${hex}  ${report.shown(name)}`, { event: "checksum", name, sizeBytes, crc32, blake2b: hex });
    });
  },
});

function entryEvent({ name, kind, sizeBytes, mtimeMs, mode }: Entry): Event {
  const mtime = new Date(mtimeMs).toISOString();
  return { event: "entry", name, kind, sizeBytes, mtime, mode: mode.toString(8).padStart(3, "0") };
}

function shortLine({ name, kind }: Entry, report: Report): string {
  return report.shown(name) + (kind === "directory" ? "/" : "");
}

function longLine(entry: Entry, report: Report): string {
  const size = entry.kind === "directory" ? "-" : formatSize(entry.sizeBytes);
  const type = { file: "-", directory: "d", other: "?" }[entry.kind];
  return `${type}${permissions(entry.mode)}  ${size.padStart(8)}  ${formatTime(entry.mtimeMs)}  ${
    shortLine(entry, report)
  }`;
}

function permissions(mode: number): string {
  return Array.from("rwxrwxrwx", (letter, index) => mode & (0o400 >> index) ? letter : "-").join("");
}
