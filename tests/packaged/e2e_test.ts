/**
 * What `tests/e2e/` says of the program, said of the executable: of each kind of command something, since only how it is
 * packaged can be another thing. It leaves nothing.
 */
import { assertEquals } from "../support/assert.ts";
import { drive } from "../support/program.ts";
import { makeExecutable } from "./executable.ts";

const E2E = new URL("../e2e/", import.meta.url);
const executable = makeExecutable();

if (executable) drive(executable.words());

const SAID = [
  "compress",
  "countries",
  "images",
  "links",
  "look",
  "mistakes",
  "resume",
  "shell",
  "signals",
  "terminal",
  "tls",
  "transcript",
  "trees",
  "watch",
];

for (const name of SAID.map((what) => `${what}_test.ts`)) {
  if (executable) await import(new URL(name, E2E).href);
  else Deno.test({ name: `the executable does what e2e/${name} says`, ignore: true, fn() {} });
}

// Tests run in the order in which they are told, so this is the last one.
Deno.test({
  name: "none of the runs left anything in the home or among the temporary files",
  ignore: !executable,
  fn: () => assertEquals(Array.from(Deno.readDirSync(executable!.home)), []),
});
