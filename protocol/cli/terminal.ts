/**
 * The terminal, or whatever stands in its place: where results, notes and questions go. Commands write only here.
 *
 * Results go to stdout, everything else to stderr. A closed pipe on stdout is no error: who reads `| head` has enough.
 */
import { AppError } from "../errors.ts";
import type { TerminalAnswer } from "./query.ts";

export interface Terminal {
  /** Whether stderr is a terminal, and how wide it is. */
  readonly isInteractive: boolean;
  readonly columns: number;
  /** Whether stdout is a terminal: names are escaped there. */
  readonly showsResults: boolean;
  /** Whether a person can be asked. */
  readonly canAsk: boolean;
  readonly hasColor: boolean;
  /** Writes a line to stdout. Throws `ClosedPipe` when nobody reads any more. */
  result(line: string): void;
  /** Writes bytes to stdout. Throws `ClosedPipe` when nobody reads any more. */
  write(bytes: Uint8Array): void;
  /** Writes text to stderr, as it is. */
  note(text: string): void;
  /** Asks a person on stderr; the line that was typed, `undefined` at the end of input. */
  ask(question: string): string | undefined;
  /**
   * Asks the terminal itself, up to an answer that `last` matches; `undefined` where it cannot be asked. What is typed
   * meanwhile comes back with the answer, so ask before there is time to type, and once.
   */
  query(question: string, last: RegExp): Promise<TerminalAnswer | undefined>;
}

/** Nobody reads stdout any more; the program ends quietly, and well. */
export class ClosedPipe extends Error {
  override readonly name = "ClosedPipe";
}

const encoder = new TextEncoder();

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const isInteractive = Deno.stderr.isTerminal();
  return {
    isInteractive,
    get columns() {
      return columnsOf(isInteractive);
    },
    showsResults: Deno.stdout.isTerminal(),
    canAsk: Deno.stdin.isTerminal() && isInteractive,
    hasColor: isInteractive && !Deno.noColor,
    result: (line) => writeAll(Deno.stdout, encoder.encode(line + "\n")),
    write: (bytes) => writeAll(Deno.stdout, bytes),
    note(text) {
      try {
        writeAll(Deno.stderr, encoder.encode(text));
      } catch {
        // A log or a progress line that cannot be written (closed, disk full) is no reason to stop working.
      }
    },
    ask(question) {
      writeAll(Deno.stderr, encoder.encode(question));
      return readLine();
    },
    async query(question, last) {
      if (!Deno.stdin.isTerminal() || !Deno.stdout.isTerminal()) return;
      const { queryTerminal } = await import("./query.ts");
      return queryTerminal(question, last, (text) => writeAll(Deno.stdout, encoder.encode(text)));
    },
  };
}

/** The same terminal, on which nobody can be asked: what is typed is for somebody else. */
export function withoutQuestions(terminal: Terminal): Terminal {
  return {
    isInteractive: terminal.isInteractive,
    get columns() {
      return terminal.columns;
    },
    showsResults: terminal.showsResults,
    canAsk: false,
    hasColor: terminal.hasColor,
    result: (line) => terminal.result(line),
    write: (bytes) => terminal.write(bytes),
    note: (text) => terminal.note(text),
    ask: () => undefined,
    query: () => Promise.resolve(undefined),
  };
}

function columnsOf(isInteractive: boolean): number {
  try {
    return isInteractive ? Deno.consoleSize().columns || 80 : 80;
  } catch {
    return 80; // a terminal without a size
  }
}

function writeAll(out: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array): void {
  try {
    for (let at = 0; at < bytes.length;) at += out.writeSync(bytes.subarray(at));
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) throw new ClosedPipe("Nobody reads the output any more");
    const detail = error instanceof Error ? error.message.replace(/ \(os error \d+\)$/, "") : String(error);
    throw new AppError("failed", `Cannot write the output: ${detail}`, {
      cause: error,
      advice: "Free some space there, or write it elsewhere",
    });
  }
}

function readLine(): string | undefined {
  const bytes: number[] = [];
  const byte = new Uint8Array(1);
  while (Deno.stdin.readSync(byte) !== null) {
    if (byte[0] === 10) return new TextDecoder().decode(Uint8Array.from(bytes)).replace(/\r$/, "");
    bytes.push(byte[0]!);
  }
  return bytes.length > 0 ? new TextDecoder().decode(Uint8Array.from(bytes)) : undefined;
}
