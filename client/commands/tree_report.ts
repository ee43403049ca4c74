/** What commands on whole trees tell: each action, each failure, and what it all came to. */
import { formatCount, formatNumber, formatSize } from "../../protocol/cli/format.ts";
import { AppError } from "../../protocol/errors.ts";
import { quoteName } from "../../protocol/escape.ts";
import type { TreeStep } from "../../protocol/exchange/tree_report.ts";
import type { PlannedAction } from "../../protocol/wire/plan_actions.ts";
import type { ProgressReport, Report } from "../report.ts";
import type { TreeOptions, TreeResult } from "../tree.ts";

/** What a person reads of each action; of the others nothing. */
const WORDS: Partial<Record<PlannedAction | "remove", string>> = {
  create: "new",
  replace: "changed",
  make: "made",
  link: "linked",
  adjust: "adjusted",
  skip: "skipped",
  move: "moved",
  remove: "removed",
};
const WORD_COLUMNS = 10;

/** So many lines are written together. */
const LINES_TOGETHER = 256;

class TreeReport implements Disposable {
  readonly #report: Report;
  readonly #progress: ProgressReport<TreeStep>;
  readonly #isDryRun: boolean;
  #lines: Parameters<Report["results"]>[0][number][] = [];
  #sizeBytes = 0;

  constructor(report: Report, isDryRun: boolean) {
    this.#report = report;
    this.#isDryRun = isDryRun;
    this.#progress = report.treeProgress();
  }

  /** To be handed to `pushTree` and `pullTree`. */
  get events(): Pick<
    TreeOptions,
    "onPlanned" | "onRemoved" | "onFailed" | "onProgress" | "onLeftOut" | "onHidden"
  > {
    return {
      onPlanned: (action, name, { kind }, from) =>
        this.#tellAction(action, kind === "directory" ? `${name}/` : name, from),
      onRemoved: (names) => names.forEach((name) => this.#tellAction("remove", name)),
      onFailed: (name, error) => this.#tellFailure(name, error),
      onProgress: (step) => {
        this.#sizeBytes = (step.isAgain ? 0 : this.#sizeBytes) + (step.sizeBytes ?? 0);
        this.#progress.update(step);
      },
      onLeftOut: (name, error) => this.#tellLeftOut(name, error),
      onHidden: (count) => this.#tellHidden(count),
    };
  }

  /** Tells what it came to; the exit code. */
  finish(name: string, result: TreeResult): number {
    this.#write();
    this.#progress.finish();
    const { files, fileBytes, unchanged, skipped, moved, removed, failed, unkept = 0, bytesOnWire } = result;
    const counts = [
      `${formatCount(files, "file")} ${this.#isDryRun ? "to send" : "sent"} (${formatSize(fileBytes)})`,
      `${formatNumber(unchanged)} unchanged`,
      ...(skipped > 0 ? [`${formatNumber(skipped)} skipped`] : []),
      ...(moved > 0 ? [`${formatNumber(moved)} ${this.#isDryRun ? "to move" : "moved"}`] : []),
      ...(removed > 0 ? [`${formatNumber(removed)} ${this.#isDryRun ? "to remove" : "removed"}`] : []),
      ...(unkept > 0 ? [`${formatNumber(unkept)} not kept`] : []),
      ...(failed > 0 ? [`${formatNumber(failed)} failed`] : []),
    ];
    const wire = `${formatSize(bytesOnWire)} on the wire for a tree of ${formatSize(this.#sizeBytes)}`;
    const figures = { ...result, sizeBytes: this.#sizeBytes, isDryRun: this.#isDryRun };
    this.#report.result(`${counts.join(", ")}; ${wire}.`, { event: "tally", name, ...figures });
    return failed > 0 ? 1 : 0;
  }

  [Symbol.dispose](): void {
    this.#write();
    this.#progress[Symbol.dispose]();
  }

  #tellAction(action: PlannedAction | "remove", name: string, from?: string): void {
    const word = WORDS[action];
    if (!word) return;
    const before = from === undefined ? "" : `${this.#report.shown(from)} -> `;
    const line = `${word.padEnd(WORD_COLUMNS)}${before}${this.#report.shown(name)}`;
    this.#lines.push({ line, event: { event: "planned", action, name, ...(from === undefined ? {} : { from }) } });
    if (this.#lines.length >= LINES_TOGETHER) this.#write();
  }

  #tellFailure(name: string, error: AppError): void {
    this.#write();
    this.#report.error(error, name || undefined);
  }

  #tellLeftOut(name: string, error: AppError | undefined): void {
    const reason = error ?? new AppError("not_a_file", `${quoteName(name)} is left out: the server cannot send that`);
    if (reason.code === "bad_name") return this.#tellFailure(name, reason);
    this.#write();
    this.#report.note(reason.message, { event: "skipped", name });
  }

  #tellHidden(count: number): void {
    const message = `${formatCount(count, "name")} of the server cannot be sent: they break the name rule`;
    this.#tellFailure("", new AppError("bad_name", message));
  }

  #write(): void {
    const lines = this.#lines;
    this.#lines = [];
    this.#report.results(lines);
  }
}

/** Runs `work`, telling what it does and what it came to; the exit code. */
export async function reportTree(
  report: Report,
  name: string,
  options: TreeOptions,
  work: (options: TreeOptions) => Promise<TreeResult>,
): Promise<number> {
  using treeReport = new TreeReport(report, options.isDryRun ?? false);
  return treeReport.finish(name, await work({ ...options, ...treeReport.events }));
}
