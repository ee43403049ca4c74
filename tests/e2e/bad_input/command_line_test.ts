/** Command lines that cannot be understood: exit code 2 before anything is done, and their benign twins. */
import { assertEquals, assertStringIncludes } from "../../support/assert.ts";
import { runApp, ServerProcess, temporaryDirectory } from "../../support/program.ts";
import { assertRefusals, assertTaken, type Refusal } from "./refusals.ts";

/** What is wrong, a part of what is said, a part of the advice. */
type Row = readonly (readonly [args: string[], says: string, next: string])[];

function usage(rows: Row): Refusal[] {
  return rows.map(([args, says, next]) => ({ args, code: 2, says, next }));
}

const COMMANDS: Row = [
  [["lsit"], `Unknown command "lsit": did you mean list?`, "app --help"],
  [["sevre", "."], `Unknown command "sevre": did you mean serve?`, "app --help"],
  [["download"], `Unknown command "download"`, "app --help"],
  [[""], `Unknown command ""`, "app --help"],
  [["--nope"], `Unknown command "--nope"`, "app --help"],
  [["help", "gte"], `Unknown command "gte": did you mean get?`, "app --help"],
];

const OPTIONS: Row = [
  [["list", "h", "1", "--al"], `Unknown option "--al" of app list: did you mean --all?`, "app list --help"],
  [["get", "h", "1", "x", "--ouput", "y"], `"--ouput" of app get: did you mean --output?`, "app get --help"],
  [["get", "h", "1", "x", "--port=1"], `Unknown option "--port" of app get`, "app get --help"],
  [["list", "h", "1", "-z"], `Unknown option "-z" of app list`, "app list --help"],
  [["serve", "--read-olny"], `did you mean --read-only?`, "app serve --help"],
  [["serve", "--port"], `Cannot use --port "": a value must follow`, "app serve --help"],
  [["serve", "--port", "--read-only"], `Cannot use --port "": a value must follow`, "app serve --help"],
  [["get", "h", "1", "x", "-o"], `Cannot use --output "": a value must follow`, "app get --help"],
  [["put", "h", "1", "x", "--as="], `Cannot use --as "": a value must follow`, "app put --help"],
  [["serve", "--read-only=yes"], `Cannot use "--read-only=yes": this option takes no value`, "app serve --help"],
  [["list", "h", "1", "--json=1"], `Cannot use "--json=1": this option takes no value`, "app list --help"],
  [["list", "h", "1", "--retries", "0", "--retries", "many"], `Cannot use --retries "many"`, "app list --help"],
  [["list", "h", "1", "--timeout", "soon"], `--timeout "soon": it must be a number of seconds`, "app list --help"],
  [["list", "h", "1", "--timeout", "0"], `--timeout "0": it must be from 0.1 to 86400`, "app list --help"],
  [
    ["get", "h", "1", "x", "--if-exists", "overwrite"],
    `it must be one of error, skip, rename, replace`,
    "app get --help",
  ],
  [["serve", "--max-file-size", "big"], `it must be a size, such as 500, 10M or 2G`, "app serve --help"],
  [["serve", "--max-file-size=-5"], `--max-file-size "-5": it must be a size`, "app serve --help"],
];

const WORDS: Row = [
  [["list"], "HOST is missing", "app list --help"],
  [["list", "h"], "PORT is missing", "app list --help"],
  [["get", "h", "1"], "NAME is missing", "app get --help"],
  [["put", "h", "1"], "FILE is missing", "app put --help"],
  [["move", "h", "1", "a"], "TO is missing", "app move --help"],
  [["list", "h", "1", "a", "b"], `Unexpected "b"`, "app list --help"],
  [["serve", "a", "b"], `Unexpected "b"`, "app serve --help"],
  [["serve", "a", "--root", "b"], "Both DIR and --root were given", "Leave one of them out"],
  [["serve", ""], `Cannot share ""`, "Name one, or leave it out"],
  [["put", "h", "1", "-"], "has no name", "--as NAME"],
  [["put", "h", "1", "a", "b", "--as", "c"], "--as names one file", "app put --help"],
  [["put", "h", "1", "x/a", "y/a"], `"x/a" and "y/a" would both be "a"`, "one by one"],
  [["get", "h", "1", "a", "b", "--output", "one"], `Cannot store 2 files as "one"`, "with / at its end"],
];

for (const [what, rows] of Object.entries({ commands: COMMANDS, options: OPTIONS, words: WORDS })) {
  Deno.test(`${what} that cannot be understood end with 2, the mistake and the next step`, async () => {
    using here = temporaryDirectory();
    await assertRefusals(usage(rows), { cwd: here.path });
  });
}

Deno.test("their twins are understood, and of an option given twice the last one counts", async () => {
  using shared = temporaryDirectory();
  using here = temporaryDirectory();
  Deno.writeTextFileSync(`${shared.path}/-x`, "dash");
  await using server = await ServerProcess.start(shared.path, ["--read-only=false", "--max-file-size", "5M"]);
  const list = ["list", "127.0.0.1", server.port];
  await assertTaken([
    ["--version"],
    ["help", "get"],
    ["serve", "--help"],
    [...list, "--all", "--all"],
    [...list, "--retries", "many", "--retries=0"],
    [...list, "--json=true"],
    [...list, "--timeout", "0.1"],
    [...list, "--if-exists", "skip"],
    ["get", "127.0.0.1", server.port, "--output", "d", "-o", "here", "--", "-x"],
  ], { cwd: here.path });
  assertEquals(Deno.readTextFileSync(`${here.path}/here`), "dash");
});

Deno.test("no command at all shows the help, and ends with 2", async () => {
  const { code, stdout } = await runApp([]);
  assertEquals(code, 2);
  assertStringIncludes(stdout, "Share a directory");
});
