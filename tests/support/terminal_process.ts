/** The program on a terminal of its own: a person types, and sees what is painted. Needs Python. */
import { assert } from "./assert.ts";
import { type RunOptions, wordsWith } from "./program.ts";

const SCRIPT = new URL("terminal.py", import.meta.url).pathname;

/** What the key Ctrl-C sends. */
export const CTRL_C = "\x03";

export class TerminalProcess implements AsyncDisposable {
  /** All that was shown so far, as the terminal got it. */
  shown = "";
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<string>;

  /** Starts `app` with `args` on a terminal that is so wide. */
  constructor(args: readonly string[], columns: number, { cwd, env, through = [] }: RunOptions = {}) {
    this.#child = new Deno.Command("python3", {
      args: ["-B", SCRIPT, String(columns), ...through, ...wordsWith(env), ...args],
      stdin: "piped",
      stdout: "piped",
      ...(cwd ? { cwd } : {}),
      ...(env ? { env } : {}),
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#reader = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Waits until `pattern` was shown. */
  async until(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.shown)) {
      assert(await this.#readOn(), `it ended before it showed ${pattern}: ${JSON.stringify(this.shown)}`);
    }
  }

  async type(text: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(text));
  }

  /** Waits for its end; the exit code. */
  async finished(): Promise<number> {
    while (await this.#readOn());
    return (await this.#child.status).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended by itself
    }
    await this.finished();
    await this.#writer.abort().catch(() => {}); // a pipe to what has ended
  }

  async #readOn(): Promise<boolean> {
    const { value = "", done } = await this.#reader.read();
    this.shown += value;
    return !done;
  }
}
