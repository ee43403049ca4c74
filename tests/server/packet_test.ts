/** The format `packet` at a server: what gets an answer, and what ends only its own connection. */
import { deflateSync, inflateSync } from "node:zlib";
import { CsvStore } from "../../server/mod.ts";
import { assertEquals, assertMatch, assertRejectsCode } from "../support/assert.ts";
import { recordsFolder } from "../records/records_folder.ts";
import { withSeed } from "../support/random.ts";
import { concat } from "../wire/decoding.ts";
import { exchange, RawConnection, startServed } from "./served.ts";

const HEADER = "Country,Capital,Population\nPeru,Lima,34\nMu,Hiranipura,\n";
const INVALID = "|Invalid command received by server";

function packets(...texts: readonly string[]): Uint8Array {
  return concat(...texts.map((text) => deflateSync(text)));
}

/** The texts of the packets that a connection brought to its end. */
function textsOf(bytes: Uint8Array): string[] {
  const texts: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const { buffer, engine } = inflateSync(bytes.subarray(at), { info: true } as never) as unknown as {
      buffer: Uint8Array;
      engine: { bytesWritten: number };
    };
    texts.push(new TextDecoder().decode(buffer));
    at += engine.bytesWritten;
  }
  return texts;
}

async function ask(port: number, ...pieces: readonly Uint8Array[]): Promise<string[]> {
  using conn = await RawConnection.open(port);
  for (const piece of pieces) await conn.write(piece);
  await conn.end();
  return textsOf(await conn.readBytes());
}

Deno.test("packets in one segment are answered in order, one by one", async () => {
  using folder = recordsFolder(HEADER);
  await using served = startServed({}, { records: folder.store() });
  const answers = await ask(
    served.port,
    packets("c|Peru", "p|peru", "p|Mu", "c|?", "p|?", "h|", "h|x", "z|", "no bar", "c|Mu"),
  );
  assertEquals(answers, [
    "|Lima",
    "|34",
    "|No country found",
    "|No country found.",
    "|No country found",
    "|beat",
    "|beat",
    INVALID,
    INVALID,
    "|Hiranipura",
  ]);
});

Deno.test("packets split at every byte are answered", async () => {
  await using served = startServed();
  const bytes = packets("c|Peru", "h|");
  await Promise.all(Array.from({ length: bytes.length }, async (_, at) => {
    assertEquals(await ask(served.port, bytes.subarray(0, at), bytes.subarray(at)), ["|Lima", "|beat"]);
  }));
});

Deno.test("what cannot be inflated is refused in words, and others are served on", async () => {
  await using served = startServed();
  const bomb = deflateSync(new Uint8Array(100_000_000));
  const junk = new TextEncoder().encode("x\x9cjunk that is no deflate stream");
  for (
    const bytes of [
      bomb,
      concat(packets("h|"), bomb),
      Uint8Array.of(0x78, 0x9c, 7, 7, 7, 7),
      concat(packets("h|"), junk),
    ]
  ) {
    assertEquals((await ask(served.port, bytes)).at(-1), INVALID);
  }
  assertEquals(await ask(served.port, packets("c|Peru")), ["|Lima"]);
  const results = served.records.map(({ request, result }) => `${request} ${result}`);
  assertEquals(results.filter((line) => /limit|malformed/.test(line)).sort(), [
    "packet limit",
    "packet limit",
    "packet malformed",
    "packet malformed",
  ]);
});

Deno.test("random bytes behind a zlib header end their own connection only", async () => {
  await using served = startServed();
  await withSeed(async (random) => {
    for (let round = 0; round < 30; round++) {
      await ask(served.port, concat(Uint8Array.of(0x78, 0xda), random.bytes(random.below(2_000)))).catch(() => {});
    }
  });
  assertEquals(await ask(served.port, packets("h|")), ["|beat"]);
});

Deno.test("a read-only server adds nothing in any format, and answers as ever", async () => {
  using folder = recordsFolder(HEADER);
  await using served = startServed({}, { records: folder.store(), readOnly: true });
  const [added, capital] = await ask(served.port, packets("a|Atlantis,Poseidonia", "c|Peru"));
  assertMatch(added!, /^\|May not add "Atlantis": the server is read-only$/);
  assertEquals(capital, "|Lima");
  await using client = served.client();
  const refused = await client.add({ country: "Atlantis", capital: "Poseidonia" }).catch((error) => error);
  assertEquals(refused.code, "read_only");
  assertEquals(await client.capital("Peru"), "Lima");
  assertEquals(folder.read(), HEADER);
});

Deno.test("answers fit into the 1,024 bytes that an old client reads at once", async () => {
  using folder = recordsFolder(HEADER);
  await using served = startServed({}, { records: folder.store() });
  const long = "é".repeat(200);
  const answers = await ask(
    served.port,
    packets(`a|${long},${long}`, `a|${long}x,y`, `c|${"z".repeat(60_000)}`, `q|${long}`),
  );
  assertEquals(answers[0], `|${long} and ${long} successfully added to database`);
  assertMatch(
    answers[1]!,
    /^\|Cannot add "é+…é+x" is longer than 200 letters$|^\|Cannot add .*is longer than 200 letters$/,
  );
  assertEquals(answers.slice(2), ["|No country found.", INVALID]);
  for (const answer of answers) assertEquals(new TextEncoder().encode(answer).length < 1_024, true);
});

Deno.test("the log tells of every packet what compression saved", async () => {
  await using served = startServed();
  await ask(served.port, packets("c|Peru", "c|Nowhere", `x|${"a".repeat(100)}`));
  assertEquals(served.records.map(({ request, name, result }) => [request, name, result]), [
    ["packet capital", "Peru", "done"],
    ["packet capital", "Nowhere", "not_found"],
    ["packet unknown", "a".repeat(100), "malformed"],
  ]);
  assertMatch(served.records[2]!.detail!, /received 102 bytes \(\d+ compressed, \d+ % saved\), sent 35 bytes \(/);
});

Deno.test("records are found and added over our own protocol, pipelined and in words", async () => {
  using folder = recordsFolder(HEADER);
  await using served = startServed({}, { records: folder.store() });
  await using client = served.client();
  assertEquals(await client.record("PERU"), { country: "Peru", capital: "Lima", population: 34 });
  assertEquals(await client.population("Mu"), undefined);
  await client.add({ country: "Atlantis", capital: "Poseidonia", population: 12 });
  assertEquals(await client.population("atlantis"), 12);
  const taken = await client.add({ country: "perú", capital: "X" }).catch((error) => error);
  assertEquals([taken.code, taken.message], ["exists", "Country already exists"]);
  const unknown = await client.capital("Atlantsi").catch((error) => error);
  assertEquals([unknown.code, unknown.message], ["not_found", "No country found. Did you mean Atlantis?"]);
  assertMatch(unknown.advice, /app add 127\.0\.0\.1 \d+ COUNTRY CAPITAL/);
  assertEquals(await exchange(served.port, "APP/1 capital perú\n"), "APP/1 ok\nLima\n");
  assertEquals(await exchange(served.port, "APP/1 population Atlantis\n"), "APP/1 ok\n12\n");
  assertMatch(await exchange(served.port, "APP/1 population Mu\n"), /^APP\/1 refused=not_found\n/);
  assertEquals(
    await exchange(served.port, "APP/1 capital Atlantsi\n"),
    "APP/1 refused=not_found\nNo country found. Did you mean Atlantis?\n",
  );
});

Deno.test("a name that no message has room for is refused before it is sent, and the connection stays usable", async () => {
  await using served = startServed();
  await using client = served.client();
  const long = "é".repeat(32_768);
  await assertRejectsCode(() => client.capital(long), "bad_record");
  await assertRejectsCode(() => client.add({ country: "Mu", capital: long }), "bad_record");
  await assertRejectsCode(() => client.capital(long.slice(1)), "not_found");
  assertEquals(await client.capital("Peru"), "Lima");
});

Deno.test("a heartbeat is answered between other requests", async () => {
  await using served = startServed();
  await using client = served.client();
  assertEquals(await client.ping() > 0, true);
  assertEquals(await client.capital("Peru"), "Lima");
  assertEquals(await client.ping() > 0, true);
});

Deno.test("a server without a file takes no additions", async () => {
  await using served = startServed({}, { records: new CsvStore({ isBuiltIn: true }) });
  const [answer] = await ask(served.port, packets("a|Atlantis,Poseidonia"));
  assertEquals(answer, "|The built-in table takes no additions here");
});
