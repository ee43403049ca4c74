/**
 * The program as a user runs it: `app serve` and client commands as processes, in temporary directories.
 *
 * What runs is `main.ts` under the Deno that runs the tests, unless a file of tests says otherwise with `drive`.
 */
import { assert } from "./assert.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
/** The words that start the program. */
export let APP: readonly string[] = [Deno.execPath(), "run", "--quiet", "-A", `${ROOT}main.ts`];

/** From here on, the tests of this file drive another program: the one that `words` start. */
export function drive(words: readonly string[]): void {
  APP = words;
}

/** The words that start the program, where those give it an environment of its own with what `env` adds to that. */
export function wordsWith(env: Readonly<Record<string, string>> = {}): readonly string[] {
  if (APP[1] !== "-i") return APP;
  return [...APP.slice(0, 2), ...Object.entries(env).map(([name, value]) => `${name}=${value}`), ...APP.slice(2)];
}

/** What a command came to. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly stdin?: Uint8Array;
  readonly env?: Record<string, string>;
  /** Words before the program, which start it in another way: with fewer rights, with fewer descriptors. */
  readonly through?: readonly string[];
  /** `runApp` kills it after this time, so that a test fails instead of hanging; the exit code is then 137. */
  readonly patienceMs?: number;
}

/** Starts `app` with `args`; stdin, stdout and stderr are pipes. */
export function startApp(args: readonly string[], { cwd, env, through = [] }: RunOptions = {}): Deno.ChildProcess {
  const [command, ...before] = [...through, ...wordsWith(env)];
  return new Deno.Command(command!, {
    args: [...before, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1", ...env },
    ...(cwd ? { cwd } : {}),
  }).spawn();
}

/** Runs `app` with `args` to its end. */
export async function runApp(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const child = startApp(args, options);
  const writer = child.stdin.getWriter();
  // A program that does not want all of its stdin may end before it has it.
  const fed = (async () => {
    if (options.stdin) await writer.write(options.stdin);
    await writer.close();
  })().catch(() => {});
  const { patienceMs } = options;
  const timer = patienceMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), patienceMs);
  const [{ code, stdout, stderr }] = await Promise.all([child.output(), fed]);
  clearTimeout(timer);
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

/** A temporary directory that is removed when it is disposed of. */
export function temporaryDirectory(): { readonly path: string } & Disposable {
  const path = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "app-test-" }));
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

/** `app serve` on a free port of 127.0.0.1. */
export class ServerProcess implements AsyncDisposable {
  readonly port: string;
  /** The lines it printed when it started. */
  readonly startLines: readonly string[];
  readonly #child: Deno.ChildProcess;
  readonly #stdout: Promise<void>;
  readonly #stderr: Promise<string>;

  private constructor(child: Deno.ChildProcess, startLines: readonly string[], rest: Promise<void>) {
    this.#child = child;
    this.startLines = startLines;
    this.port = /port: (\d+)/.exec(startLines.join("\n"))![1]!;
    this.#stdout = rest;
    this.#stderr = new Response(child.stderr).text();
  }

  static async start(root: string, args: readonly string[] = [], options: RunOptions = {}): Promise<ServerProcess> {
    const child = startApp(["serve", root, "--port", "0", ...args], options);
    await child.stdin.close();
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!/^Sharing: .*\n/m.test(text)) {
      const { value, done } = await reader.read();
      if (done) {
        const stderr = await new Response(child.stderr).text();
        await child.status;
        assert(false, `the server did not start: ${stderr}`);
      }
      text += value;
    }
    const drained = (async () => {
      while (!(await reader.read()).done);
    })();
    return new ServerProcess(child, text.trimEnd().split("\n"), drained);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Ends it with `signal`; its exit code and its log. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<{ code: number; log: string }> {
    try {
      this.#child.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended by itself
    }
    return await this.finished();
  }

  /** Waits until it ends by itself. */
  async finished(): Promise<{ code: number; log: string }> {
    const [{ code }, log] = await Promise.all([this.#child.status, this.#stderr, this.#stdout]);
    return { code, log };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
  }
}
