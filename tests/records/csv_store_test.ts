/** A table in a file: additions, edits by hand, several writers, what a killed writer left. */
import { LockedCsv } from "../../server/records/csv_file.ts";
import { formatRow, USUAL_COLUMNS } from "../../server/records/csv_rows.ts";
import { USUAL_HEADER } from "../../server/records/torn_row.ts";
import { stateFile } from "../../protocol/files/state_folder.ts";
import { assert, assertEquals, assertRejectsCode } from "../support/assert.ts";
import { recordsFolder } from "./records_folder.ts";

const HEADER = "Country,Capital,Population\n";
const ATLANTIS = { country: "Atlantis", capital: "Poseidonia", population: 12 };

/** Asks until the answer is `expected`: the file is looked at a few times a second. */
async function until(ask: () => unknown, expected: unknown): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    if (JSON.stringify(await ask()) === JSON.stringify(expected)) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assertEquals(await ask(), expected);
}

Deno.test("a record that was added is found, and stands in the file behind the others", async () => {
  using folder = recordsFolder(`${HEADER}Peru,Lima,34\n`);
  const store = folder.store();
  await store.add({ country: " Atlantis ", capital: "Poseidonia", population: 12 });
  assertEquals(await store.find("atlantis"), ATLANTIS);
  assertEquals(folder.read(), `${HEADER}Peru,Lima,34\n"Atlantis","Poseidonia","12"\n`);
  assertEquals(await folder.store().find("Atlantis"), ATLANTIS);
});

Deno.test("a country that is known under any spelling is not added, and another one is", async () => {
  using folder = recordsFolder(`${HEADER}Netherlands,Amsterdam,18\n`);
  const store = folder.store();
  for (const country of ["Netherlands", "netherlands", "Hólland", "The Netherlands"]) {
    await assertRejectsCode(() => store.add({ country, capital: "X" }), "exists");
  }
  assertEquals(folder.read(), `${HEADER}Netherlands,Amsterdam,18\n`);
  await store.add({ country: "Neverland", capital: "X" });
  assert(folder.read().endsWith('"Neverland","X",""\n'));
});

Deno.test("what a row cannot hold is refused, and what only looks odd is not", async () => {
  using folder = recordsFolder(HEADER);
  const store = folder.store();
  const odd = { capital: "X" };
  for (const country of ["", "  ", "...", 'A"B', "A\nB", "A\0B", "A\ud800", "a".repeat(201)]) {
    await assertRejectsCode(() => store.add({ country, ...odd }), "bad_record");
    if (country.trim() !== "") {
      await assertRejectsCode(() => store.add({ country: "Y", capital: country }), "bad_record");
    }
  }
  for (const population of [-1, 1.5, NaN, 2 ** 53]) {
    await assertRejectsCode(() => store.add({ country: "Y", capital: "X", population }), "bad_record");
  }
  assertEquals(folder.read(), HEADER);
  for (const country of ["O'Hara, the 2nd", "日本", "=1+1", "a".repeat(200)]) {
    await store.add({ country, ...odd });
    assertEquals((await folder.store().find(country))?.country, country);
  }
});

Deno.test("of two that add the same country at once one wins, in one store and in two", async () => {
  using folder = recordsFolder(HEADER);
  const stores = [folder.store(), folder.store(), folder.store()];
  for (let round = 0; round < 10; round++) {
    const adds = Array.from(
      { length: 6 },
      (_, index) => stores[index % 3]!.add({ country: `Land ${round}`, capital: `Town ${index}` }),
    );
    const results = await Promise.allSettled(adds);
    assertEquals(results.filter(({ status }) => status === "fulfilled").length, 1);
    const winner = results.findIndex(({ status }) => status === "fulfilled");
    for (const store of stores) {
      await until(() => store.find(`Land ${round}`), { country: `Land ${round}`, capital: `Town ${winner}` });
    }
  }
  assertEquals(folder.read().trimEnd().split("\n").length, 11);
});

Deno.test("an addition to a file of other columns follows its header", async () => {
  using folder = recordsFolder("id,Population,Capital,Country\r\n1,34,Lima,Peru\r\n");
  await folder.store().add(ATLANTIS);
  assert(folder.read().endsWith('1,34,Lima,Peru\r\n"","12","Poseidonia","Atlantis"\n'));
  assertEquals(await folder.store().find("Atlantis"), ATLANTIS);
});

Deno.test("a file without populations takes none, and takes a record without", async () => {
  using folder = recordsFolder("Country,Capital\nPeru,Lima\n");
  const store = folder.store();
  await assertRejectsCode(() => store.add(ATLANTIS), "bad_record");
  await store.add({ country: "Atlantis", capital: "Poseidonia" });
  assertEquals(folder.read(), 'Country,Capital\nPeru,Lima\n"Atlantis","Poseidonia"\n');
});

Deno.test("a last row without a line end gets one before the next is added", async () => {
  using folder = recordsFolder(`${HEADER}Peru,Lima,34`);
  await folder.store().add(ATLANTIS);
  assertEquals(folder.read(), `${HEADER}Peru,Lima,34\n"Atlantis","Poseidonia","12"\n`);
});

Deno.test("a last row that a person wrote in part of the columns stays when the next is added", async () => {
  using folder = recordsFolder(`${HEADER}"Mu","Hiranipura"`);
  const store = folder.store();
  assertEquals((await store.find("Mu"))?.capital, "Hiranipura");
  await store.add(ATLANTIS);
  assertEquals(folder.read(), `${HEADER}"Mu","Hiranipura"\n"Atlantis","Poseidonia","12"\n`);
});

Deno.test("what a killed writer left of a row of many columns is cut off, and no row before it", async () => {
  const header = `Country,Capital,Population${",x".repeat(200_000)}\n`;
  const columns = { ...USUAL_COLUMNS, count: 200_003 };
  const torn = formatRow({ country: "Mu", capital: "Hiranipura" }, columns);
  for (const length of [0, 9, 300_000, torn.length - 1]) {
    using folder = recordsFolder(`${header}Peru,Lima,34\n${torn.slice(0, length).padEnd(torn.length, "\0")}`);
    await folder.store().add(ATLANTIS);
    assertEquals(folder.read().length, `${header}Peru,Lima,34\n${formatRow(ATLANTIS, columns)}`.length);
    assertEquals((await folder.store().find("Atlantis"))?.population, 12);
  }
});

Deno.test("a row that somebody else was only in the midst of adding is found, and never cut off", async () => {
  const row = formatRow({ country: "Mu", capital: "Hiranipura" }, USUAL_COLUMNS);
  for (const isAsked of [true, false]) {
    using folder = recordsFolder(`${HEADER}${row.slice(0, 7).padEnd(row.length, "\0")}`);
    const { mtime } = Deno.statSync(folder.file);
    const store = folder.store();
    assertEquals(await store.find("Mu"), undefined);
    folder.write(HEADER + row);
    Deno.utimeSync(folder.file, mtime!, mtime!); // nothing tells the two states apart from outside
    if (isAsked) await until(async () => (await store.find("Mu"))?.capital, "Hiranipura");
    await store.add(ATLANTIS);
    assertEquals(folder.read(), HEADER + row + formatRow(ATLANTIS, USUAL_COLUMNS));
  }
});

Deno.test("a file without a header is told of once, and one with a header is not", async () => {
  const told: string[] = [];
  const onHeaderless = (file: string) => void told.push(file);
  using sound = recordsFolder(`Capital,Country\nLima,Peru\n`);
  assertEquals((await sound.store({ onHeaderless }).find("Peru"))?.capital, "Lima");
  using empty = recordsFolder("");
  assertEquals(await empty.store({ onHeaderless }).find("Peru"), undefined);
  assertEquals(told, []);
  using folder = recordsFolder("Land,Hauptstadt\nPeru,Lima\n");
  const store = folder.store({ onHeaderless });
  assertEquals((await store.find("Peru"))?.capital, "Lima");
  await store.add(ATLANTIS);
  folder.write("Land,Hauptstadt\nPeru,Cusco\n");
  await until(async () => (await store.find("Peru"))?.capital, "Cusco");
  assertEquals(told, [folder.file]);
});

Deno.test("a last row in a person's quotes and without a line end stays", async () => {
  using folder = recordsFolder(`${HEADER}"Korea, South",Seoul,51`);
  const store = folder.store();
  assertEquals((await store.find("Korea, South"))?.capital, "Seoul");
  await store.add(ATLANTIS);
  assertEquals(folder.read(), `${HEADER}"Korea, South",Seoul,51\n"Atlantis","Poseidonia","12"\n`);
});

Deno.test("what a killed writer left of a row is passed over, and cut off by the next", async () => {
  const torn = formatRow({ country: "Mu", capital: "Hiranipura" }, USUAL_COLUMNS);
  for (let length = 0; length < torn.length; length++) {
    using folder = recordsFolder(`${HEADER}Peru,Lima,34\n${torn.slice(0, length).padEnd(torn.length, "\0")}`);
    const store = folder.store();
    assertEquals(await store.find("Mu"), undefined);
    assertEquals((await store.find("Peru"))?.capital, "Lima");
    await store.add(ATLANTIS);
    assertEquals(folder.read(), `${HEADER}Peru,Lima,34\n"Atlantis","Poseidonia","12"\n`);
  }
});

Deno.test("a file that cannot be read takes nothing away that is known without it", async () => {
  using folder = recordsFolder(`${HEADER}Atlantis,Poseidonia,12\n`);
  const builtIn = folder.store({ isBuiltIn: true });
  const own = folder.store();
  for (const store of [builtIn, own]) assertEquals((await store.find("Atlantis"))?.capital, "Poseidonia");
  Deno.removeSync(folder.file);
  Deno.mkdirSync(folder.file);
  const fresh = folder.store({ isBuiltIn: true });
  assertEquals((await fresh.find("France"))?.capital, "Paris");
  assert(folder.faults.some((fault) => fault.includes("it is a directory")), folder.faults.join());
  for (const store of [builtIn, own]) {
    assertEquals(await store.find("Nowhere"), undefined); // who asks for an unknown one looks at once
    assertEquals((await store.find("Atlantis"))?.capital, "Poseidonia");
  }
  for (const store of [builtIn, own, fresh]) {
    await assertRejectsCode(() => store.add({ country: "Mu", capital: "X" }), "is_directory");
  }
  Deno.writeTextFileSync(`${folder.path}/plain`, "");
  const below = folder.store({ isBuiltIn: true, file: `${folder.path}/plain/countries.csv` });
  assertEquals((await below.find("France"))?.capital, "Paris");
  await assertRejectsCode(() => below.add({ country: "Mu", capital: "X" }), "not_a_directory");
  Deno.removeSync(folder.file);
  folder.write(`${HEADER}Atlantis,Atlas City,12\n`);
  for (const store of [builtIn, own, fresh]) {
    await until(async () => (await store.find("Atlantis"))?.capital, "Atlas City");
  }
});

Deno.test("edits by hand are picked up, in place and by another file in its place", async () => {
  using folder = recordsFolder(`${HEADER}Peru,Lima,34\n`);
  const store = folder.store();
  assertEquals((await store.find("Peru"))?.capital, "Lima");
  folder.write(`${HEADER}Peru,Cusco,34\nChile,Santiago,19\n`);
  await until(async () => [(await store.find("Peru"))?.capital, (await store.find("Chile"))?.capital], [
    "Cusco",
    "Santiago",
  ]);
  Deno.writeTextFileSync(`${folder.path}/new.csv`, `${HEADER}Chile,Valparaíso,19\n`);
  Deno.renameSync(`${folder.path}/new.csv`, folder.file);
  await until(async () => [await store.find("Peru"), (await store.find("Chile"))?.capital], [null, "Valparaíso"]);
  await store.add(ATLANTIS);
  assertEquals(folder.read(), `${HEADER}Chile,Valparaíso,19\n"Atlantis","Poseidonia","12"\n`);
});

Deno.test("a broken row that comes while it runs is told once, and the others stay", async () => {
  using folder = recordsFolder(`${HEADER}Peru,Lima,34\n`);
  const store = folder.store();
  await store.find("Peru");
  folder.write(`${HEADER}Peru,Lima,34\nChile\nperú,Lima,1\nSpain,Madrid,48\n`);
  await until(async () => (await store.find("Spain"))?.capital, "Madrid");
  assertEquals((await store.find("Peru"))?.capital, "Lima");
  const expected = ["3:7 the capital is missing", '4:1 "perú" is there already'];
  assertEquals(folder.faults, expected);
  await store.add(ATLANTIS);
  folder.write(`${folder.read()}Italy,Rome,59\n`);
  await until(async () => (await store.find("Italy"))?.capital, "Rome");
  assertEquals(folder.faults, expected);
});

Deno.test("a file that is gone for a moment keeps its table", async () => {
  using folder = recordsFolder(`${HEADER}Peru,Lima,34\n`);
  const store = folder.store();
  await store.find("Peru");
  Deno.removeSync(folder.file);
  await store.refresh();
  assertEquals((await store.find("Peru"))?.capital, "Lima");
});

Deno.test("what is added to the built-in table goes to a file of its own, which is told of once", async () => {
  using folder = recordsFolder();
  const told: string[] = [];
  const file = `${folder.path}/deep/own.csv`;
  const store = folder.store({ file, isBuiltIn: true, onFirstAdd: (path) => told.push(path) });
  await assertRejectsCode(() => store.add({ country: "USA", capital: "X" }), "exists");
  assertEquals(told, []);
  await store.add(ATLANTIS);
  await store.add({ country: "Mu", capital: "Hiranipura" });
  assertEquals(told, [file]);
  assertEquals(Deno.readTextFileSync(file), `${USUAL_HEADER}"Atlantis","Poseidonia","12"\n"Mu","Hiranipura",""\n`);
  const next = folder.store({ file, isBuiltIn: true });
  assertEquals((await next.find("France"))?.capital, "Paris");
  assertEquals(await next.find("ATLANTIS"), ATLANTIS);
});

Deno.test("an addition that cannot be written is refused, and leaves the file as it was", {
  ignore: Deno.build.os === "windows",
}, async () => {
  using folder = recordsFolder(`${HEADER}Peru,Lima,34\n`);
  const held = await LockedCsv.open(folder.file, false, 1_000);
  const store = folder.store({ patienceMs: 50 });
  const added = store.add(ATLANTIS);
  assertEquals((await store.find("Peru"))?.capital, "Lima"); // lookups do not wait for who adds
  await assertRejectsCode(() => added, "busy");
  assertEquals(folder.read(), `${HEADER}Peru,Lima,34\n`);
  held[Symbol.dispose]();
  using _next = await LockedCsv.open(folder.file, false, 5_000); // Deno 2.5 still waits for the lock until it is free
});

Deno.test("100,000 rows are loaded, and one addition leaves the others where they are", async () => {
  const rows = Array.from({ length: 100_000 }, (_, index) => `Land ${index},"Town, ${index}",${index}\n`).join("");
  using folder = recordsFolder(`${HEADER}${rows}Ruritania,Strelsau,1\n`);
  const store = folder.store();
  assertEquals(await store.find("land 99999"), { country: "Land 99999", capital: "Town, 99999", population: 99_999 });
  const { ino, size } = Deno.statSync(folder.file);
  await store.add(ATLANTIS);
  assertEquals(Deno.statSync(folder.file).ino, ino);
  assertEquals(Deno.statSync(folder.file).size, size + formatRow(ATLANTIS, USUAL_COLUMNS).length);
  assertEquals(await store.suggest("Ruritanai"), ["Ruritania"]);
});

Deno.test("the file of one's own is where the system keeps such things", () => {
  const home = (name: string) => ({ HOME: "/home/me", LOCALAPPDATA: "C:\\me" })[name];
  assertEquals(stateFile("countries.csv", "linux", home), "/home/me/.local/state/app/countries.csv");
  assertEquals(stateFile("countries.csv", "linux", () => "/state"), "/state/app/countries.csv");
  assertEquals(stateFile("countries.csv", "darwin", home), "/home/me/Library/Application Support/app/countries.csv");
  assertEquals(stateFile("countries.csv", "windows", home), "C:\\me\\app\\countries.csv");
  assertEquals(stateFile("countries.csv", "linux", () => undefined), undefined);
});
