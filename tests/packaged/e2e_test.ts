/** All that `tests/e2e/` itself, without its folders, says of the program, said of the executable; it leaves nothing. */
import { assertEquals } from "../support/assert.ts";
import { drive } from "../support/program.ts";
import { makeExecutable } from "./executable.ts";

const E2E = new URL("../e2e/", import.meta.url);
const executable = makeExecutable();

if (executable) drive(executable.words());

for (const { name } of Array.from(Deno.readDirSync(E2E)).sort((a, b) => a.name < b.name ? -1 : 1)) {
  if (!name.endsWith("_test.ts")) continue;
  if (executable) await import(new URL(name, E2E).href);
  else Deno.test({ name: `the executable does what e2e/${name} says`, ignore: true, fn() {} });
}

// Tests run in the order in which they are told, so this is the last one.
Deno.test({
  name: "none of the runs left anything in the home or among the temporary files",
  ignore: !executable,
  fn: () => assertEquals(Array.from(Deno.readDirSync(executable!.home)), []),
});
