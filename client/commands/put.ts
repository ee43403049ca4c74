/** `app put`. */
import { type CommandInput, defineCommand } from "../../protocol/cli/command.ts";
import { COMPRESS_OPTION } from "../../protocol/compressions.ts";
import { AppError, hasCode } from "../../protocol/errors.ts";
import { LocalTree } from "../../protocol/files/local_tree.ts";
import type { TransferResult } from "../../protocol/exchange/transfer.ts";
import { validateName } from "../../protocol/names.ts";
import { encodeShareRequest } from "../../protocol/wire/share.ts";
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
import { PipeSource } from "../pipe.ts";
import { nameOfPath, putFile, putPipe } from "../put.ts";
import { noteRestarted, tellDone } from "../report.ts";
import { askFor } from "../target.ts";
import { forEachName } from "./each.ts";
import { statIfThere } from "./local_place.ts";

const OPTIONS = [
  { name: "as", kind: "text", value: "NAME", help: "The name on the server (default: the last part of FILE)" },
  IF_EXISTS_OPTION,
  IF_IMPOSSIBLE_OPTION,
  wireOption("share"),
  COMPRESS_OPTION,
  ...COMMON_OPTIONS,
] as const;

export const putCommand = defineCommand({
  name: "put",
  summary: "Put files and directories on the server",
  words: "HOST PORT FILE...|-",
  wordsMax: Infinity,
  options: OPTIONS,
  notes: [
    "Of a directory everything is put; files that are there already with the same size and time are left as they are.",
    "--if-exists replace needs a server that was started with --allow-overwrite.",
    "An interrupted transfer of a file goes on when the same command is run again.",
  ],
  run,
});

async function run(input: CommandInput<typeof OPTIONS>): Promise<number> {
  const { options, terminal } = input;
  const { target, rest, path: directory } = targetFor(input);
  const paths = rest.length > 0 ? rest : [askFor("FILE", "Enter file name --> ", terminal)];
  const names = namesFor(paths, directory, options.as);
  const isOld = options.wire === "share";
  if (isOld) verifyShareCan(names, options["if-exists"]);
  const report = reportFor(input);
  await using client = clientFor(target, input, report);
  return await forEachName(paths, report, async (path): Promise<number | void> => {
    const name = names.get(path)!;
    if (!isOld && path !== "-" && statIfThere(path)?.isDirectory) return await putTree(path, name);
    try {
      const result = await putWithProgress(path, name);
      tellDone(report, "uploaded", name, result.name, { ...result, isUnverified: isOld });
    } catch (error) {
      const isSkipped = options["if-exists"] === "skip" && hasCode(error, "exists");
      if (!isSkipped) throw error;
      report.result(`${report.shown(name)} skipped: it is on the server already.`, { event: "skipped", name });
    }
  });

  async function putTree(path: string, name: string): Promise<number> {
    const { pushTree } = await import("../tree.ts");
    const { reportTree } = await import("./tree_report.ts");
    const tree = new LocalTree(path);
    const treeOptions = { ifDifferent: options["if-exists"], ifImpossible: options["if-impossible"] };
    return await reportTree(report, name, treeOptions, (reported) => pushTree(client, tree, name, reported));
  }

  async function putWithProgress(path: string, name: string): Promise<TransferResult> {
    using progress = report.progress(name);
    if (isOld) {
      const from = path === "-" ? new PipeSource(Deno.stdin) : path;
      const { putOldFile } = await import("../old/files.ts");
      const server = await oldServerFor(target, input, report);
      const result = await putOldFile(server, from, name, progress.update.bind(progress));
      progress.finish();
      return result;
    }
    const putOptions = {
      ifExists: ifTakenOf(options["if-exists"]),
      onProgress: progress.update.bind(progress),
      onRestart: () => noteRestarted(report, name, "here"),
    };
    const result = path === "-"
      ? await putPipe(client, new PipeSource(Deno.stdin), name, putOptions)
      : await putFile(client, path, name, putOptions);
    progress.finish();
    return result;
  }
}

/** All that can be told before anybody is called. */
function verifyShareCan(names: ReadonlyMap<string, string>, ifExists: string): void {
  for (const name of names.values()) encodeShareRequest({ command: "put", name });
  if (ifExists === "error" || ifExists === "skip") return;
  throw new AppError("usage", `The format share knows no --if-exists ${ifExists}`, {
    advice: "A taken name is refused there: choose another with --as",
  });
}

/** The name on the server of each path, in the directory that a link leads to; all are looked at before anything is sent. */
function namesFor(
  paths: readonly string[],
  directory: string,
  as: string | undefined,
): ReadonlyMap<string, string> {
  if (as !== undefined && paths.length > 1) throw new AppError("usage", "--as names one file, but several were given");
  if (as === undefined && paths.includes("-")) {
    throw new AppError("usage", "What comes from stdin has no name", { advice: "Say it with --as NAME" });
  }
  const names = new Map<string, string>();
  const byName = new Map<string, string>();
  for (const path of paths) {
    const name = directory.replace(/(?<=[^/])$/, "/") + (as ?? nameOfPath(path));
    validateName(name);
    names.set(path, name);
    const other = byName.get(name);
    if (other !== undefined) {
      throw new AppError(
        "usage",
        `${JSON.stringify(other)} and ${JSON.stringify(path)} would both be ${JSON.stringify(name)}`,
        {
          advice: "Put them one by one, with --as",
        },
      );
    }
    byName.set(name, path);
  }
  return names;
}
