/** `app push` and `app pull`: make one directory like another. */
import { type CommandInput, defineCommand } from "../../protocol/cli/command.ts";
import { COMPRESS_OPTION } from "../../protocol/compressions.ts";
import { AppError } from "../../protocol/errors.ts";
import { quoteName } from "../../protocol/escape.ts";
import { LocalTree } from "../../protocol/files/local_tree.ts";
import { validateDirectoryName } from "../../protocol/names.ts";
import { KEEPING } from "../../protocol/wire/messages/sync.ts";
import { Client } from "../client.ts";
import { clientFor, clientOptionsFor, IF_IMPOSSIBLE_OPTION, LOOK_OPTIONS, reportFor } from "../options.ts";
import { askFor, formatTarget, takeTarget } from "../target.ts";
import { pullTree, pushTree, type TreeOptions } from "../tree.ts";
import { EXCLUSION_OPTIONS, exclusionOf } from "./exclusion.ts";
import { treeFor } from "./local_place.ts";
import { reportTree } from "./tree_report.ts";
import { WATCH_OPTION, watchTree } from "./watch_tree.ts";

const OPTIONS = [
  { name: "delete", kind: "flag", help: "Remove there what is not here, when all else is done" },
  {
    name: "max-delete",
    kind: "count",
    value: "N",
    default: 100,
    help: "Remove nothing at all if it would be more than N",
  },
  { name: "dry-run", kind: "flag", help: "Change nothing; show what would be done" },
  WATCH_OPTION,
  { name: "checksum", kind: "flag", help: "Compare files of the same size by content, not by time" },
  ...EXCLUSION_OPTIONS,
  IF_IMPOSSIBLE_OPTION,
  {
    name: "trash",
    kind: "choice",
    choices: KEEPING,
    default: "auto",
    help: "Keep what is replaced or removed (app undo); on: leave what cannot be kept",
  },
  { name: "no-flush", kind: "flag", help: "Do not wait for the disk: a crash of the machine may take files away" },
  COMPRESS_OPTION,
  ...LOOK_OPTIONS,
] as const;

type Input = CommandInput<typeof OPTIONS>;

export const pushCommand = defineCommand({
  name: "push",
  summary: "Make a directory on the server like one that is here",
  words: "HOST PORT DIR [REMOTE]",
  wordsMax: 4,
  options: OPTIONS,
  notes: [
    "REMOTE is the shared directory itself, unless it is given.",
    "Changed files need a server that was started with --allow-overwrite, --delete one with --allow-remove.",
  ],
  async run(input) {
    const { target, rest } = takeTarget(input.words, input.terminal);
    const [path = askFor("DIR", "Enter directory name --> ", input.terminal), remote = ""] = rest;
    const name = directoryNameOf(remote);
    const tree = new LocalTree(path);
    const report = reportFor(input);
    const options = await treeOptionsOf(input);
    await using client = clientFor(target, input, report);
    const work = (reported: TreeOptions) => pushTree(client, tree, name, reported);
    if (!input.options.watch) return await reportTree(report, path, options, work);
    const { LocalChanges } = await import("../watch.ts");
    return await watchTree({
      ...watchedOf(input, options),
      ...{ client, report, path, work, shown: quoteName(path) },
      watch: (onPolling) => LocalChanges.start(tree, { excludes: options.excludes, onPolling }),
    });
  },
});

export const pullCommand = defineCommand({
  name: "pull",
  summary: "Make a directory here like one on the server",
  words: "HOST PORT [REMOTE] DIR",
  wordsMax: 4,
  options: OPTIONS,
  notes: ["REMOTE is the shared directory itself, unless it is given. DIR is made."],
  async run(input) {
    const { target, rest } = takeTarget(input.words, input.terminal);
    const path = rest.at(-1) ?? askFor("DIR", "Enter directory name --> ", input.terminal);
    const name = directoryNameOf(rest.length > 1 ? rest[0]! : "");
    if (rest.length > 2) {
      throw new AppError("usage", `Unexpected ${JSON.stringify(rest[2])}: pull takes two directories`);
    }
    const report = reportFor(input);
    const options = await treeOptionsOf(input);
    await using client = clientFor(target, input, report);
    const { tree, into } = treeFor(path);
    const work = (reported: TreeOptions) => pullTree(client, name, tree, { ...reported, into });
    if (!input.options.watch) return await reportTree(report, path, options, work);
    const { ServerWatch } = await import("../watch_server.ts");
    const connect = (signal: AbortSignal) => new Client(target, { ...clientOptionsFor(input, report), signal });
    const { signal } = watchedOf(input, options);
    return await watchTree({
      ...watchedOf(input, options),
      ...{ client, report, path, work, shown: `${quoteName(name || "/")} of ${formatTarget(target)}` },
      watch: (onPolling) => ServerWatch.start(connect, name, { signal, onPolling }),
    });
  },
});

async function treeOptionsOf({ options }: Input): Promise<TreeOptions> {
  if (options.watch && options["dry-run"]) {
    throw new AppError("usage", "--watch and --dry-run exclude each other: a dry run has nothing to go on with");
  }
  return {
    ifDifferent: "replace",
    isExact: true,
    hasChecksums: options.checksum,
    removeMax: options.delete ? options["max-delete"] : undefined,
    isDryRun: options["dry-run"],
    isUnflushed: options["no-flush"],
    ifImpossible: options["if-impossible"],
    trash: options.trash,
    excludes: await exclusionOf(options),
  };
}

function watchedOf({ options, interruption }: Input, treeOptions: TreeOptions) {
  return { isJson: options.json, signal: interruption.signal(), options: treeOptions };
}

export function directoryNameOf(word: string): string {
  const name = word === "." || word === "/" ? "" : word.replace(/\/$/, "");
  validateDirectoryName(name);
  return name;
}
