/**
 * Progress of one transfer as a line of text. Pure: bytes and times in, text out.
 *
 * The speed is an average that forgets within some seconds. The time left never jumps: it may fall at will, and rise
 * only as fast as time passes.
 */
import { formatDuration, formatSize } from "../protocol/cli/format.ts";
import type { TransferProgress } from "../protocol/exchange/transfer.ts";
import { type ColumnsOf, columnsOfAscii } from "./columns.ts";

/** Half of what is known of the speed is forgotten in this time. */
const SPEED_HALF_LIFE_MS = 2_000;
const SAMPLE_MS = 200;
const STALLED_AFTER_MS = 3_000;
const BAR_COLUMNS = 20;
const NAME_COLUMNS_MIN = 8;

export class ProgressMeter {
  #phase: TransferProgress["phase"] = "moving";
  #bytes = 0;
  #sizeBytes: number | undefined;
  /** What was there before, and so says nothing of the speed. */
  #startBytes: number | undefined;
  #startMs: number;
  #movedAtMs: number;
  #sample: { ms: number; bytes: number };
  #bytesPerMs: number | undefined;
  #left: { seconds: number; ms: number } | undefined;

  constructor(nowMs: number) {
    this.#startMs = this.#movedAtMs = nowMs;
    this.#sample = { ms: nowMs, bytes: 0 };
  }

  update({ phase, bytes, sizeBytes }: TransferProgress, nowMs: number): void {
    this.#sizeBytes = sizeBytes;
    const wentBack = bytes < this.#bytes;
    if (phase !== this.#phase || bytes !== this.#bytes) this.#movedAtMs = nowMs;
    this.#phase = phase;
    this.#bytes = bytes;
    if (phase !== "moving") return;
    if (this.#startBytes === undefined || wentBack) this.#begin(bytes, nowMs);
    else if (nowMs - this.#sample.ms >= SAMPLE_MS) this.#takeSample(nowMs);
  }

  /** While it runs: bar, percent, bytes, speed, time left; or since when nothing moves. */
  line(name: string, nowMs: number, columns: number, columnsOf: ColumnsOf = columnsOfAscii): string {
    const parts = [this.#share(), this.#amount(), this.#speed(), this.#remainder(nowMs)].filter((part) => part !== "");
    const facts = parts.join("  ");
    const bar = this.#bar();
    const room = columns - 1 - facts.length - 2;
    const withBar = bar !== "" && room - bar.length - 2 >= NAME_COLUMNS_MIN;
    const nameRoom = withBar ? room - bar.length - 2 : room;
    const line = [clip(name, nameRoom, columnsOf), ...(withBar ? [bar] : []), facts].filter((part) => part !== "").join(
      "  ",
    );
    return clip(line, columns - 1, columnsOf);
  }

  /** When it is over: `img.jpg  100%  1.9 MB  412 MB/s  0:00`, the time being how long it took. */
  finalLine(name: string, nowMs: number): string {
    const elapsedMs = Math.max(1, nowMs - this.#startMs);
    const speed = formatSize((this.#bytes - (this.#startBytes ?? 0)) / elapsedMs * 1000);
    return `${name}  100%  ${formatSize(this.#bytes)}  ${speed}/s  ${formatDuration((elapsedMs - 500) / 1000)}`;
  }

  #begin(bytes: number, nowMs: number): void {
    this.#startBytes = bytes;
    this.#startMs = nowMs;
    this.#sample = { ms: nowMs, bytes };
    this.#bytesPerMs = undefined;
    this.#left = undefined;
  }

  #takeSample(nowMs: number): void {
    const elapsedMs = nowMs - this.#sample.ms;
    const current = (this.#bytes - this.#sample.bytes) / elapsedMs;
    const kept = 0.5 ** (elapsedMs / SPEED_HALF_LIFE_MS);
    this.#bytesPerMs = this.#bytesPerMs === undefined ? current : this.#bytesPerMs * kept + current * (1 - kept);
    this.#sample = { ms: nowMs, bytes: this.#bytes };
  }

  #share(): string {
    if (this.#phase === "verifying") return "checking what is here";
    if (this.#phase === "flushing") return "writing to the disk";
    if (!this.#sizeBytes) return this.#sizeBytes === 0 ? "100%" : "";
    return `${Math.floor(100 * this.#bytes / this.#sizeBytes)}%`;
  }

  #amount(): string {
    if (this.#sizeBytes === undefined) return formatSize(this.#bytes);
    return `${formatSize(this.#bytes)}/${formatSize(this.#sizeBytes)}`;
  }

  #speed(): string {
    if (this.#phase !== "moving" || this.#bytesPerMs === undefined) return "";
    return `${formatSize(this.#bytesPerMs * 1000)}/s`;
  }

  #remainder(nowMs: number): string {
    if (this.#phase !== "moving") return "";
    const stillMs = nowMs - this.#movedAtMs;
    if (stillMs >= STALLED_AFTER_MS) return `stalled for ${Math.floor(stillMs / 1000)} s`;
    if (!this.#bytesPerMs || this.#sizeBytes === undefined) return "";
    const estimate = (this.#sizeBytes - this.#bytes) / this.#bytesPerMs / 1000;
    const left = this.#left ? Math.min(estimate, this.#left.seconds + (nowMs - this.#left.ms) / 1000) : estimate;
    this.#left = { seconds: left, ms: nowMs };
    return formatDuration(left);
  }

  #bar(): string {
    if (this.#phase !== "moving" || !this.#sizeBytes) return "";
    const filled = Math.min(BAR_COLUMNS, Math.floor(BAR_COLUMNS * this.#bytes / this.#sizeBytes));
    return `[${"#".repeat(filled)}${" ".repeat(BAR_COLUMNS - filled)}]`;
  }
}

/** `name` in at most that many columns of a terminal, its end cut off with "…". */
export function clip(name: string, columns: number, columnsOf: ColumnsOf): string {
  if (columnsOf(name) <= columns) return name;
  let clipped = "";
  for (const character of name) {
    if (columnsOf(clipped + character) > columns - 1) break;
    clipped += character;
  }
  return columns > 0 ? clipped + "…" : "";
}
