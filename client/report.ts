/**
 * What a person, a file or a program is told while commands run: progress, results, errors.
 *
 * Progress is painted only on a terminal; where stderr is a file, a plain line now and then says that it goes on. With
 * `--json` stdout has one object a line and nothing else; with `--quiet` only errors are told.
 */
import { formatSize } from "../protocol/cli/format.ts";
import type { Terminal } from "../protocol/cli/terminal.ts";
import type { AppError } from "../protocol/errors.ts";
import type { TreeStep } from "../protocol/exchange/tree_report.ts";
import type { TransferProgress, TransferResult } from "../protocol/exchange/transfer.ts";
import { hideSecrets } from "../protocol/wire/link.ts";
import { every } from "../protocol/timers.ts";
import { LENGTH_UNVERIFIED } from "../protocol/wire/share.ts";
import { escapeName, escapeText, formatJson } from "../protocol/escape.ts";
import { type ColumnsOf, columnsOfAscii, isAscii, loadColumnsOf } from "./columns.ts";
import type { ImageFacts } from "./image/describe.ts";
import { ProgressMeter } from "./progress.ts";
import { TreeMeter } from "./tree_progress.ts";

const PAINT_MS = 100;
const PLAIN_LINE_MS = 10_000;
const JSON_PROGRESS_MS = 500;
const GREEN = "\x1b[32m";
const RESET = "\x1b[0m";
const CLEAR_LINE = "\r\x1b[K";

export interface ReportOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  /** Stdout carries file data: results go to stderr. */
  readonly dataOnStdout?: boolean;
}

/** A JSON event is any object with the word that says what happened. */
export interface Event {
  readonly event:
    | "start"
    | "progress"
    | "retry"
    | "restart"
    | "done"
    | "skipped"
    | "entry"
    | "checksum"
    | "greeting"
    | "record"
    | "beat"
    | "status"
    | "remembered"
    | "forgotten"
    | "planned"
    | "tally"
    | "watching"
    | "run"
    | "undoing"
    | "undone"
    | "error";
  readonly [key: string]: unknown;
}

export class Report {
  readonly #terminal: Terminal;
  readonly #options: ReportOptions;
  /** What may have to be wiped off the line before anything else is told. */
  #painted: { wipe(): void } | undefined;

  constructor(terminal: Terminal, options: ReportOptions) {
    this.#terminal = terminal;
    this.#options = options;
  }

  /** A result: the line for people, or the event for programs. */
  result(line: string, event: Event): void {
    const { json, quiet, dataOnStdout } = this.#options;
    if (json) this.#event(event);
    else if (dataOnStdout) this.note(line);
    else if (!quiet) this.#terminal.result(line);
  }

  /** Several results, in one go; where progress is painted, it makes room for them. */
  results(all: readonly { readonly line: string; readonly event: Event }[]): void {
    const { json, quiet } = this.#options;
    if (all.length === 0 || (quiet && !json)) return;
    if (!json) this.#painted?.wipe();
    this.#terminal.result(all.map(({ line, event }) => json ? formatJson(event) : line).join("\n"));
  }

  /** As `result`, for what was asked for and not only for what was done: `--quiet` does not keep it back. */
  answer(line: string, event: Event): void {
    if (this.#options.json) this.#event(event);
    else this.#terminal.result(line);
  }

  /** For people, beside the result; for programs the event, if there is one. */
  note(line: string, event?: Event): void {
    if (this.#options.json && event) return this.#event(event);
    if (this.#options.json || this.#options.quiet) return;
    this.#painted?.wipe();
    this.#terminal.note(escapeText(hideSecrets(line)) + "\n");
  }

  /** One line for what failed, one for what to do next; `name` is what it failed for, where there are several. */
  error(error: AppError, name?: string): void {
    const facts = name === undefined ? {} : { name: hideSecrets(name) };
    const { code, retriable } = error;
    const [message, advice] = [hideSecrets(error.message), hideSecrets(error.advice)];
    if (this.#options.json) return this.#event({ event: "error", ...facts, code, message, advice, retriable });
    this.#painted?.wipe();
    this.#terminal.note(`${escapeText(message)}\n${escapeText(advice)}\n`);
  }

  /** A name as stdout should have it: escaped on a terminal, as it is for a program. */
  shown(name: string): string {
    return this.#terminal.showsResults ? escapeName(name) : name;
  }

  /** The progress of one transfer; dispose it at its end. */
  progress(name: string): ProgressReport {
    const { json, quiet } = this.#options;
    if (json) return new JsonProgress(name, (event) => this.#event(event));
    if (quiet) return SILENT;
    const meter = new ProgressMeter(performance.now());
    return this.#painted = new PaintedProgress(escapeName(name), this.#terminal, meter);
  }

  /** The progress of a whole tree; dispose it at its end. */
  treeProgress(): ProgressReport<TreeStep> {
    const { json, quiet } = this.#options;
    if (json) return new JsonTreeProgress((event) => this.#event(event));
    if (quiet) return SILENT;
    return this.#painted = new PaintedProgress("", this.#terminal, new TreeMeter(performance.now()));
  }

  #event(event: Event): void {
    if (this.#options.dataOnStdout) this.#terminal.note(formatJson(event) + "\n");
    else this.#terminal.result(formatJson(event));
  }
}

export interface ProgressReport<P = TransferProgress> extends Disposable {
  update(progress: P): void;
  /** It is done: the last line. */
  finish(): void;
}

const SILENT: ProgressReport<unknown> = { update() {}, finish() {}, [Symbol.dispose]() {} };

class JsonProgress implements ProgressReport {
  readonly #name: string;
  readonly #emit: (event: Event) => void;
  #phase: TransferProgress["phase"] | undefined;
  #toldAt = 0;

  constructor(name: string, emit: (event: Event) => void) {
    this.#name = name;
    this.#emit = emit;
  }

  update({ phase, bytes, sizeBytes }: TransferProgress): void {
    const now = performance.now();
    const isNewPhase = phase !== this.#phase;
    if (this.#phase === undefined) this.#emit({ event: "start", name: this.#name, sizeBytes });
    else if (!isNewPhase && now - this.#toldAt < JSON_PROGRESS_MS) return;
    this.#emit({ event: "progress", name: this.#name, phase, bytes, sizeBytes });
    this.#phase = phase;
    this.#toldAt = now;
  }

  finish(): void {}

  [Symbol.dispose](): void {}
}

class JsonTreeProgress implements ProgressReport<TreeStep> {
  readonly #emit: (event: Event) => void;
  readonly #meter = new TreeMeter(performance.now());
  #toldAt = 0;

  constructor(emit: (event: Event) => void) {
    this.#emit = emit;
  }

  update(step: TreeStep): void {
    const now = performance.now();
    this.#meter.update(step, now);
    if (now - this.#toldAt < JSON_PROGRESS_MS) return;
    this.#emit({ event: "progress", ...this.#meter.figures });
    this.#toldAt = now;
  }

  finish(): void {}

  [Symbol.dispose](): void {}
}

/** What turns progress into lines. */
interface Meter<P> {
  update(progress: P, nowMs: number): void;
  line(name: string, nowMs: number, columns: number, columnsOf?: ColumnsOf): string;
  finalLine(name: string, nowMs: number): string;
}

class PaintedProgress<P> implements ProgressReport<P> {
  readonly #name: string;
  readonly #terminal: Terminal;
  readonly #meter: Meter<P>;
  readonly #painting: Disposable;
  #columnsOf: ColumnsOf | undefined;
  #isPainted = false;
  #isOver = false;

  constructor(name: string, terminal: Terminal, meter: Meter<P>) {
    this.#name = name;
    this.#meter = meter;
    if (isAscii(name)) this.#columnsOf = columnsOfAscii;
    this.#terminal = terminal;
    this.#painting = every(terminal.isInteractive ? PAINT_MS : PLAIN_LINE_MS, () => this.#paint());
  }

  update(progress: P): void {
    this.#meter.update(progress, performance.now());
  }

  finish(): void {
    const { isInteractive, hasColor } = this.#terminal;
    if (!isInteractive) return;
    const line = this.#meter.finalLine(this.#name, performance.now());
    this.#terminal.note(`${CLEAR_LINE}${hasColor ? GREEN : ""}${line}${hasColor ? RESET : ""}\n`);
    this.#isPainted = false;
  }

  [Symbol.dispose](): void {
    this.#painting[Symbol.dispose]();
    this.#isOver = true;
    this.wipe();
  }

  /** Takes the line off the terminal; the next painting brings it back. */
  wipe(): void {
    if (this.#isPainted) this.#terminal.note(CLEAR_LINE);
    this.#isPainted = false;
  }

  #paint(): void {
    if (!this.#columnsOf) return void this.#paintOnceLoaded();
    const { isInteractive, columns } = this.#terminal;
    const line = this.#meter.line(this.#name, performance.now(), columns, this.#columnsOf);
    this.#terminal.note(isInteractive ? CLEAR_LINE + line : line + "\n");
    this.#isPainted = isInteractive;
  }

  async #paintOnceLoaded(): Promise<void> {
    this.#columnsOf = await loadColumnsOf();
    if (!this.#isOver) this.#paint();
  }
}

/** What a transfer came to, and what else is known of it. */
export interface TransferFacts extends TransferResult {
  readonly image?: ImageFacts | undefined;
  /** The format had no length to compare with. */
  readonly isUnverified?: boolean;
}

/** `84.3 KB` -> `84 KB`: beside a width and a height nobody wants to know more. */
function roundSize(bytes: number): string {
  return formatSize(bytes).replace(/^\d\d\.\d/, (number) => Number(number).toFixed(0));
}

/** Tells what a transfer came to: `name successfully downloaded`, and `as` what when that differs; `-` is a pipe. */
export function tellDone(
  report: Report,
  verb: "downloaded" | "uploaded",
  name: string,
  storedAs: string,
  { sizeBytes, crc, resumedBytes, reusedBytes, image, isUnverified = false }: TransferFacts,
): void {
  noteResumed(report, name, resumedBytes);
  noteReused(report, name, reusedBytes);
  const as = storedAs === name || storedAs === "-" ? "" : ` as ${report.shown(storedAs)}`;
  const facts = [
    ...(image ? [image.type, `${image.width} x ${image.height}`, roundSize(sizeBytes)] : []),
    ...(isUnverified ? [LENGTH_UNVERIFIED] : []),
  ];
  const behind = facts.length > 0 ? ` (${facts.join(", ")})` : "";
  report.result(`${report.shown(name)} successfully ${verb}${as}.${behind}`, {
    event: "done",
    name,
    storedAs,
    sizeBytes,
    crc32: formatCrc(crc),
    resumedBytes,
    reusedBytes,
    ...(image ? { image } : {}),
    ...(isUnverified ? { lengthVerified: false } : {}),
  });
}

/** Tells people that a transfer did not begin at zero. */
export function noteResumed(report: Report, name: string, resumedBytes: number): void {
  if (resumedBytes === 0) return;
  report.note(`${escapeName(name)} was resumed: ${formatSize(resumedBytes)} were there from an earlier attempt`);
}

function noteReused(report: Report, name: string, reusedBytes: number): void {
  if (reusedBytes === 0) return;
  report.note(`${formatSize(reusedBytes)} of ${escapeName(name)} were taken from the file that it replaced`);
}

/** Eight hexadecimal digits. */
export function formatCrc(crc: number): string {
  return crc.toString(16).padStart(8, "0");
}

/** Tells that an earlier attempt is of no use any more. */
export function noteRestarted(report: Report, name: string, where: "here" | "on the server"): void {
  const line = `${escapeName(name)} changed ${where} since the last attempt: starting anew`;
  report.note(line, { event: "restart", name });
}
