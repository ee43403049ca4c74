/** CSV as people and programs write it, and what is said of rows that are none. */
import { CsvRows, formatRow, USUAL_COLUMNS } from "../../server/records/csv_rows.ts";
import { USUAL_HEADER } from "../../server/records/torn_row.ts";
import { assert, assertEquals } from "../support/assert.ts";

function read(text: string) {
  const rows = new CsvRows(text);
  const records = [];
  for (let row = rows.next(); row; row = rows.next()) records.push(row.record);
  const faults = rows.faults.map(({ line, column, reason }) => `${line}:${column} ${reason}`);
  return { records, faults, isTorn: rows.isTorn };
}

/** What is left of a row when its writer is killed behind the first letters: its place is there, and empty. */
function torn(row: string, length: number): string {
  return row.slice(0, length).padEnd(row.length, "\0");
}

const FRANCE = { country: "France", capital: "Paris", population: 68 };
const PERU = { country: "Peru", capital: "Lima" };

const SOUND: readonly (readonly [what: string, text: string, records: readonly unknown[]])[] = [
  ["the usual form", "Country,Capital,Population\nFrance,Paris,68\nPeru,Lima,\n", [FRANCE, PERU]],
  ["a mark at the beginning", "\ufeffCountry,Capital,Population\nFrance,Paris,68\n", [FRANCE]],
  ["line ends of Windows", "Country,Capital,Population\r\nFrance,Paris,68\r\nPeru,Lima,\r\n", [FRANCE, PERU]],
  ["no line end at the end", "Country,Capital,Population\nFrance,Paris,68", [FRANCE]],
  ["everything in quotes", '"Country","Capital","Population"\n"France","Paris","68"\n', [FRANCE]],
  ["everything in quotes, no line end at the end", '"Country","Capital","Population"\n"France","Paris","68"', [FRANCE]],
  ["no column for the population", "Country,Capital\nPeru,Lima\n", [PERU]],
  ["columns in another order, with others", "id,population,CAPITAL,x,country\n7,68,Paris,,France\n", [FRANCE]],
  ["no header", "France,Paris,68\nPeru,Lima\n", [FRANCE, PERU]],
  ["empty lines", "Country,Capital,Population\n\n\nFrance,Paris,68\n\r\n\n", [FRANCE]],
  ["spaces around cells", "Country,Capital,Population\n France ,\tParis , 68 \n", [FRANCE]],
  ["a comma in quotes", 'Country,Capital\n"Korea, South",Seoul\n', [{ country: "Korea, South", capital: "Seoul" }]],
  ["quotes in quotes", 'Country,Capital\n"A ""B""",C\n', [{ country: 'A "B"', capital: "C" }]],
  ["a line end in quotes", 'Country,Capital\r\n"A\nB","C\r\nD"\r\nPeru,Lima\r\n', [
    { country: "A\nB", capital: "C\nD" },
    PERU,
  ]],
  ["nothing at all", "", []],
  ["a header only", "Country,Capital,Population\n", []],
];

for (const [what, text, records] of SOUND) {
  Deno.test(`a file with ${what} is read`, () => {
    assertEquals(read(text), { records, faults: [], isTorn: false } as never);
  });
}

const BROKEN: readonly (readonly [what: string, row: string, fault: RegExp])[] = [
  ["without a capital", "Spain", /^3:7 the capital is missing$/],
  ["with an empty capital", "Spain,,5", /^3:7 the capital is missing$/],
  ["without a country", ",Madrid,5", /^3:1 the country is missing$/],
  ["with a population in words", "Spain,Madrid,many", /^3:14 the population is no whole number: "many"$/],
  ["with a negative population", "Spain,Madrid,-5", /^3:14 /],
  ["with a bare quote", 'Spain,Mad"rid,5', /^3:10 bare "/],
  ["with something behind a quote", 'Spain,"Madrid"x,5', /^3:\d+ extraneous/],
  ["with a quote that is never closed", 'Spain,"Madrid,5', /^3:\d+ extraneous/],
  ["that is not in UTF-8", "Espa\ufffda,Madrid,5", /^3:1 it is not text in UTF-8$/],
];

for (const [what, row, fault] of BROKEN) {
  Deno.test(`a row ${what} is told with line and column, and the others are read`, () => {
    const { records, faults } = read(`Country,Capital,Population\nFrance,Paris,68\n${row}\nPeru,Lima,\n`);
    assertEquals(records, [FRANCE, PERU] as never);
    assertEquals(faults.length, 1, faults.join("; "));
    assert(fault.test(faults[0]!), faults[0]);
  });
}

Deno.test("an open quote before a row with quotes takes one row with it at most", () => {
  const { records, faults } = read('Country,Capital\nFrance,"Paris\n"Korea, South",Seoul\nPeru,Lima\n');
  assertEquals(records as unknown, [{ country: "Korea, South", capital: "Seoul" }, PERU]);
  assertEquals(faults.length, 1);
});

Deno.test("lines behind a cell of several lines keep their numbers", () => {
  const { faults } = read('Country,Capital\n"A\nB\nC",D\nSpain\n');
  assertEquals(faults, ["5:7 the capital is missing"]);
});

for (
  const record of [{ country: "Atlantis", capital: "Poseidonia", population: 12 }, { country: "Å, b", capital: "c'd" }]
) {
  Deno.test(`of a row that is cut anywhere nothing is read: ${record.country}`, () => {
    const row = formatRow(record, USUAL_COLUMNS);
    const before = `${USUAL_HEADER}Peru,Lima,\n`;
    for (let length = 0; length < row.length; length++) {
      const { records, isTorn, faults } = read(before + torn(row, length));
      assertEquals({ records: records as unknown, isTorn, faults }, { records: [PERU], isTorn: true, faults: [] });
    }
    const whole = { records: [PERU, record] as unknown, isTorn: false, faults: [] as string[] };
    assertEquals(read(before + row) as unknown, whole);
    assertEquals(read(before + row.slice(0, -1)) as unknown, whole);
  });
}

Deno.test("a last row that a person wrote is read or told of, however much it lacks, and is not one that was cut off", () => {
  const before = `${USUAL_HEADER}Peru,Lima,\n`;
  const { population: _, ...france } = FRANCE;
  for (const row of ['"France","Paris"', '"France","Paris",', '"France","Paris",""', '"France",Paris']) {
    assertEquals(read(before + row) as unknown, { records: [PERU, france], faults: [], isTorn: false });
  }
  for (const row of ['"Fra', '"France"', '"France",', '"France","Par', '"', "\0", '"a\0', "F\0r\0a\0n\0c\0e\0,\0P\0"]) {
    const { records, faults, isTorn } = read(before + row);
    assertEquals([records.length, faults.length, isTorn], [1, 1, false], JSON.stringify(row));
  }
});

Deno.test("a last row in other quotes than ours is read or told of, and is not one that was cut off", () => {
  const before = `${USUAL_HEADER}Peru,Lima,\n`;
  for (const row of ['"France","Paris",68', '"France",Paris,68', '"France","Paris","68"']) {
    assertEquals(read(before + row) as unknown, { records: [PERU, FRANCE], faults: [], isTorn: false });
  }
  const broken = read(`${before}"France" ,Paris`);
  assertEquals(broken.isTorn, false);
  assertEquals(broken.faults.length, 1);
});

Deno.test("of a new file that is cut anywhere nothing is read", () => {
  const whole = USUAL_HEADER + formatRow({ country: "Atlantis", capital: "Poseidonia" }, USUAL_COLUMNS);
  for (let length = 0; length < whole.length; length++) {
    const { records, isTorn } = read(torn(whole, length));
    assertEquals({ records, isTorn }, { records: [], isTorn: true });
  }
  assertEquals(read(whole).isTorn, false);
  assertEquals(read(USUAL_HEADER).isTorn, false);
});
