/** `app get` or `app put` as a process under way, with its `--json` events. */
import type { Outcome } from "../support/program.ts";

/** No run takes that long. One that does is killed, and its round fails. */
const PATIENCE_MS = 120_000;

export class Transfer {
  readonly outcome: Promise<Outcome>;
  /** Resolved when the process tells that it flushes, or has its peer flush; else at its end. */
  readonly flushing: Promise<void>;
  readonly #child: Deno.ChildProcess;

  constructor(child: Deno.ChildProcess) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#child = child;
    this.flushing = promise;
    this.outcome = this.#run(resolve);
  }

  /** kill -9, unless it has ended by itself. */
  kill(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }

  async #run(tellFlushing: () => void): Promise<Outcome> {
    const timer = setTimeout(() => this.kill(), PATIENCE_MS);
    try {
      await this.#child.stdin.close();
      const stderr = new Response(this.#child.stderr).text();
      let stdout = "";
      for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
        stdout += text;
        if (stdout.includes('"flushing"')) tellFlushing();
      }
      return { code: (await this.#child.status).code, stdout, stderr: await stderr };
    } finally {
      clearTimeout(timer);
      tellFlushing();
    }
  }
}
