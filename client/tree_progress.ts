/** Progress of a whole tree as a line of text. Pure: steps and times in, text out. */
import { formatCount, formatDuration, formatSize } from "../protocol/cli/format.ts";
import type { TreeStep } from "../protocol/exchange/tree_report.ts";
import { escapeName } from "../protocol/escape.ts";
import { type ColumnsOf, columnsOfAscii } from "./columns.ts";
import { clip } from "./progress.ts";

/** Where it stands. */
export interface TreeFigures {
  readonly entries: number;
  /** Of all files that were found. */
  readonly sizeBytes: number;
  /** Whether `entries` and `sizeBytes` are all that there is. */
  readonly isCounted: boolean;
  /** Files that are stored, and bytes that have moved. */
  readonly files: number;
  readonly bytes: number;
}

export class TreeMeter {
  readonly #startMs: number;
  #figures: TreeFigures = { entries: 0, sizeBytes: 0, isCounted: false, files: 0, bytes: 0 };
  #name = "";

  constructor(nowMs: number) {
    this.#startMs = nowMs;
  }

  get figures(): TreeFigures {
    return this.#figures;
  }

  update(step: TreeStep, _nowMs: number): void {
    if (step.isAgain) this.#figures = { ...this.#figures, entries: 0, sizeBytes: 0, isCounted: false };
    const { entries, sizeBytes, isCounted, files, bytes } = this.#figures;
    this.#figures = {
      entries: entries + (step.entries ?? 0),
      sizeBytes: sizeBytes + (step.sizeBytes ?? 0),
      isCounted: isCounted || (step.isCounted ?? false),
      files: files + (step.files ?? 0),
      bytes: bytes + (step.bytes ?? 0),
    };
    if (step.name !== undefined) this.#name = step.name;
  }

  /** While it runs: how much was found, and whether that is all; how much is stored, how fast, and what is under way. */
  line(_name: string, nowMs: number, columns: number, columnsOf: ColumnsOf = columnsOfAscii): string {
    const { entries, isCounted, files, bytes } = this.#figures;
    const found = `${formatCount(entries, "name")}${isCounted ? "" : ", still counting"}`;
    const facts = [found, `${formatCount(files, "file")} stored`, formatSize(bytes), this.#speed(nowMs)].join("  ");
    const room = columns - 1 - facts.length - 2;
    return room < 8
      ? clip(facts, columns - 1, columnsOf)
      : `${facts}  ${clip(escapeName(this.#name), room, columnsOf)}`;
  }

  finalLine(_name: string, nowMs: number): string {
    const { entries, files, bytes } = this.#figures;
    const took = formatDuration((nowMs - this.#startMs - 500) / 1000);
    return `${formatCount(entries, "name")}  ${formatCount(files, "file")} stored  ${formatSize(bytes)}  ${
      this.#speed(nowMs)
    }  ${took}`;
  }

  #speed(nowMs: number): string {
    return `${formatSize(this.#figures.bytes / Math.max(1, nowMs - this.#startMs) * 1000)}/s`;
  }
}
