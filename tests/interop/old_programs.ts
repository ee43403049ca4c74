/** The old programs as processes: their clients against a server of ours, their servers for clients of ours. */
import { assertEquals } from "../support/assert.ts";
import { type Random, withSeed } from "../support/random.ts";
import { HAS_PYTHON } from "../support/python.ts";
import { temporaryDirectory } from "../support/program.ts";

const OLD = new URL("old/", import.meta.url).pathname;

/** A test with the old programs; it is passed over where there is no Python. */
export function oldTest(name: string, body: (random: Random) => Promise<void>): void {
  Deno.test({ name, ignore: !HAS_PYTHON, fn: () => withSeed(body) });
}

/** Runs the old client `program` in the directory `cwd`; all that it printed. */
export function oldClient(program: string, cwd: string, ...args: readonly (string | number)[]): Promise<string> {
  return typeAtOldClient("", program, cwd, ...args);
}

/** The same for one at which somebody types `lines`. */
export async function typeAtOldClient(
  lines: string,
  program: string,
  cwd: string,
  ...args: readonly (string | number)[]
): Promise<string> {
  const child = new Deno.Command("python3", {
    args: ["-B", `${OLD}${program}.py`, ...args.map(String)],
    env: { PYTHONUTF8: "1" },
    cwd,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  const typing = writer.write(new TextEncoder().encode(lines)).then(() => writer.close()).catch(() => {}); // it may end first
  const [{ code, stdout, stderr }] = await Promise.all([child.output(), typing]);
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trimEnd();
}

/** An old server over a temporary directory. */
export class OldServerProcess implements AsyncDisposable {
  readonly port: number;
  /** The directory that it serves. */
  readonly root: string;
  readonly #child: Deno.ChildProcess;
  readonly #directory: Disposable;
  readonly #rest: Promise<string>;

  private constructor(
    child: Deno.ChildProcess,
    directory: { path: string } & Disposable,
    port: number,
    rest: Promise<string>,
  ) {
    this.#child = child;
    this.#directory = directory;
    this.root = directory.path;
    this.port = port;
    this.#rest = rest;
  }

  static async start(
    program: string,
    files: Readonly<Record<string, string | Uint8Array>> = {},
    pauseSeconds = 0,
  ): Promise<OldServerProcess> {
    const directory = temporaryDirectory();
    for (const [name, content] of Object.entries(files)) {
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      Deno.writeFileSync(`${directory.path}/${name}`, bytes);
    }
    const child = new Deno.Command("python3", {
      args: ["-B", `${OLD}${program}.py`, String(pauseSeconds)],
      env: { PYTHONUTF8: "1" },
      cwd: directory.path,
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("\n")) text += (await reader.read()).value ?? "\n";
    const rest = (async () => {
      for (let more = await reader.read(); !more.done; more = await reader.read()) text += more.value;
      return text;
    })();
    return new OldServerProcess(child, directory, Number(text.split("\n")[0]), rest);
  }

  /** Ends it; the requests that it got. */
  async requests(): Promise<string[]> {
    this.#kill();
    return (await this.#rest).trimEnd().split("\n").slice(1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill();
    await Promise.all([this.#child.status, this.#rest]);
    this.#directory[Symbol.dispose]();
  }

  #kill(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended already
    }
  }
}
