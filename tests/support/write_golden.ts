/** Writes `fixtures/wire/` anew: `deno task golden`. Look at the difference before it is committed. */
import { formatTranscript, record, SCRIPTS } from "../exchange/transcript.ts";
import { FIXTURES, goldenMessages } from "../wire/golden.ts";

Deno.writeTextFileSync(new URL("messages.json", FIXTURES), JSON.stringify(goldenMessages(), null, 2) + "\n");

for (const [name, script] of Object.entries(SCRIPTS)) {
  Deno.writeTextFileSync(new URL(name, FIXTURES), formatTranscript(await record(script)));
}
