/** Lookups that are answered while requests are decoded: in order, logged, and never out of date. */
import type { RecordStore } from "../../server/mod.ts";
import { assertEquals } from "../support/assert.ts";
import { recordsFolder } from "../records/records_folder.ts";
import { openSession, receive, soon, startServed } from "./served.ts";

const CSV = "Country,Capital,Population\nPeru,Lima,34\nMu,Hiranipura,\n";

Deno.test("lookups between other requests are answered in their order", async () => {
  using folder = recordsFolder(CSV);
  await using served = startServed({ "a.txt": "content" }, { records: folder.store() });
  using opened = await openSession(served.port);
  const { session } = opened;
  for (let round = 0; round < 3; round++) {
    session.send({ type: "find", country: "Peru" });
    session.send({ type: "stat", name: "a.txt" });
    session.send({ type: "find", country: "nowhere at all" });
    session.send({ type: "find", country: "MU" });
    session.send({ type: "get", name: "a.txt", eager: true });
    session.send({ type: "find", country: "Peru" });
    session.send({ type: "find", country: "Mu" });
    assertEquals(await receive(session, "record"), {
      type: "record",
      country: "Peru",
      capital: "Lima",
      population: 34,
    });
    await receive(session, "entries");
    await receive(session, "done");
    await receive(session, "error");
    assertEquals(await receive(session, "record"), { type: "record", country: "Mu", capital: "Hiranipura" });
    await receive(session, "offer");
    await receive(session, "data");
    const end = await receive(session, "end");
    if (end.type === "end") session.send({ ...end, type: "stored" });
    assertEquals((await receive(session, "record") as { country?: string }).country, "Peru");
    assertEquals((await receive(session, "record") as { country?: string }).country, "Mu");
  }
  const finds = served.records.filter(({ request }) => request === "find").map(({ name, result }) =>
    `${name} ${result}`
  );
  const round = ["Peru done", "nowhere at all not_found", "MU done", "Peru done", "Mu done"];
  assertEquals(finds, [...round, ...round, ...round]);
});

Deno.test("a thousand lookups that are sent at once are all answered, and many kinds of them", async () => {
  await using served = startServed();
  using opened = await openSession(served.port);
  const spellings = ["Peru", "peru", "PERÚ", " Peru ", "p.e.r.u"];
  for (let index = 0; index < 1_000; index++) opened.session.send({ type: "find", country: spellings[index % 5]! });
  for (let index = 0; index < 1_000; index++) {
    assertEquals((await receive(opened.session, "record") as { capital?: string }).capital, "Lima");
  }
});

Deno.test("an answer is never out of date when the store has another record", async () => {
  let capital = "One";
  let record = { country: "Mu", capital };
  const records: RecordStore = {
    peek: () => record,
    find: () => Promise.resolve(record),
    suggest: () => Promise.resolve([]),
    add: () => Promise.resolve(),
  };
  await using served = startServed({}, { records });
  await using client = served.client();
  for (capital of ["One", "Two", "Three"]) {
    record = { country: "Mu", capital };
    for (let ask = 0; ask < 3; ask++) assertEquals(await client.capital("Mu"), capital);
  }
});

Deno.test("a store without answers at hand is asked in the usual way", async () => {
  const asked: string[] = [];
  const records: RecordStore = {
    find(country) {
      asked.push(country);
      return Promise.resolve({ country, capital: `Town of ${country}` });
    },
    suggest: () => Promise.resolve([]),
    add: () => Promise.resolve(),
  };
  await using served = startServed({}, { records });
  await using client = served.client();
  assertEquals(await client.capital("A"), "Town of A");
  assertEquals(await client.capital("A"), "Town of A");
  assertEquals(asked, ["A", "A"]);
});

Deno.test("what is no request ends the session behind a lookup that is answered", async () => {
  await using served = startServed();
  using opened = await openSession(served.port);
  opened.session.send({ type: "find", country: "Peru" });
  await receive(opened.session, "record");
  opened.session.send({ type: "find", country: "Peru" });
  opened.session.send({ type: "record", country: "no", capital: "request" });
  await receive(opened.session, "record");
  const failure = await soon(opened.session.receive().catch((error) => error), "a goodbye");
  assertEquals([failure.code, failure.by], ["order", "peer"]);
  await using client = served.client();
  assertEquals(await client.capital("Peru"), "Lima");
});
