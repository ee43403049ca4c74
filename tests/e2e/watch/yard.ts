/** A directory that changes, one that is to follow it, and a command with `--watch` between them. */
import { assert } from "../../support/assert.ts";
import { ServerProcess, startApp, temporaryDirectory } from "../../support/program.ts";
import { describeTree } from "../../support/random_tree.ts";

export const ALL = ["--allow-overwrite", "--allow-remove"];

/** So long nothing is waited for, so that a test fails instead of hanging. */
const PATIENCE_MS = 60_000;

interface WatchEvent {
  readonly event: string;
  readonly [key: string]: unknown;
}

/** A command with `--watch --json`, and what it tells. */
export class WatchProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #stderr: Promise<string>;
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #timer: ReturnType<typeof setTimeout>;
  #rest = "";
  readonly #events: WatchEvent[] = [];

  constructor(args: readonly string[]) {
    this.#child = startApp([...args, "--watch", "--json"]);
    this.#reader = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#stderr = new Response(this.#child.stderr).text();
    this.#timer = setTimeout(() => this.kill("SIGKILL"), PATIENCE_MS);
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** The next event of that kind; what comes before it is passed over. */
  async until(kind: string): Promise<WatchEvent> {
    for (;;) {
      const event = await this.#next();
      if (!event) throw new Error(`it ended before an event "${kind}": ${await this.#stderr}`);
      if (event.event === kind) return event;
    }
  }

  /** Waits for runs until `isDone` after one of them. */
  async untilDone(isDone: () => boolean): Promise<void> {
    while (!isDone()) await this.until("run");
  }

  /** Interrupts it: it ends with 0, or with 130 where a last run was still under way. */
  async interrupt(): Promise<void> {
    const { code } = await this.end("SIGINT");
    assert(code === 0 || code === 130, `it ended with ${code}`);
  }

  /** Waits for its end, which `signal` brings about; its exit code and the last event. */
  async end(signal?: Deno.Signal): Promise<{ code: number; last: WatchEvent | undefined }> {
    if (signal) this.kill(signal);
    let last: WatchEvent | undefined;
    for (let event = await this.#next(); event; event = await this.#next()) last = event;
    const { code } = await this.#child.status;
    await this.#stderr;
    return { code, last };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    await this.#child.stdin.close();
    try {
      this.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended by itself
    }
    await this.#reader.cancel();
    await Promise.all([this.#child.status, this.#stderr]);
  }

  async #next(): Promise<WatchEvent | undefined> {
    while (this.#events.length === 0) {
      const { value, done } = await this.#reader.read();
      if (done) return;
      const lines = (this.#rest + value).split("\n");
      this.#rest = lines.pop()!;
      this.#events.push(...lines.map((line) => JSON.parse(line)));
    }
    return this.#events.shift();
  }
}

export interface Yard extends AsyncDisposable {
  /** Where changes are made, and where they are to come. */
  readonly from: string;
  readonly to: string;
  readonly server: ServerProcess;
  /** Starts the watch, through `port` if it is not that of the server, and waits until it waits. */
  watch(...options: string[]): Promise<WatchProcess>;
  watchThrough(port: string, ...options: string[]): Promise<WatchProcess>;
  isSame(): boolean;
}

export type Way = "push" | "pull";
export const WAYS: readonly Way[] = ["push", "pull"];

export async function openYard(way: Way, args: readonly string[] = ALL): Promise<Yard> {
  const directory = temporaryDirectory();
  const [local, served] = [`${directory.path}/local`, `${directory.path}/served`];
  Deno.mkdirSync(local);
  Deno.mkdirSync(served);
  const server = await ServerProcess.start(served, args);
  const [from, to] = way === "push" ? [local, served] : [served, local];
  const watchThrough = async (port: string, ...options: string[]) => {
    const watch = new WatchProcess([way, "127.0.0.1", port, local, "--delete", ...options]);
    await watch.until("watching");
    return watch;
  };
  return {
    from,
    to,
    server,
    watch: (...options) => watchThrough(server.port, ...options),
    watchThrough,
    isSame: () => JSON.stringify(describeTree(from)) === JSON.stringify(describeTree(to)),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      directory[Symbol.dispose]();
    },
  };
}
