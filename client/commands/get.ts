/** `app get`. */
import { type CommandInput, defineCommand } from "../../protocol/cli/command.ts";
import { AppError } from "../../protocol/errors.ts";
import type { TransferProgress, TransferResult } from "../../protocol/exchange/transfer.ts";
import { quoteName } from "../../protocol/escape.ts";
import { translating } from "../../protocol/files/fs_errors.ts";
import { LocalTree } from "../../protocol/files/local_tree.ts";
import { validateName } from "../../protocol/names.ts";
import { type Destination, getFile, intoTree } from "../get.ts";
import { drawImage, requireImageProtocol } from "../image/draw.ts";
import { describeLocal, readLocalImage } from "../image/local.ts";
import { encodeGet, getOldFile } from "../old/files.ts";
import {
  clientFor,
  COMMON_OPTIONS,
  IF_EXISTS_OPTION,
  ifTakenOf,
  oldServerFor,
  reportFor,
  WIRE_OPTION,
} from "../options.ts";
import { PipeDestination } from "../pipe.ts";
import { noteRestarted, tellDone } from "../report.ts";
import { askFor, takeTarget } from "../target.ts";
import { forEachName } from "./each.ts";

const OPTIONS = [
  {
    name: "output",
    short: "o",
    kind: "text",
    value: "PATH",
    help: "A file, a directory, or - for stdout (default: the same name, here)",
  },
  IF_EXISTS_OPTION,
  { name: "show", kind: "flag", help: "Draw a picture on the terminal, if that can" },
  WIRE_OPTION,
  ...COMMON_OPTIONS,
] as const;

export const getCommand = defineCommand({
  name: "get",
  summary: "Get files",
  words: "HOST PORT NAME...",
  wordsMax: Infinity,
  options: OPTIONS,
  notes: [
    "A NAME such as a/b/c.jpg is stored under the same name, in directories that are made.",
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
  const { target, rest } = takeTarget(input.words, terminal);
  const names = rest.length > 0 ? rest : [askFor("NAME", "Enter file name on server --> ", terminal)];
  names.forEach(validateName);
  const { wire } = options;
  if (wire !== "app") names.forEach((name) => encodeGet(wire, name));
  const isPipe = options.output === "-";
  if (isPipe && terminal.showsResults) {
    throw new AppError("usage", "The content would go to the terminal", {
      advice: "Pipe or redirect it, or say --output PATH",
    });
  }
  const report = reportFor(input, isPipe);
  const place = isPipe ? undefined : placeOf(options.output, names);
  await using client = clientFor(target, input, report);
  const oldServer = oldServerFor(target, input, report);
  return await forEachName(names, report, async (name) => {
    try {
      const destination = place
        ? intoTree(place.tree, place.as ?? name, ifTakenOf(options["if-exists"]))
        : new PipeDestination((bytes) => terminal.write(bytes));
      const result = await getWithProgress(name, destination);
      const image = place && await describeLocal(place.tree, result.name);
      tellDone(report, "downloaded", name, isPipe ? "-" : result.name, {
        ...result,
        image,
        isUnverified: wire !== "app",
      });
      if (options.show && !options.json) await showOrSay(place?.tree, result.name);
    } catch (error) {
      const isTaken = error instanceof AppError && error.code === "exists" && error.by === "us";
      if (options["if-exists"] !== "skip" || !isTaken) throw error;
      report.result(`${report.shown(name)} skipped: it is here already.`, { event: "skipped", name });
    }
  });

  async function getWithProgress(name: string, destination: Destination): Promise<TransferResult> {
    using progress = report.progress(name);
    const onProgress = (state: TransferProgress) => progress.update(state);
    const result = wire === "app"
      ? await getFile(client, name, destination, {
        onProgress,
        onRestart: () => noteRestarted(report, name, "on the server"),
      })
      : await getOldFile(oldServer, wire, name, destination, onProgress);
    progress.finish();
    return result;
  }

  /** The file is here either way, so that it cannot be shown is no failure. */
  async function showOrSay(tree: LocalTree | undefined, name: string): Promise<void> {
    try {
      const protocol = requireImageProtocol(terminal, Deno.env.get);
      if (tree) await drawImage(terminal, protocol, await readLocalImage(tree, name));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      report.note(error.message);
    }
  }
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

function makeTree(directory: string): LocalTree {
  if (statIfThere(directory.replace(/\/+$/, "") || "/")?.isDirectory === false) {
    throw new AppError("not_a_directory", `Cannot store anything in ${quoteName(directory)}: it is not a directory`, {
      advice: "Name a directory with --output, or a new one",
    });
  }
  translating("store anything in", directory, () => Deno.mkdirSync(directory, { recursive: true }));
  return new LocalTree(directory);
}

function statIfThere(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined; // whatever is wrong with it is told when something is stored there
  }
}
