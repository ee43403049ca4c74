/**
 * Fuzz for a while: `deno task fuzz --minutes 30` plays all of `tests/fuzz/` again and again, each time with another seed,
 * until the time is over or something fails. Without minutes it is played once, ten times as long as in the gate.
 */
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { minutes: { type: "string", default: "0" } } });
const end = performance.now() + Number(values.minutes) * 60_000;
let code = 0;
do {
  const seed = crypto.getRandomValues(new Uint32Array(1))[0];
  console.log(`SEED=${seed}`);
  const run = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", "tests/fuzz/"],
    env: { SEED: String(seed), FUZZ_TIMES: "10" },
  });
  ({ code } = await run.spawn().status);
} while (code === 0 && performance.now() < end);
Deno.exitCode = code;
