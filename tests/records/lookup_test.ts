/** Finding countries: the built-in table, spellings, other names, suggestions. */
import { makeCountries } from "../../fixtures/make_countries.ts";
import { COUNTRIES } from "../../server/records/countries.ts";
import { keyOf } from "../../server/records/spelling.ts";
import { CsvStore } from "../../server/mod.ts";
import { assert, assertEquals, assertRejectsCode } from "../support/assert.ts";

const builtIn = new CsvStore({ isBuiltIn: true });

Deno.test("the built-in table is the one of fixtures/, and has 197 countries", () => {
  const made = makeCountries();
  const stored = Deno.readTextFileSync(new URL("../../server/records/countries.ts", import.meta.url));
  assertEquals(stored, made, "run fixtures/make_countries.ts");
  assertEquals(COUNTRIES.length, 197);
});

Deno.test("every country of the built-in table is found, and no two have the same key", async () => {
  for (const [country, capital, population] of COUNTRIES) {
    assertEquals(await builtIn.find(country), { country, capital, population });
  }
  assertEquals(new Set(COUNTRIES.map(([country]) => keyOf(country))).size, COUNTRIES.length);
});

const SPELLINGS: readonly (readonly [spelling: string, country: string | undefined])[] = [
  ["france", "France"],
  ["  FRANCE\t", "France"],
  ["cote d'ivoire", "Ivory Coast"],
  ["Côte d’Ivoire", "Ivory Coast"],
  ["sao tome and principe", "São Tomé and Príncipe"],
  ["Sa\u0303o Tome\u0301 & Pri\u0301ncipe", "São Tomé and Príncipe"],
  ["guinea bissau", "Guinea-Bissau"],
  ["GUINEA", "Guinea"],
  ["Turkey", "Türkiye"],
  ["türkiye", "Türkiye"],
  ["TÜRKİYE", "Türkiye"],
  ["USA", "United States"],
  ["U.S.A.", "United States"],
  ["the united states of america", "United States"],
  ["UK", "United Kingdom"],
  ["Great Britain", "United Kingdom"],
  ["Holland", "Netherlands"],
  ["the Netherlands", "Netherlands"],
  ["The Gambia", "Gambia"],
  ["Bahamas, The", "Bahamas"],
  ["St. Lucia", "Saint Lucia"],
  ["DRC", "DR Congo"],
  ["Burma", "Myanmar"],
  ["Antigua and Barbuda", "Antigua and Barbuda"],
  ["Antigua", undefined],
  ["Barbuda", undefined],
  ["Theland", undefined],
  ["", undefined],
  ["...", undefined],
  ["__proto__", undefined],
  ["constructor", undefined],
];

for (const [spelling, country] of SPELLINGS) {
  Deno.test(`${JSON.stringify(spelling)} is ${country ?? "no country"}`, async () => {
    assertEquals((await builtIn.find(spelling))?.country, country);
  });
}

Deno.test("marks that are vowels in their script are not taken away, and accents of Latin letters are", () => {
  assert(keyOf("भारत") !== keyOf("भरत"));
  assertEquals(keyOf("Perú"), keyOf("peru"));
  assertEquals(keyOf("\u03d2"), keyOf("\u03c5"), "a letter that is a capital only once it is taken apart");
});

Deno.test("near names are suggested, the nearest first, and far ones are not", async () => {
  assertEquals(await builtIn.suggest("Frnace"), ["France"]);
  assertEquals((await builtIn.suggest("Astralia"))[0], "Australia");
  assertEquals((await builtIn.suggest("Nigre"))[0], "Niger");
  assertEquals(await builtIn.suggest("Atlantis at the bottom of the sea"), []);
  assertEquals(await builtIn.suggest("x"), []);
  assertEquals(await builtIn.suggest("y".repeat(100_000)), []);
});

Deno.test("nothing can be added to a table without a file", async () => {
  await assertRejectsCode(() => builtIn.add({ country: "Atlantis", capital: "Poseidonia" }), "read_only");
});
