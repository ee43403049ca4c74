/** What a person, a file or a program is told: the same report to different terminals. */
import { noteResumed, Report } from "../../client/report.ts";
import { AppError } from "../../protocol/errors.ts";
import { FakeTerminal } from "../cli/fake_terminal.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";

const PLAIN = { json: false, quiet: false };
const NASTY = "a\u001b[31m\nb\u202e.jpg";

Deno.test("results go to stdout, notes to stderr", () => {
  const terminal = new FakeTerminal();
  const report = new Report(terminal, PLAIN);
  report.result("done", { event: "done", name: "a" });
  report.answer("answer", { event: "entry", name: "a" });
  report.note("by the way");
  assertEquals([terminal.results, terminal.noted], [["done", "answer"], "by the way\n"]);
});

Deno.test("quiet keeps results and notes back, and neither answers nor errors", () => {
  const terminal = new FakeTerminal({ isInteractive: true });
  const report = new Report(terminal, { json: false, quiet: true });
  report.result("done", { event: "done" });
  report.note("by the way");
  using progress = report.progress("a");
  progress.update({ phase: "moving", bytes: 1, sizeBytes: 2 });
  progress.finish();
  assertEquals([terminal.results, terminal.notes], [[], []]);
  report.answer("answer", { event: "entry" });
  report.error(new AppError("not_found", "It is not there"));
  assertEquals(terminal.results, ["answer"]);
  assertMatch(terminal.noted, /^It is not there\n[^\n]+\n$/);
});

Deno.test("json is one object a line on stdout, and nothing else is there", () => {
  const terminal = new FakeTerminal({ isInteractive: true, showsResults: true });
  const report = new Report(terminal, { json: true, quiet: false });
  report.result("done", { event: "done", name: NASTY });
  report.answer("answer", { event: "entry", name: "ä\n" });
  report.note("by the way");
  report.error(new AppError("busy", "It is taken"), "a");
  assertEquals(terminal.events, [
    { event: "done", name: NASTY },
    { event: "entry", name: "ä\n" },
    {
      event: "error",
      name: "a",
      code: "busy",
      message: "It is taken",
      advice: "Wait until that transfer ends, then run the command again",
      retriable: true,
    },
  ]);
  for (const line of terminal.results) assertEquals(line.split("\n").length, 1);
});

Deno.test("json tells the start of a transfer, then its progress now and then", () => {
  const terminal = new FakeTerminal({ isInteractive: true });
  using progress = new Report(terminal, { json: true, quiet: false }).progress("a");
  for (let bytes = 0; bytes < 1_000; bytes++) progress.update({ phase: "moving", bytes, sizeBytes: 1_000 });
  progress.finish();
  assertEquals(terminal.events.slice(0, 2), [
    { event: "start", name: "a", sizeBytes: 1_000 },
    { event: "progress", name: "a", phase: "moving", bytes: 0, sizeBytes: 1_000 },
  ]);
  assert(terminal.events.length < 100, "progress comes not with every call");
  assertEquals(terminal.notes, []);
});

Deno.test("json goes on telling while nothing but time passes the limit between two events", () => {
  const terminal = new FakeTerminal();
  const realNow = performance.now;
  let nowMs = 1_000;
  performance.now = () => nowMs;
  try {
    using progress = new Report(terminal, { json: true, quiet: false }).progress("a");
    for (; nowMs < 6_000; nowMs += 100) progress.update({ phase: "moving", bytes: nowMs, sizeBytes: 9_000 });
    assertEquals(terminal.events.map(({ event }) => event), ["start", ...new Array(10).fill("progress")]);
    assertEquals(terminal.events[2], { event: "progress", name: "a", phase: "moving", bytes: 1_500, sizeBytes: 9_000 });
  } finally {
    performance.now = realNow;
  }
});

Deno.test("json tells at once when a transfer begins to move, and from where", () => {
  const terminal = new FakeTerminal();
  using progress = new Report(terminal, { json: true, quiet: false }).progress("a");
  progress.update({ phase: "verifying", bytes: 1_000, sizeBytes: 9_000 });
  progress.update({ phase: "moving", bytes: 5_000, sizeBytes: 9_000 });
  assertEquals(terminal.events.map(({ phase, bytes }) => [phase, bytes]), [
    [undefined, undefined],
    ["verifying", 1_000],
    ["moving", 5_000],
  ]);
});

Deno.test("data on stdout sends everything else to stderr", () => {
  for (const json of [false, true]) {
    const terminal = new FakeTerminal();
    const report = new Report(terminal, { json, quiet: false, dataOnStdout: true });
    report.result("done", { event: "done", name: "a" });
    report.error(new AppError("lost", "It broke off"));
    assertEquals(terminal.results, []);
    assertMatch(terminal.notes[0]!, json ? /^\{"event":"done","name":"a"\}\n$/ : /^done\n$/);
  }
});

Deno.test("names are escaped on a terminal, and as they are in a pipe", () => {
  const shown = new Report(new FakeTerminal({ showsResults: true }), PLAIN).shown(NASTY);
  assertEquals(shown, "a\\u{1b}[31m\\u{a}b\\u{202e}.jpg");
  assertEquals(new Report(new FakeTerminal(), PLAIN).shown(NASTY), NASTY);
  assertEquals(new Report(new FakeTerminal({ showsResults: true }), PLAIN).shown("Grüße 写真.jpg"), "Grüße 写真.jpg");
});

Deno.test("errors are two lines: what failed, and what to do", () => {
  const terminal = new FakeTerminal();
  new Report(terminal, PLAIN).error(new AppError("not_found", `Cannot open "a"`));
  assertEquals(terminal.noted, `Cannot open "a"\nSee what is there with: app list HOST PORT\n`);
});

Deno.test("what was resumed is told in a size, and not told when it is nothing", () => {
  const terminal = new FakeTerminal();
  noteResumed(new Report(terminal, PLAIN), NASTY, 0);
  assertEquals(terminal.notes, []);
  noteResumed(new Report(terminal, PLAIN), NASTY, 1_945_600);
  assertMatch(terminal.noted, /^a\\u\{1b\}[^\n]* was resumed: 1\.9 MB [^\n]*\n$/);
});
