/**
 * The lines that a person has entered in shells before, in a file that only they can read.
 *
 * A history is a convenience: what keeps it from being read or written is passed over, and the shell works without it.
 * Shells at the same time append to it in turns.
 */

import { hideSecrets } from "../../protocol/wire/link.ts";
import { splitTyped } from "./words.ts";

/** The file never has more than twice as many lines. */
export const HISTORY_LINES_MAX = 1_000;
const LINE_LENGTH_MAX = 1_000;
/** A larger file is none of ours. */
const FILE_BYTES_MAX = 8 * 1_048_576;

/** A link has the right to use a server in it. */
const SECRET = /app:\/\//i;

export class History {
  readonly #path: string | undefined;
  #linesInFile = 0;
  #last: string | undefined;

  /** Without a path, nothing is kept. */
  constructor(path: string | undefined) {
    this.#path = path;
  }

  /** The last lines of earlier shells, the newest first. */
  read(): string[] {
    const lines = this.#readLines();
    this.#linesInFile = lines.length;
    this.#last = lines.at(-1);
    return lines.slice(-HISTORY_LINES_MAX).reverse();
  }

  /** Keeps a line, unless it has a link in it, begins with a space, or is the same as the one before. */
  add(line: string): void {
    if (!this.#path || !isKept(line) || line === this.#last) return;
    this.#last = line;
    try {
      Deno.mkdirSync(this.#path.replace(/[/\\][^/\\]*$/, ""), { recursive: true });
      write(this.#path, [line], { append: true });
      this.#linesInFile++;
      if (this.#linesInFile > 2 * HISTORY_LINES_MAX) this.#shorten();
    } catch {
      // A folder that cannot be written, a full disk: the line itself is run all the same.
    }
  }

  #shorten(): void {
    const lines = this.#readLines().slice(-HISTORY_LINES_MAX);
    const draft = `${this.#path}.${Deno.pid}`;
    write(draft, lines, { truncate: true });
    Deno.renameSync(draft, this.#path!);
    this.#linesInFile = lines.length;
  }

  /** A person may have edited the file, or put another one in its place. */
  #readLines(): string[] {
    try {
      if (!this.#path) return [];
      const { isFile, size } = Deno.statSync(this.#path);
      if (!isFile || size > FILE_BYTES_MAX) return [];
      return Deno.readTextFileSync(this.#path).split("\n").filter(isKept);
    } catch {
      return []; // there is none, or it cannot be read
    }
  }
}

function isKept(line: string): boolean {
  if (!/^\S/.test(line) || line.length > LINE_LENGTH_MAX || /\p{Cc}/u.test(line)) return false;
  const { words, last } = splitTyped(line);
  return ![line, ...words, last.text].some((text) => SECRET.test(text) || hideSecrets(text) !== text);
}

/** In one write, so that lines of other shells stay whole. */
function write(path: string, lines: readonly string[], how: Deno.OpenOptions): void {
  using file = Deno.openSync(path, { ...how, write: true, create: true, mode: 0o600 });
  if (Deno.build.os !== "windows") Deno.chmodSync(path, 0o600);
  file.writeSync(new TextEncoder().encode(lines.map((line) => `${line}\n`).join("")));
}
