/** A terminal that remembers what it was told, and answers questions from a list. */
import type { Interruption } from "../../protocol/cli/command.ts";
import type { TerminalAnswer } from "../../protocol/cli/query.ts";
import type { Terminal } from "../../protocol/cli/terminal.ts";

type Kind = Partial<Pick<Terminal, "isInteractive" | "columns" | "showsResults" | "canAsk" | "hasColor">>;

export class FakeTerminal implements Terminal {
  readonly isInteractive: boolean;
  readonly columns: number;
  readonly showsResults: boolean;
  readonly canAsk: boolean;
  readonly hasColor: boolean;
  /** The lines of stdout. */
  readonly results: string[] = [];
  /** The bytes of stdout. */
  readonly written: number[] = [];
  /** Each text of stderr. */
  readonly notes: string[] = [];
  readonly questions: string[] = [];
  /** What the terminal itself was asked. */
  readonly queries: string[] = [];
  /** What it answers. @default it cannot be asked */
  reply: TerminalAnswer | undefined;
  readonly #answers: (string | undefined)[];

  /** Nothing of it is a terminal unless `kind` says so. */
  constructor(kind: Kind = {}, answers: readonly (string | undefined)[] = []) {
    this.isInteractive = kind.isInteractive ?? false;
    this.columns = kind.columns ?? 80;
    this.showsResults = kind.showsResults ?? false;
    this.canAsk = kind.canAsk ?? false;
    this.hasColor = kind.hasColor ?? false;
    this.#answers = [...answers];
  }

  /** All of stderr. */
  get noted(): string {
    return this.notes.join("");
  }

  /** The objects that `--json` left on stdout. */
  get events(): Record<string, unknown>[] {
    return this.results.map((line) => JSON.parse(line));
  }

  result(line: string): void {
    this.results.push(line);
  }

  write(bytes: Uint8Array): void {
    for (const byte of bytes) this.written.push(byte); // a picture has more than fit into one call
  }

  note(text: string): void {
    this.notes.push(text);
  }

  ask(question: string): string | undefined {
    this.questions.push(question);
    return this.#answers.shift();
  }

  query(question: string): Promise<TerminalAnswer | undefined> {
    this.queries.push(question);
    return Promise.resolve(this.reply);
  }
}

/** For commands that nobody interrupts. */
export const NEVER_INTERRUPTED: Interruption = {
  signal: () => new AbortController().signal,
  isAborted: () => false,
};
