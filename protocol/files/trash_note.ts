/**
 * The note of a run: one JSON object a line, the first one about the run itself. A line is written before what it tells
 * is done, so a last line that is torn tells of nothing. Pure, but for reading and writing an open file.
 */
import { nameFault } from "../names.ts";
import type { Note, TrashFacts } from "./trash.ts";

/** What the first line says. */
export interface NoteHead {
  readonly directory: string;
  readonly who: string;
  readonly undoes?: string | undefined;
}

/** What the last line says, unless the run broke off. */
export interface NoteEnd {
  readonly do: "end";
  /** How much the run takes in the trash. */
  readonly bytes: number;
  readonly isWhole: boolean;
}

/** Of an undo: the note of the other run, counted from its last one, is taken back. */
export interface NoteUndid {
  readonly do: "undid";
  readonly at: number;
}

/** What was noted last of that name, that it is made, was not done: somebody else had the name. */
export interface NoteNotDone {
  readonly do: "not";
  readonly name: string;
}

export type NoteLine = Note | NoteEnd | NoteUndid | NoteNotDone;

const PIECE_BYTES = 65_536;
const HEAD_BYTES_MAX = 32_768;

export function formatHead(head: NoteHead): string {
  return JSON.stringify({ about: "What a run of app changed; app undo takes it back", version: 1, ...head }) + "\n";
}

export function formatLine(line: NoteLine): string {
  return JSON.stringify(line) + "\n";
}

/** `undefined` for what is torn, foreign, or of another version. */
export function parseHead(text: string): NoteHead | undefined {
  const { version, directory, who, undoes } = parseObject(text.split("\n", 1)[0]!);
  if (version !== 1 || typeof directory !== "string" || typeof who !== "string") return;
  if (directory !== "" && nameFault(directory)) return;
  return { directory, who, undoes: typeof undoes === "string" ? undoes : undefined };
}

/** The same for any other line. */
export function parseLine(text: string): NoteLine | undefined {
  const line = parseObject(text);
  if (line.do === "end") return typeof line.bytes === "number" ? line as unknown as NoteEnd : undefined;
  if (line.do === "undid") return Number.isSafeInteger(line.at) ? line as unknown as NoteUndid : undefined;
  const { name, from, was, now, kept } = line;
  if (!isName(name) && !(name === "" && (line.do === "touch" || line.do === "adjust"))) return;
  if (kept !== undefined && !(typeof kept === "string" && isKeptName(kept))) return;
  const isWhole = {
    store: isFacts(now) && (was === undefined || isFacts(was)),
    remove: isFacts(was),
    make: true,
    not: true,
    adjust: isFacts(was) && isFacts(now),
    touch: isFacts(was),
    move: isName(from) && (now === undefined || isFacts(now)) && (was === undefined || isFacts(was)),
  }[line.do as (Note | NoteNotDone)["do"]];
  return isWhole ? line as unknown as Note | NoteNotDone : undefined;
}

/** Under `files` what has its name there, under `more` what could not have it. */
function isKeptName(kept: string): boolean {
  return /^more\/\d{1,15}$/.test(kept) || kept.startsWith("files/") && isName(kept.slice("files/".length));
}

function isName(name: unknown): name is string {
  return typeof name === "string" && nameFault(name) === undefined;
}

function isFacts(facts: unknown): facts is TrashFacts {
  return typeof facts === "object" && facts !== null && typeof (facts as TrashFacts).kind === "string";
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

/** The first line of a note. */
export function readHead(file: Deno.FsFile): NoteHead | undefined {
  const bytes = new Uint8Array(HEAD_BYTES_MAX);
  file.seekSync(0, Deno.SeekMode.Start);
  return parseHead(new TextDecoder().decode(bytes.subarray(0, file.readSync(bytes) ?? 0)));
}

/** The lines of a note without the first one, the last one first; those that say nothing are passed over. */
export function* readBackwards(file: Deno.FsFile): Generator<NoteLine> {
  let rest = new Uint8Array();
  for (let end = file.statSync().size; end > 0;) {
    const start = Math.max(0, end - PIECE_BYTES);
    const piece = new Uint8Array(end - start + rest.length);
    readFully(file, start, piece.subarray(0, end - start));
    piece.set(rest, end - start);
    end = start;
    // What stands before the first line feed may have begun in an earlier piece.
    const first = start === 0 ? 0 : piece.indexOf(0x0a) + 1;
    rest = piece.slice(0, first);
    if (first === 0 && start > 0) {
      rest = piece;
      continue;
    }
    const lines = new TextDecoder().decode(piece.subarray(first)).split("\n");
    for (const text of (start === 0 ? lines.slice(1) : lines).reverse()) {
      const line = text === "" ? undefined : parseLine(text);
      if (line) yield line;
    }
  }
}

function readFully(file: Deno.FsFile, offset: number, into: Uint8Array): void {
  file.seekSync(offset, Deno.SeekMode.Start);
  for (let at = 0; at < into.length;) {
    const count = file.readSync(into.subarray(at));
    if (count === null) break; // cut off meanwhile: what is left says nothing
    at += count;
  }
}

/** Appends `text` in one go, which a kill tears at most at its end. */
export function append(file: Deno.FsFile, text: string): number {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
  return bytes.length;
}
