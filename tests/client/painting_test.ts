/** Progress on a terminal and in a file: what is painted, when, and what is left behind. */
import { loadColumnsOf } from "../../client/columns.ts";
import { Report } from "../../client/report.ts";
import { AppError } from "../../protocol/errors.ts";
import { FakeTerminal } from "../cli/fake_terminal.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { HandTimers } from "../support/hand_timers.ts";

const PLAIN = { json: false, quiet: false };
const NASTY = "a\u001b[31m\nb\u202e.jpg";
const CLEAR = "\r\u001b[K";

/** Runs `body` with timers that ring only when `tick` is called. */
function withManualTimers(body: (tick: () => void, intervals: () => number[]) => void): void {
  using timers = new HandTimers();
  body(() => timers.ring(), () => timers.set);
}

/** What was painted on the line once it was cleared. */
function afterClear(note: string): string {
  assertEquals(note.slice(0, CLEAR.length), CLEAR);
  return note.slice(CLEAR.length);
}

Deno.test("progress is painted on a terminal, over itself, and gives way to the final line", () => {
  withManualTimers((tick, intervals) => {
    const terminal = new FakeTerminal({ isInteractive: true, columns: 80 });
    {
      using progress = new Report(terminal, PLAIN).progress(NASTY);
      assert(intervals().every((ms) => ms <= 200));
      progress.update({ phase: "moving", bytes: 1, sizeBytes: 2 });
      assertEquals(terminal.notes, []);
      tick();
      tick();
      assertEquals(terminal.notes.length, 2);
      for (const note of terminal.notes) assertMatch(afterClear(note), /^\P{Cc}*50%\P{Cc}*$/u);
      progress.update({ phase: "moving", bytes: 2, sizeBytes: 2 });
      progress.finish();
      assertMatch(afterClear(terminal.notes.at(-1)!), /^a\\u\{1b\}\[31m\\u\{a\}b\P{Cc}* {2}100% {2}2 B {2}\P{Cc}*\n$/u);
    }
    assertEquals(terminal.notes.length, 3);
    assertEquals(intervals(), []);
  });
});

Deno.test("progress that came to nothing leaves a clear line", () => {
  withManualTimers((tick) => {
    const terminal = new FakeTerminal({ isInteractive: true });
    {
      using _progress = new Report(terminal, PLAIN).progress("a");
      tick();
    }
    assertEquals(terminal.notes.at(-1), CLEAR);
    const unpainted = new FakeTerminal({ isInteractive: true });
    new Report(unpainted, PLAIN).progress("a")[Symbol.dispose]();
    assertEquals(unpainted.notes, []);
  });
});

Deno.test("progress of a name in another script is painted once its columns can be told, and not after its end", async () => {
  const terminal = new FakeTerminal({ isInteractive: true, columns: 40 });
  const ended = new FakeTerminal({ isInteractive: true, columns: 40 });
  let painted: ReturnType<Report["progress"]> | undefined;
  withManualTimers((tick) => {
    painted = new Report(terminal, PLAIN).progress("写真".repeat(20));
    using _ended = new Report(ended, PLAIN).progress("写真");
    tick();
  });
  await loadColumnsOf();
  await Promise.resolve();
  assertEquals(terminal.notes.map(afterClear), ["写真".repeat(8) + "…  0 B"]);
  painted![Symbol.dispose]();
  assertEquals([terminal.notes.length, ended.notes], [2, []]);
});

Deno.test("progress in a file is a plain line, seldom", () => {
  withManualTimers((tick, intervals) => {
    const terminal = new FakeTerminal({ isInteractive: false, hasColor: false });
    using progress = new Report(terminal, PLAIN).progress("a");
    assert(intervals().every((ms) => ms >= 5_000));
    progress.update({ phase: "moving", bytes: 1, sizeBytes: 2 });
    tick();
    progress.finish();
    assertEquals(terminal.notes.length, 1);
    assertMatch(terminal.notes[0]!, /^a {2}[\x20-\x7e]*50%[\x20-\x7e]*\n$/);
  });
});

Deno.test("colors are used only where there are any", () => {
  withManualTimers((tick) => {
    for (const hasColor of [false, true]) {
      const terminal = new FakeTerminal({ isInteractive: true, hasColor });
      const report = new Report(terminal, PLAIN);
      using progress = report.progress("a");
      tick();
      progress.finish();
      report.error(new AppError("lost", "It broke off"));
      // deno-lint-ignore no-control-regex -- color codes begin with one
      assertEquals(/\x1b\[[\d;]*m/.test(terminal.noted), hasColor);
    }
  });
});

Deno.test("notes in between are told as events to programs, and wipe the painted line for people", () => {
  const json = new FakeTerminal();
  new Report(json, { json: true, quiet: false }).note("again", { event: "retry", attempt: 1 });
  assertEquals([json.events, json.notes], [[{ event: "retry", attempt: 1 }], []]);
  withManualTimers((tick) => {
    const terminal = new FakeTerminal({ isInteractive: true });
    const report = new Report(terminal, PLAIN);
    using _progress = report.progress("a");
    tick();
    report.note("again", { event: "retry" });
    assertEquals(terminal.notes.slice(1), [CLEAR, "again\n"]);
    report.error(new AppError("lost", "It broke off"));
    assertEquals(terminal.notes.length, 4);
  });
});
