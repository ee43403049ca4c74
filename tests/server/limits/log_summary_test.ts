/** Refusals of one kind from one address are summed up; everything else has its own line. */
import { summarizing } from "../../../server/limits/log_summary.ts";
import { NO_LOG } from "../../../server/log.ts";
import type { LogRecord } from "../../../server/mod.ts";
import { assertEquals } from "../../support/assert.ts";

const REFUSAL: LogRecord = {
  time: new Date(0),
  peer: "192.0.2.1:1",
  who: "stranger",
  request: "get",
  name: "x",
  bytes: 0,
  durationMs: 0,
  result: "not_found",
};

function summary() {
  const records: LogRecord[] = [];
  return { records, ...summarizing((record) => records.push(record)) };
}

Deno.test("the first twenty are told, and the rest is counted", () => {
  const { records, log, [Symbol.dispose]: end } = summary();
  for (let port = 0; port < 1_000; port++) log({ ...REFUSAL, peer: `192.0.2.1:${port}`, name: `${port}` });
  assertEquals(records.length, 20);
  end();
  assertEquals(records.length, 21);
  const { peer, name, detail, result } = records[20]!;
  assertEquals([peer, name, detail, result], [
    "192.0.2.1:999",
    "",
    "and 980 more like the last one within 10 s",
    "not_found",
  ]);
});

Deno.test("as many as are told have no summary", () => {
  const { records, log, [Symbol.dispose]: end } = summary();
  for (let count = 0; count < 20; count++) log(REFUSAL);
  end();
  assertEquals(records.length, 20);
});

Deno.test("what was done is told each time", () => {
  const { records, log, [Symbol.dispose]: end } = summary();
  for (let count = 0; count < 1_000; count++) log({ ...REFUSAL, result: "done" });
  end();
  assertEquals(records.length, 1_000);
});

Deno.test("another address, link, request or result is another kind", () => {
  const { records, log, [Symbol.dispose]: end } = summary();
  const others = [{ peer: "192.0.2.2:1" }, { who: "Anna" }, { request: "stat" }, { result: "denied" }];
  for (let count = 0; count < 100; count++) log(REFUSAL);
  others.forEach((other) => log({ ...REFUSAL, ...other }));
  assertEquals(records.length, 20 + others.length);
  end();
});

Deno.test("a crowd of addresses is counted together, in bounded memory", () => {
  const { records, log, [Symbol.dispose]: end } = summary();
  for (let count = 0; count < 10_000; count++) {
    log({ ...REFUSAL, peer: `[2001:db8:${(count % 5_000).toString(16)}::1]:1` });
  }
  assertEquals(records.length, 1_024 * 2 + 20);
  end();
  assertEquals(records.length, 1_024 * 2 + 21);
});

Deno.test("a log of nothing stays one", () => {
  using summarized = summarizing(NO_LOG);
  assertEquals(summarized.log, NO_LOG);
});
