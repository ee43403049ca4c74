/**
 * The executable, made by `DENO_LTS` (a Deno that compiles) with `DENORT_BIN` (the runtime that it packs); without them
 * the tests are skipped, and counted as such.
 *
 * It is made as `deno task compile` makes it, once per file of tests, and from a copy of the sources that is gone before
 * it first runs, so that nothing can be read from there. It runs with nothing around it: no environment, and a home that
 * is empty and has to stay so.
 */
import configuration from "../../deno.json" with { type: "json" };

const ROOT = new URL("../../", import.meta.url).pathname;
/** All that an executable is made of. */
const SOURCES = ["deno.json", "main.ts", "protocol", "server", "client", "THIRD_PARTY_LICENSES.txt"];

export class Executable {
  readonly path: string;
  readonly sizeBytes: number;
  /** Empty at first: the home of who runs it, where temporary files go, and where caches would. */
  readonly home: string;
  /** How long making it took. */
  readonly madeInMs: number;

  constructor(directory: string) {
    const startMs = performance.now();
    this.path = `${directory}/moved/app`;
    this.home = `${directory}/home`;
    for (const name of ["sources", "moved", "home"]) Deno.mkdirSync(`${directory}/${name}`);
    compile(`${directory}/sources`);
    Deno.renameSync(`${directory}/sources/app`, this.path);
    Deno.removeSync(`${directory}/sources`, { recursive: true });
    this.sizeBytes = Deno.statSync(this.path).size;
    this.madeInMs = performance.now() - startMs;
  }

  /** The words that start it, with nothing in the environment but these variables. */
  words(variables: readonly string[] = [`HOME=${this.home}`, `TMPDIR=${this.home}`, "NO_COLOR=1"]): string[] {
    return ["/usr/bin/env", "-i", ...variables, this.path];
  }
}

/** Runs the tasks `bundle` and `compile` in a copy of the sources. */
function compile(directory: string): void {
  run("cp", ["-R", ...SOURCES.map((name) => ROOT + name), directory], directory);
  const { bundle, compile } = configuration.tasks;
  for (const { command } of [bundle, compile]) {
    const [subcommand, ...words] = command.slice(command.lastIndexOf("deno ")).split(" ").slice(1);
    run(Deno.env.get("DENO_LTS")!, [subcommand!, "--no-lock", ...words], directory);
  }
}

function run(command: string, args: readonly string[], cwd: string): void {
  const env = { DENO_TLS_CA_STORE: "system,mozilla" }; // where npm packages come from may be known to the system only
  const { success, stderr } = new Deno.Command(command, { args: [...args], cwd, env }).outputSync();
  if (!success) throw new Error(`${command} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

/** The executable, which goes away with the tests of this file; `undefined` if there is no runtime for it. */
export function makeExecutable(): Executable | undefined {
  if (!Deno.env.get("DENO_LTS") || !Deno.env.get("DENORT_BIN")) {
    console.log("skipped: no runtime");
    return undefined;
  }
  const directory = Deno.makeTempDirSync({ prefix: "app-packaged-" });
  globalThis.addEventListener("unload", () => Deno.removeSync(directory, { recursive: true }));
  return new Executable(directory);
}
