/** The golden sessions: each engine alone, against the recorded bytes of the other, says the same bytes again. */
import { assert, assertEquals } from "../support/assert.ts";
import { FIXTURES } from "../wire/golden.ts";
import { formatTranscript, readTranscript, record, replay, SCRIPTS } from "./transcript.ts";

for (const [name, script] of Object.entries(SCRIPTS)) {
  Deno.test(`${name} is what both engines say to each other today`, async () => {
    const text = Deno.readTextFileSync(new URL(name, FIXTURES));
    assertEquals(
      formatTranscript(await record(script)),
      text,
      "after a reviewed change of the format: deno task golden",
    );
  });

  for (const side of ["client", "server"] as const) {
    Deno.test(`${name}: the ${side} answers the recorded bytes with the recorded bytes`, async () => {
      const lines = readTranscript(name);
      assert(lines.length >= 9, `only ${lines.length} lines could be read`);
      await replay(lines, side, script);
    });
  }
}

Deno.test("session_get.txt is the example of the specification", () => {
  const specification = Deno.readTextFileSync(new URL("../../protocol/README.md", import.meta.url));
  const start = specification.indexOf("### Example");
  const example = [...specification.slice(start).split("```")[1]!.matchAll(/^(client|server) +(.*)$/gm)]
    .map(([, side, words]) => `${side} ${words}`);
  const recorded = readTranscript("session_get.txt").map(({ side, words }) => `${side} ${words}`);
  assertEquals(recorded, example);
});
