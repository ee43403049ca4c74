/** The opening line: what is written, and what is read from lines of any kind. */
import { BODY_BYTES_MAX, BODY_BYTES_MIN } from "../../protocol/limits.ts";
import { type Abilities, formatAbilities, type Opening, parseOpening } from "../../protocol/wire/opening.ts";
import { assertEquals, assertThrowsCode } from "../support/assert.ts";
import { withSeed } from "../support/random.ts";
import { AppError } from "../../protocol/errors.ts";

const abilities = (some: Partial<Abilities> = {}): Opening => (
  { kind: "abilities", abilities: { dataBytesMax: BODY_BYTES_MAX, ...some } }
);
const words = (...some: string[]): Opening => ({ kind: "words", words: some });

const LINES: readonly (readonly [line: string, opening: Opening])[] = [
  ["APP/1", abilities()],
  ["APP/1 ", abilities()],
  ["APP/1\r", abilities()],
  ["APP/1 data-max=1024", abilities({ dataBytesMax: 1_024 })],
  ["APP/1 data-max=262144", abilities()],
  ["APP/1 data-max=999999999999999", abilities()],
  ["APP/1 data-max=0000000002048", abilities({ dataBytesMax: 2_048 })],
  ["APP/1 agent=app/0.1.0 data-max=5000", abilities({ agent: "app/0.1.0", dataBytesMax: 5_000 })],
  ["APP/1 data-max=5000 agent=a=b", abilities({ agent: "a=b", dataBytesMax: 5_000 })],
  ["APP/1 later-ability=~!x new=", abilities()],
  ["APP/1 compress=zstd,deflate", abilities({ compress: "zstd,deflate" })],
  ["APP/1 refused=too_many_connections", abilities({ refused: "too_many_connections" })],
  ["APP/1 ping", words("ping")],
  ["APP/1 list photos", words("list", "photos")],
  ["APP/1 list a=b", words("list", "a=b")],
  ["APP/1 list \r", words("list")],
];

for (const [line, opening] of LINES) {
  Deno.test(`opening ${JSON.stringify(line)} is read`, () => assertEquals(parseOpening(line), opening));
}

for (
  const line of [
    "",
    "APP/2",
    "APP/10",
    "app/1",
    " APP/1",
    "APP/1\tagent=x",
    "APP/1 agent=x  data-max=1024",
    "APP/1 agent=x ping",
    "APP/1 Agent=x",
    "APP/1 1agent=x",
    "APP/1 =x",
    "APP/1 agent=ä",
    "APP/1 agent=\u0007",
    `APP/1 data-max=${BODY_BYTES_MIN - 1}`,
    "APP/1 data-max=",
    "APP/1 data-max=-5000",
    "APP/1 data-max=5e5",
    "APP/1 data-max=0x10000",
    "APP/1 data-max=1000000000000000",
    "APP/1 data-max=9999999999999999999999",
  ]
) {
  Deno.test(`opening ${JSON.stringify(line)} is malformed`, () => {
    assertThrowsCode(() => parseOpening(line), "malformed");
  });
}

Deno.test("a line of abilities is what the specification shows", () => {
  assertEquals(formatAbilities({ agent: "app/0.1.0", dataBytesMax: 262_144 }), "APP/1 agent=app/0.1.0 data-max=262144");
  assertEquals(formatAbilities({ dataBytesMax: 1_024 }), "APP/1 data-max=1024");
  assertEquals(
    formatAbilities({ dataBytesMax: 1_024, agent: "x", refused: "tls_required" }),
    "APP/1 refused=tls_required",
  );
});

Deno.test("abilities come back from the line that says them", () => {
  for (
    const said of [
      { dataBytesMax: BODY_BYTES_MIN },
      { dataBytesMax: BODY_BYTES_MAX, agent: "app/1.2.3" },
      { dataBytesMax: 77_777, agent: "other" },
    ]
  ) {
    assertEquals(parseOpening(formatAbilities(said)), { kind: "abilities", abilities: said });
  }
});

Deno.test("a random line is an opening or malformed, and never allows a larger frame than the limit", () =>
  withSeed((random) => {
    const alphabet = ["APP/1", " ", " ", "=", "data-max", "agent", "refused", "1024", "9", "-", "x", "\r", "ä", "\0"];
    let read = 0;
    for (let run = 0; run < 3_000; run++) {
      const line = "APP/1 ".slice(0, random.below(20)) +
        Array.from({ length: random.below(8) }, () => random.pick(alphabet)).join("");
      try {
        const opening = parseOpening(line);
        read++;
        if (opening.kind === "words") continue;
        const { dataBytesMax } = opening.abilities;
        assertEquals(dataBytesMax >= BODY_BYTES_MIN && dataBytesMax <= BODY_BYTES_MAX, true, line);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        assertEquals(error.code, "malformed");
      }
    }
    assertEquals(read > 100, true, `only ${read} lines could be read: the generator is of no use`);
  }));
