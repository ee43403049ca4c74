/**
 * `deno task test [PATH...] [--no-check] [--ignore=PATH,...]`: every test below the paths (default: all), in two
 * processes at once where the machine has two cores.
 *
 * Not by `deno test --parallel`: its tests share one working directory, and we stand in one to follow no exchanged link
 * (`protocol/files/here.ts`). What a file of tests prints comes in one piece, when it is through, and what failed is told
 * in full at the end. The last line has the totals, like that of `deno test`. Exit code 0 only if all passed.
 */
import { resolve } from "node:path";
import { parseArgs, stripVTControlCharacters } from "node:util";

const ROOT = new URL("../", import.meta.url).pathname;
const PROCESSES_MAX = 2; // more was not tried
/** So few that the processes end at about the same time, and so many that starting them costs little. */
const FILES_AT_ONCE = 10;
const COUNTED = ["passed", "failed", "ignored"] as const;

class TestRun {
  readonly #counts = { passed: 0, failed: 0, ignored: 0 };
  readonly #startMs = performance.now();
  readonly #running = new Set<Deno.ChildProcess>();
  /** What processes said of their failures. */
  readonly #failures: string[] = [];
  #isStopped = false;

  /** Runs the tests in `files`, each process some of them. */
  async run(files: readonly string[]): Promise<void> {
    const left = [...files];
    const work = async () => {
      while (left.length > 0 && !this.#isStopped) await this.#runSome(left.splice(0, FILES_AT_ONCE));
    };
    await Promise.all(Array.from({ length: Math.min(PROCESSES_MAX, navigator.hardwareConcurrency) }, work));
  }

  /** Ends what runs. What it has printed is shown, so that one sees which test did not end. */
  stop(): void {
    this.#isStopped = true;
    for (const child of this.#running) {
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
    this.#failures.forEach((text) => console.log(text));
    const seconds = Math.round((performance.now() - this.#startMs) / 1000);
    const time = seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
    console.log(`${isOk ? "ok" : "FAILED"} | ${passed} passed | ${failed} failed | ${ignored} ignored (${time})`);
    return isOk ? 0 : 1;
  }

  async #runSome(files: readonly string[]): Promise<void> {
    const command = new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", "--no-check", ...files],
      cwd: ROOT,
      stdin: "null",
      stdout: "piped",
    });
    const child = command.spawn();
    this.#running.add(child);
    const report = await printPieces(child.stdout.pipeThrough(new TextDecoderStream()));
    const { code } = await child.status;
    this.#running.delete(child);
    const totals = report.match(/^(?:ok|FAILED) \| .*$/m)?.[0] ?? "";
    const counts = COUNTED.map((what) => Number(new RegExp(`(\\d+) ${what}`).exec(totals)?.[1] ?? 0));
    COUNTED.forEach((what, index) => this.#counts[what] += counts[index]!);
    if (code === 0 && totals.startsWith("ok")) return;
    this.#failures.push(report.replace(totals, "").trimEnd() + "\n");
    if (counts[1] === 0) {
      this.#counts.failed++;
      this.#failures.push(`failed: exit code ${code} of deno test ${files.join(" ")}\n`);
    }
  }
}

/** Prints what comes of each file of tests when all of it is there; what comes behind the last test is the result. */
async function printPieces(text: ReadableStream<string>): Promise<string> {
  let piece = "";
  let report = "";
  let isReport = false;
  const take = (line: string) => {
    const plain = stripVTControlCharacters(line);
    isReport ||= /^ ERRORS |^(ok|FAILED) \| /.test(plain);
    if (isReport) return report += plain + "\n";
    if (plain.startsWith("running ")) show();
    piece += line + "\n";
  };
  const show = () => {
    if (piece.trim() !== "") console.log(piece.trim());
    piece = "";
  };
  let begun = "";
  for await (const chunk of text) {
    const lines = (begun + chunk).split("\n");
    begun = lines.pop()!;
    lines.forEach(take);
  }
  take(begun);
  show();
  return report;
}

function filesOfTests(path: string): string[] {
  const whole = resolve(ROOT, path);
  if (Deno.statSync(whole).isFile) return [path];
  return [...Deno.readDirSync(whole)].flatMap(({ name, isDirectory }) => {
    if (isDirectory) return filesOfTests(`${path}/${name}`);
    return name.endsWith("_test.ts") ? [`${path}/${name}`] : [];
  });
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { "no-check": { type: "boolean" }, ignore: { type: "string", default: "" } },
});
const ignored = values.ignore.split(",").filter((path) => path !== "");
const paths = positionals.length > 0 ? positionals.map((path) => path.replace(/\/$/, "")) : ["tests"];
const files = paths.flatMap(filesOfTests).sort()
  .filter((file) => !ignored.some((path) => file === path || file.startsWith(`${path}/`)));
const check = new Deno.Command(Deno.execPath(), { args: ["check", "--quiet", ...files], cwd: ROOT });
if (!values["no-check"] && !(await check.spawn().status).success) Deno.exit(1);
const run = new TestRun();
for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => run.stop());
await run.run(files);
Deno.exit(run.finish());
