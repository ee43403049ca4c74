/** One line for every request, whatever its name tries. */
import { createLog, LOG_KINDS, type LogKind, type LogRecord } from "../../server/mod.ts";
import { ERRORS } from "../../protocol/errors.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { openSession, receive, soon, startServed } from "./served.ts";

const RECORD: LogRecord = {
  time: new Date("2026-11-20T18:08:00.123Z"),
  peer: "127.0.0.1:5000",
  who: "stranger",
  request: "get",
  name: "img.jpg",
  bytes: 1_945_600,
  durationMs: 4.7,
  result: "done",
};
/** Everything that begins a line or paints: line feed, return, NEL, separators, escape, the eight-bit CSI, an override. */
const NASTY = 'a\nb\rc\u0085d\u2028e\u2029f\u001b[31mg\u009b31mh\u202ei\u0000"\\';

function linesOf(kind: LogKind, record: LogRecord): string {
  let text = "";
  createLog(kind, (line) => text += line)(record);
  return text;
}

function assertOneLine(text: string): void {
  assert(text.endsWith("\n"));
  assert(!/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e]/u.test(text.slice(0, -1)), JSON.stringify(text));
}

Deno.test("text log has time, peer, who, request, name, bytes, duration and result", () => {
  assertEquals(
    linesOf("text", RECORD),
    `2026-11-20T18:08:00.123Z 127.0.0.1:5000 stranger get "img.jpg" 1945600 bytes 5 ms done\n`,
  );
  assertEquals(
    linesOf("text", { ...RECORD, name: "", bytes: 0, result: "not_found", detail: "It is not there" }),
    "2026-11-20T18:08:00.123Z 127.0.0.1:5000 stranger get - 0 bytes 5 ms not_found (It is not there)\n",
  );
  assertEquals(
    linesOf("text", { ...RECORD, bytes: 0, result: "no_space", by: "peer", detail: "My disk is full" }),
    '2026-11-20T18:08:00.123Z 127.0.0.1:5000 stranger get "img.jpg" 0 bytes 5 ms no_space by the client (My disk is full)\n',
  );
});

Deno.test("json log has the same in one object a line", () => {
  assertEquals(JSON.parse(linesOf("json", { ...RECORD, detail: "x" })), {
    ...RECORD,
    time: "2026-11-20T18:08:00.123Z",
    durationMs: 5,
    detail: "x",
  });
  assertEquals("detail" in JSON.parse(linesOf("json", RECORD)), false);
});

Deno.test("a log that is off says nothing", () => {
  assertEquals(LOG_KINDS.includes("off"), true);
  assertEquals(linesOf("off", RECORD), "");
});

Deno.test("names stay on one line of a text log, and honest ones are readable", () => {
  assertOneLine(linesOf("text", { ...RECORD, name: NASTY }));
  assert(linesOf("text", { ...RECORD, name: "Grüße 写真.jpg" }).includes(`"Grüße 写真.jpg"`));
});

Deno.test("names stay on one line of a json log, and are read back as they were", () => {
  const text = linesOf("json", { ...RECORD, name: NASTY });
  assertEquals(JSON.parse(text).name, NASTY);
  assertEquals(text.split("\n").length, 2);
});

Deno.test("names cannot paint in a json log: all control characters and separators are escaped", () => {
  assertOneLine(linesOf("json", { ...RECORD, name: NASTY, detail: NASTY }));
});

Deno.test("labels stay on one line of a log, and cannot paint", () => {
  for (const kind of ["text", "json"] as const) assertOneLine(linesOf(kind, { ...RECORD, who: NASTY }));
  assert(linesOf("text", { ...RECORD, who: "Anna" }).includes(" Anna get "));
});

Deno.test("every control character is escaped in a log, wherever it stands", () => {
  for (let code = 0; code <= 0x9f; code++) {
    if (code >= 0x20 && code < 0x7f) continue;
    const text = `a${String.fromCharCode(code)}b`;
    for (const kind of ["text", "json"] as const) {
      assertOneLine(linesOf(kind, { ...RECORD, who: text, name: text, detail: text }));
    }
  }
});

Deno.test("details stay on one line of a text log", () => {
  assertOneLine(linesOf("text", { ...RECORD, detail: "It is not there" }));
  assertOneLine(linesOf("text", { ...RECORD, detail: NASTY }));
});

Deno.test("a client's own words about an error cannot forge lines of the log", async () => {
  await using served = startServed({ "a.txt": "content" });
  using opened = await openSession(served.port);
  opened.session.send({ type: "get", name: "a.txt" });
  await receive(opened.session, "offer");
  opened.session.send({ type: "error", code: ERRORS.denied.number, text: NASTY });
  await receive(opened.session, "cancel");
  opened.session.send({ type: "stat", name: "a.txt" });
  await receive(opened.session, "entries");
  await receive(opened.session, "done");
  await opened.session.end();
  assertEquals(await soon(opened.session.nextRequest().catch(() => undefined), "the end"), undefined);
  assertEquals(
    served.records.map(({ request, result, by }) => [request, result, by]),
    [["get", "denied", "peer"], ["stat", "done", undefined]],
  );
  for (const kind of ["text", "json"] as const) {
    for (const record of served.records) assertOneLine(linesOf(kind, record));
  }
});
