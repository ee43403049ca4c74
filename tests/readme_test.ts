/** The README says what the program does: its tables are compared with the tables of options and of errors. */
import { ERRORS } from "../protocol/errors.ts";
import { assert, assertEquals, assertStringIncludes } from "./support/assert.ts";
import { commandTables, END, START } from "./support/readme_tables.ts";

const README = Deno.readTextFileSync(new URL("../README.md", import.meta.url));
const CONFIGURATION = JSON.parse(Deno.readTextFileSync(new URL("../deno.json", import.meta.url)));

/** Without the padding that the formatter adds to tables. */
function unpadded(text: string): string {
  return text.trim().replace(/ +/g, " ").replace(/-{3,}/g, "---");
}

Deno.test("README has the tables of all commands and options", async () => {
  const made = README.slice(README.indexOf(START) + START.length, README.indexOf(END));
  assertEquals(unpadded(made), unpadded(await commandTables()));
});

Deno.test("README lists every exit code", () => {
  const listed = [...README.matchAll(/^\| (\d+) +\|/gm)].map((match) => Number(match[1]));
  const used = new Set([0, ...Object.values(ERRORS).map(({ exit }) => exit)]);
  assertEquals(listed, [...used].sort((a, b) => a - b));
});

Deno.test("README names every task that it speaks of, and the packages that are used", () => {
  for (const [, task] of README.matchAll(/deno(?:@[\d.]+)? task ([a-z:]+)/g)) {
    assert(task! in CONFIGURATION.tasks, `there is no task ${task}`);
  }
  for (const name of Object.keys(CONFIGURATION.imports)) {
    assertStringIncludes(README, `\`${name.split("/").slice(0, name.startsWith("@") ? 2 : 1).join("/")}\``);
  }
});
