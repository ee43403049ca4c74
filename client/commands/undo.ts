/** `app undo`: takes the last push or pull back. */
import { type CommandInput, defineCommand } from "../../protocol/cli/command.ts";
import { formatCount, formatNumber, formatTime } from "../../protocol/cli/format.ts";
import { AppError } from "../../protocol/errors.ts";
import { LocalTree } from "../../protocol/files/local_tree.ts";
import { isLink } from "../../protocol/wire/link.ts";
import type { UndoAction } from "../../protocol/wire/messages/sync.ts";
import { clientFor, LOOK_OPTIONS, reportFor, targetFor } from "../options.ts";
import type { Report } from "../report.ts";
import { type UndoneRun, undoPull, undoPush, type UndoTreeOptions } from "../undo.ts";
import { statIfThere } from "./local_place.ts";
import { directoryNameOf } from "./push.ts";

const OPTIONS = [
  { name: "dry-run", kind: "flag", help: "Change nothing; show what would be done" },
  ...LOOK_OPTIONS,
] as const;

type Input = CommandInput<typeof OPTIONS>;

/** What a person reads of each action. */
const WORDS: Readonly<Record<UndoAction, string>> = {
  restore: "restored",
  remove: "removed",
  make: "made",
  adjust: "adjusted",
  move: "moved",
};
const WORD_COLUMNS = 10;

export const undoCommand = defineCommand({
  name: "undo",
  summary: "Take back the last push into a server, or the last pull into a directory",
  words: "HOST PORT [REMOTE]|DIR",
  wordsMax: 3,
  options: OPTIONS,
  notes: [
    "One word that is no link is the directory DIR that was pulled into; REMOTE and DIR stand for what is below, too.",
    "What was changed since is left as it is. The second time it takes back what it did the first time.",
  ],
  run,
});

async function run(input: Input): Promise<number> {
  const report = reportFor(input);
  const telling = new Telling(report, input.options["dry-run"]);
  const directory = localDirectoryOf(input);
  if (directory !== undefined) {
    return telling.finish(await undoPull(new LocalTree(directory), telling.options));
  }
  const { target, rest, path } = targetFor(input);
  if (rest.length > 1) throw new AppError("usage", `Unexpected ${JSON.stringify(rest[1])}: undo takes one directory`);
  const name = directoryNameOf(rest[0] ?? (path.endsWith("/") ? path : ""));
  await using client = clientFor(target, input, report);
  return telling.finish(await undoPush(client, name, telling.options));
}

/** A single word is a directory here, unless it says which server, or that is said elsewhere. */
function localDirectoryOf({ words, options, ...rest }: Input): string | undefined {
  const [word] = words;
  const hasServer = "holder" in rest || options["link-file"] !== undefined || Deno.env.get("APP_LINK");
  if (words.length !== 1 || word === undefined || hasServer || isLink(word)) return undefined;
  const isAddress = /:\d+$/.test(word) && !statIfThere(word);
  return isAddress ? undefined : word;
}

class Telling {
  readonly #report: Report;
  readonly #isDryRun: boolean;
  #count = 0;

  constructor(report: Report, isDryRun: boolean) {
    this.#report = report;
    this.#isDryRun = isDryRun;
  }

  get options(): UndoTreeOptions {
    return {
      isDryRun: this.#isDryRun,
      onBegun: (run) => this.#tellRun(run),
      onUndone: (action, name) => {
        this.#count++;
        const line = `${WORDS[action].padEnd(WORD_COLUMNS)}${this.#report.shown(name)}`;
        this.#report.result(line, { event: "undone", action, name });
      },
      onFailed: (name, error) => this.#report.error(error, name),
    };
  }

  /** Tells what it came to; the exit code. */
  finish(failed: number): number {
    const what = `${formatCount(this.#count, "name")} ${this.#isDryRun ? "to undo" : "undone"}`;
    const failures = failed > 0 ? `, ${formatNumber(failed)} failed` : "";
    const figures = { count: this.#count, failed, isDryRun: this.#isDryRun };
    this.#report.result(`${what}${failures}.`, { event: "done", ...figures });
    return failed > 0 ? 1 : 0;
  }

  #tellRun({ directory, startedMs, isUndo }: UndoneRun): void {
    const where = directory === "" ? "" : ` in ${this.#report.shown(directory)}`;
    const line = `Undoing ${isUndo ? "the undo" : "the run"} of ${formatTime(startedMs)}${where}`;
    this.#report.note(line, { event: "undoing", name: directory, time: new Date(startedMs).toISOString(), isUndo });
  }
}
