/**
 * `deno task test [PATH...] [--filter TEXT] [--ignore PATH] [--no-check]`: every test below the paths (default: all), in
 * two processes at once where the machine has two cores.
 *
 * Not by `deno test --parallel`: its tests share one working directory, and we stand in one to follow no exchanged link
 * (`protocol/files/here.ts`). What a file of tests prints comes in one piece, when it is through, and what failed is told
 * in full at the end. The last line has the totals, like that of `deno test`. Exit code 0 only if none failed, and one
 * passed.
 */
import { resolve } from "node:path";
import { parseArgs, stripVTControlCharacters } from "node:util";

const ROOT = new URL("../", import.meta.url).pathname;
const PROCESSES_MAX = 2; // more was not tried
/** So few that the processes end at about the same time, and so many that starting them costs little. */
const FILES_AT_ONCE = 10;
const COUNTED = ["passed", "failed", "ignored"] as const;
/** The last line of `deno test`. */
const TOTALS = /^(ok|FAILED) \| \d+ passed/;
const ERRORS = /^ ERRORS /;

class TestRun {
  readonly #flags: readonly string[];
  readonly #counts = { passed: 0, failed: 0, ignored: 0 };
  readonly #startMs = performance.now();
  readonly #running = new Map<Deno.ChildProcess, Pieces>();
  /** What processes said of their failures. */
  readonly #failures: string[] = [];
  #isStopped = false;

  /** `flags`: for `deno test`. */
  constructor(flags: readonly string[]) {
    this.#flags = flags;
  }

  /** Runs the tests in `files`, each process some of them. */
  async run(files: readonly string[]): Promise<void> {
    const left = [...files];
    const work = async () => {
      while (left.length > 0 && !this.#isStopped) await this.#runSome(left.splice(0, FILES_AT_ONCE));
    };
    await Promise.all(Array.from({ length: Math.min(PROCESSES_MAX, navigator.hardwareConcurrency) }, work));
  }

  /** Ends what runs. What it has printed is shown at once, so that one sees which test did not end. */
  stop(): void {
    this.#isStopped = true;
    for (const [child, pieces] of this.#running) {
      pieces.showAll();
      try {
        child.kill();
      } catch {
        // It has just ended by itself.
      }
    }
  }

  /** Prints what failed and the totals; the exit code. */
  finish(): number {
    const { passed, failed, ignored } = this.#counts;
    const isOk = failed === 0 && passed > 0 && !this.#isStopped;
    this.#failures.forEach(print);
    if (this.#isStopped) print("failed: it was ended");
    else if (passed === 0) print("failed: not one test passed");
    const seconds = Math.round((performance.now() - this.#startMs) / 1000);
    const time = seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
    print(`${isOk ? "ok" : "FAILED"} | ${passed} passed | ${failed} failed | ${ignored} ignored (${time})`);
    return isOk ? 0 : 1;
  }

  async #runSome(files: readonly string[]): Promise<void> {
    const child = startDeno(["test", "-A", "--no-check", ...this.#flags, ...files], "piped");
    const pieces = new Pieces();
    this.#running.set(child, pieces);
    const lines = await pieces.takeAll(child.stdout.pipeThrough(new TextDecoderStream()));
    const { code } = await child.status;
    this.#running.delete(child);
    const totalsAt = lines.findLastIndex((line) => TOTALS.test(stripVTControlCharacters(line)));
    const totals = stripVTControlCharacters(lines[totalsAt] ?? "");
    const counts = COUNTED.map((what) => Number(new RegExp(`(\\d+) ${what}`).exec(totals)?.[1] ?? 0));
    COUNTED.forEach((what, index) => this.#counts[what] += counts[index]!);
    const isTold = counts[1]! > 0;
    const report = lines.slice(0, totalsAt < 0 ? undefined : totalsAt);
    const errorsAt = isTold ? report.findLastIndex((line) => ERRORS.test(stripVTControlCharacters(line))) : -1;
    print(report.slice(0, errorsAt < 0 ? undefined : errorsAt).join("\n"));
    if (errorsAt >= 0) this.#failures.push(report.slice(errorsAt).join("\n") + "\n");
    if (isTold || code === 0 && totals) return;
    this.#counts.failed++;
    this.#failures.push(`failed: exit code ${code} of deno test ${files.join(" ")}`);
  }
}

/** What a process prints, cut where the next file of tests begins. */
class Pieces {
  #lines: string[] = [];
  /** A line that has not ended. */
  #begun = "";

  /** Shows each piece when the next one begins; the lines of the last one, with what is behind it. */
  async takeAll(text: ReadableStream<string>): Promise<string[]> {
    for await (const chunk of text) {
      const lines = (this.#begun + chunk).split("\n");
      this.#begun = lines.pop()!;
      for (const line of lines) {
        if (stripVTControlCharacters(line).startsWith("running ")) print(this.#lines.splice(0).join("\n"));
        this.#lines.push(line);
      }
    }
    return [...this.#lines.splice(0), this.#begun];
  }

  /** Shows what there is by now. */
  showAll(): void {
    print([...this.#lines.splice(0), this.#begun].join("\n"));
    this.#begun = "";
  }
}

function print(text: string): void {
  if (text.trim() !== "") console.log(text.replace(/^\n+/, "").trimEnd());
}

function startDeno(args: string[], stdout: "piped" | "inherit"): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), { args, cwd: ROOT, stdin: "null", stdout }).spawn();
}

/** By their whole paths. */
function filesOfTests(path: string): string[] {
  if (Deno.statSync(path).isFile) return [path];
  return [...Deno.readDirSync(path)].flatMap(({ name, isDirectory }) => {
    if (isDirectory) return filesOfTests(`${path}/${name}`);
    return /[._]test\.ts$/.test(name) ? [`${path}/${name}`] : [];
  });
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    "no-check": { type: "boolean" },
    filter: { type: "string" },
    ignore: { type: "string", multiple: true, default: [] },
  },
});
const whole = (path: string) => resolve(ROOT, path);
const ignored = values.ignore.map(whole);
const paths = positionals.length > 0 ? positionals : ["tests"];
const files = [...new Set(paths.map(whole).flatMap(filesOfTests))].sort()
  .filter((file) => !ignored.some((path) => file === path || file.startsWith(`${path}/`)))
  .map((file) => file.startsWith(ROOT) ? file.slice(ROOT.length) : file);
if (!values["no-check"] && !(await startDeno(["check", "--quiet", ...files], "inherit").status).success) Deno.exit(1);
const run = new TestRun(values.filter === undefined ? [] : ["--filter", values.filter]);
for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => run.stop());
await run.run(files);
Deno.exit(run.finish());
