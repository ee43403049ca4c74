/** `app get`. */
import { type CommandInput, defineCommand } from "../../protocol/cli/command.ts";
import { COMPRESS_OPTION } from "../../protocol/compressions.ts";
import { AppError, hasCode } from "../../protocol/errors.ts";
import type { TransferProgress, TransferResult } from "../../protocol/exchange/transfer.ts";
import { quoteName } from "../../protocol/escape.ts";
import { LocalTree } from "../../protocol/files/local_tree.ts";
import { validateName } from "../../protocol/names.ts";
import { type Destination, getFile, intoTree } from "../get.ts";
import type { ImageFacts } from "../image/describe.ts";
import { hasImageName } from "../image/name.ts";
import {
  clientFor,
  COMMON_OPTIONS,
  IF_EXISTS_OPTION,
  IF_IMPOSSIBLE_OPTION,
  ifTakenOf,
  oldServerFor,
  reportFor,
  targetFor,
  wireOption,
} from "../options.ts";
import { PipeDestination } from "../pipe.ts";
import { noteRestarted, tellDone } from "../report.ts";
import { askFor, namesOf } from "../target.ts";
import { forEachName } from "./each.ts";
import { makeTree, statIfThere } from "./local_place.ts";

const OPTIONS = [
  {
    name: "output",
    short: "o",
    kind: "text",
    value: "PATH",
    help: "A file, a directory, or - for stdout (default: the same name, here)",
  },
  IF_EXISTS_OPTION,
  IF_IMPOSSIBLE_OPTION,
  { name: "show", kind: "flag", help: "Draw a picture on the terminal, if that can" },
  wireOption("share", "image"),
  COMPRESS_OPTION,
  ...COMMON_OPTIONS,
] as const;

export const getCommand = defineCommand({
  name: "get",
  summary: "Get files and directories",
  words: "HOST PORT NAME...",
  wordsMax: Infinity,
  options: OPTIONS,
  notes: [
    "A NAME such as a/b/c.jpg is stored under the same name, in directories that are made.",
    "Of a directory everything is got; files that are here already with the same size and time are left as they are.",
    "An interrupted transfer goes on when the same command is run again; with an old --wire it starts anew.",
  ],
  run,
});

/** Where files go, and under which names. */
interface Place {
  readonly tree: LocalTree;
  /** The local name, where it is not the remote one. */
  readonly as?: string;
}

async function run(input: CommandInput<typeof OPTIONS>): Promise<number> {
  const { options, terminal } = input;
  const taken = targetFor(input);
  const { target } = taken;
  const given = namesOf(taken);
  const names = given.length > 0 ? given : [askFor("NAME", "Enter file name on server --> ", terminal)];
  names.forEach(validateName);
  const { wire } = options;
  const old = wire === "app" ? undefined : await import("../old/files.ts");
  if (wire !== "app") names.forEach((name) => old!.encodeGet(wire, name));
  const isPipe = options.output === "-";
  if (isPipe && terminal.showsResults) {
    throw new AppError("usage", "The content would go to the terminal", {
      advice: "Pipe or redirect it, or say --output PATH",
    });
  }
  const report = reportFor(input, isPipe);
  const place = isPipe ? undefined : placeOf(options.output, names);
  // Asked now: what is typed during a long transfer would get between the question and its answer.
  const show = options.show && !options.json ? await import("../image/show.ts") : undefined;
  const screen = await show?.findScreenOrSay(terminal, report);
  await using client = clientFor(target, input, report);
  return await forEachName(names, report, async (name): Promise<number | void> => {
    try {
      const destination = place
        ? intoTree(place.tree, place.as ?? name, ifTakenOf(options["if-exists"]))
        : new PipeDestination((bytes) => terminal.write(bytes));
      const result = await getWithProgress(name, destination);
      const image = await describeStored(place, result.name);
      const facts = { ...result, image, isUnverified: wire !== "app" };
      tellDone(report, "downloaded", name, isPipe ? "-" : result.name, facts);
      if (screen && place) await show!.drawOrSay(terminal, report, screen, place.tree, result.name);
    } catch (error) {
      if (place && wire === "app" && await isTree(error, name, place)) return await getTree(name, place);
      const isTaken = hasCode(error, "exists") && error.by === "us";
      if (options["if-exists"] !== "skip" || !isTaken) throw error;
      report.result(`${report.shown(name)} skipped: it is here already.`, { event: "skipped", name });
    }
  });

  /** Whether `error` came because the name is a directory: on the server, and perhaps here, too. */
  async function isTree(error: unknown, name: string, { tree, as = name }: Place): Promise<boolean> {
    if (!(error instanceof AppError)) return false;
    if (error.by === "peer") return error.code === "is_directory";
    if (error.code !== "exists" || tree.folderIfThere(as) === undefined) return false;
    return (await client.stat(name)).kind === "directory";
  }

  async function getTree(name: string, { tree, as }: Place): Promise<number> {
    const { pullTree } = await import("../tree.ts");
    const { reportTree } = await import("./tree_report.ts");
    const { "if-exists": ifDifferent, "if-impossible": ifImpossible } = input.options;
    const options = { ifDifferent, ifImpossible, into: as ?? name };
    return await reportTree(
      report,
      name,
      options,
      (reported) => pullTree(client, name, tree, { ...options, ...reported }),
    );
  }

  async function getWithProgress(name: string, destination: Destination): Promise<TransferResult> {
    using progress = report.progress(name);
    const onProgress = (state: TransferProgress) => progress.update(state);
    const onRestart = () => noteRestarted(report, name, "on the server");
    const result = wire === "app"
      ? await getFile(client, name, destination, { onProgress, onRestart })
      : await old!.getOldFile(await oldServerFor(target, input, report), wire, name, destination, onProgress);
    progress.finish();
    return result;
  }
}

/** What the stored file is, where its name is that of an image. */
async function describeStored(place: Place | undefined, name: string): Promise<ImageFacts | undefined> {
  if (!place || !hasImageName(name)) return;
  const { describeLocal } = await import("../image/local.ts");
  return await describeLocal(place.tree, name);
}

function placeOf(output: string | undefined, names: readonly string[]): Place {
  if (output === undefined) return { tree: new LocalTree(".") };
  const there = statIfThere(output);
  if (output.endsWith("/") || there?.isDirectory) return { tree: makeTree(output) };
  if (there && !there.isFile) {
    throw new AppError("not_a_file", `Cannot store anything in ${quoteName(output)}: it is not a regular file`, {
      advice: "Say --output - and redirect it there with >",
    });
  }
  if (names.length > 1) {
    throw new AppError("usage", `Cannot store ${names.length} files as ${JSON.stringify(output)}`, {
      advice: "Name a directory, with / at its end",
    });
  }
  const slash = output.lastIndexOf("/");
  return { tree: makeTree(slash < 0 ? "." : output.slice(0, slash) || "/"), as: output.slice(slash + 1) };
}
