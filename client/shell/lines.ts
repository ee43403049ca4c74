/** Where the lines of a shell come from: a pipe, or a person with a prompt. */
import type { Completion } from "./completion.ts";
import { type History, HISTORY_LINES_MAX } from "./history.ts";

/** What happens next: a line, a wish for completion, or the end of input. */
export type Input =
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "complete"; readonly line: string; answer(completion: Completion): void }
  | { readonly kind: "end" };

export interface Lines extends Disposable {
  next(): Promise<Input>;
  /** Tells something while `next` is waited for. */
  tell(write: () => void): void;
}

/** One after the other, without a prompt. */
export class PipedLines implements Lines {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";
  #hasEnded = false;

  constructor(input: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = input.pipeThrough(new TextDecoderStream()).getReader();
  }

  async next(): Promise<Input> {
    let end = this.#text.indexOf("\n");
    while (end < 0 && !this.#hasEnded) {
      const { value, done } = await this.#reader.read();
      this.#hasEnded = done;
      const searched = this.#text.length;
      this.#text += value ?? "";
      end = this.#text.indexOf("\n", searched);
    }
    if (end < 0 && this.#text === "") return { kind: "end" };
    const text = end < 0 ? this.#text : this.#text.slice(0, end);
    this.#text = end < 0 ? "" : this.#text.slice(end + 1);
    return { kind: "line", text: text.replace(/\r$/, "") };
  }

  tell(write: () => void): void {
    write();
  }

  [Symbol.dispose](): void {
    this.#reader.cancel().catch(() => {}); // a pipe that broke has no more lines either
  }
}

const CLEAR_LINE = "\r\x1b[K";

/** A person's lines, with history and completion by `node:readline`. */
export class TypedLines implements Lines {
  readonly #readline: import("node:readline").Interface;
  readonly #write: (text: string) => void;
  readonly #waiting: Input[] = [];
  #resolve: ((input: Input) => void) | undefined;

  private constructor(
    create: (completer: (line: string, callback: Completed) => void) => import("node:readline").Interface,
    write: (text: string) => void,
    onInterrupt: () => void,
    onLine: (text: string) => void,
  ) {
    this.#write = write;
    this.#readline = create((line, callback) => this.#complete(line, callback));
    this.#readline.on("line", (text) => {
      onLine(text);
      this.#push({ kind: "line", text });
    });
    this.#readline.on("close", () => this.#end());
    this.#readline.on("SIGINT", () => this.#resolve ? this.#forgetLine() : onInterrupt());
  }

  /**
   * `write` shows text on the terminal; `onInterrupt` is told of Ctrl-C while no line is waited for; `history` has what
   * was entered before, and gets every line.
   */
  static async open(
    prompt: string,
    write: (text: string) => void,
    onInterrupt: () => void,
    history: History,
  ): Promise<TypedLines> {
    const [{ createInterface }, { default: process }] = await Promise.all([
      import("node:readline"),
      import("node:process"),
    ]);
    const { stdin: input, stderr: output } = process;
    const typing = { input, output, terminal: true, prompt, history: history.read(), historySize: HISTORY_LINES_MAX };
    return new TypedLines(
      (completer) => createInterface({ ...typing, completer }),
      write,
      onInterrupt,
      (line) => history.add(line),
    );
  }

  next(): Promise<Input> {
    const waiting = this.#waiting.shift();
    if (waiting) return Promise.resolve(waiting);
    this.#readline.prompt(true);
    return new Promise((resolve) => this.#resolve = resolve);
  }

  tell(write: () => void): void {
    this.#write(CLEAR_LINE);
    write();
    this.#readline.prompt(true);
  }

  [Symbol.dispose](): void {
    this.#readline.close();
  }

  /** Of Ctrl-D, or of a terminal that is gone; the cursor still stands behind the prompt. */
  #end(): void {
    if (this.#resolve) this.#write("\n");
    this.#push({ kind: "end" });
  }

  #push(input: Input): void {
    const resolve = this.#resolve;
    this.#resolve = undefined;
    if (resolve) resolve(input);
    else this.#waiting.push(input);
  }

  /** While a command runs the connection is in use: then nothing is completed. */
  #complete(line: string, callback: Completed): void {
    if (!this.#resolve) return callback(null, [[], line]);
    this.#push({ kind: "complete", line, answer: ([hits, part]) => callback(null, [hits, part]) });
  }

  #forgetLine(): void {
    this.#readline.write(null, { ctrl: true, name: "e" });
    this.#readline.write(null, { ctrl: true, name: "u" });
    this.#write("^C\n");
    this.#readline.prompt();
  }
}

type Completed = (error: null, completion: [string[], string]) => void;
