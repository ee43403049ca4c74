/** What a watch tells of each further run, and what only once. */
import { WatchReport } from "../../client/commands/watch_report.ts";
import { Report } from "../../client/report.ts";
import type { TreeOptions, TreeResult } from "../../client/tree.ts";
import { AppError } from "../../protocol/errors.ts";
import { FakeTerminal } from "../cli/fake_terminal.ts";
import { assertEquals, assertRejectsCode } from "../support/assert.ts";

const NOTHING: TreeResult = {
  files: 0,
  fileBytes: 0,
  unchanged: 9,
  skipped: 0,
  moved: 0,
  removed: 0,
  failed: 0,
  bytesOnWire: 99,
};
const NOW = new Date(2026, 10, 21, 14, 3, 22);

function stage({ isJson = false } = {}) {
  const terminal = new FakeTerminal();
  const report = new Report(terminal, { json: isJson, quiet: false });
  const runs = new WatchReport(report, "dir", { isJson, now: () => NOW });
  return {
    terminal,
    runs,
    /** A further run that comes to `result`, with what `during` tells. */
    again: (result: Partial<TreeResult>, during: (events: TreeOptions) => void = () => {}) =>
      runs.again({}, (events) => {
        during(events);
        return Promise.resolve({ ...NOTHING, ...result });
      }),
  };
}

const failing = (...names: string[]) => (events: TreeOptions) =>
  names.forEach((name) => events.onFailed!(name, new AppError("denied", `Cannot read ${name}`)));

Deno.test("a run that did something has one line, with the time; others have none", async () => {
  const { terminal, again } = stage();
  await again({});
  await again({ files: 2, fileBytes: 3_100, removed: 1 }, (events) => {
    events.onPlanned!("create", "a", { kind: "file" });
    events.onProgress!({ entries: 3 });
  });
  await again({}, (events) => {
    for (const action of ["make", "make", "link", "adjust", "skip", "pass"] as const) {
      events.onPlanned!(action, "d", { kind: "directory" });
    }
  });
  assertEquals([terminal.results, terminal.noted], [
    ["14:03:22  2 sent (3.1 KB), 1 removed", "14:03:22  2 made, 1 linked, 1 adjusted"],
    "",
  ]);
});

Deno.test("a failure is told when it is new, and again when it was gone in between", async () => {
  const { terminal, runs, again } = stage();
  await runs.first((remembering) => {
    const told: string[] = [];
    remembering({ onFailed: (name) => told.push(name) }).onFailed!("a", new AppError("denied", "Cannot read a"));
    assertEquals(told, ["a"]);
    return Promise.resolve(1);
  });
  assertEquals(runs.exit, 1);
  await again({ failed: 1 }, failing("a"));
  assertEquals([terminal.noted, terminal.results], ["", []]);
  await again({ failed: 2 }, failing("a", "b"));
  assertEquals([terminal.notes.length, terminal.results], [1, ["14:03:22  2 failed"]]);
  await again({});
  assertEquals(runs.exit, 0);
  await again({ failed: 1 }, failing("a"));
  assertEquals([terminal.notes.length, runs.exit], [2, 1]);
});

Deno.test("in json each further run is one line, quiet ones too", async () => {
  const { terminal, again } = stage({ isJson: true });
  await again({ files: 1 }, (events) => events.onProgress!({ entries: 3 }));
  await again({});
  const event = { event: "run", name: "dir", time: NOW.toISOString(), ...NOTHING, made: 0, linked: 0, adjusted: 0 };
  assertEquals(terminal.events, [{ ...event, files: 1 }, event]);
});

Deno.test("a run that comes to nothing is a failed one, and its failures are known to the next", async () => {
  const { terminal, runs, again } = stage();
  const lost = new AppError("link_refused", "The link was revoked");
  await assertRejectsCode(() =>
    runs.again({}, (events) => {
      failing("a")(events);
      return Promise.reject(lost);
    }), "link_refused");
  runs.failed(lost);
  await again({ failed: 1 }, failing("a"));
  assertEquals([runs.exit, terminal.notes.length], [1, 2]);
});

Deno.test("what is left out is told once, in the first run; a name that breaks the rule is a failure", async () => {
  const { terminal, again } = stage();
  await again({}, (events) => {
    events.onLeftOut!("pipe", new AppError("not_a_file", "It is a pipe"));
    events.onLeftOut!("bad\\", new AppError("bad_name", "It has a backslash"));
    events.onHidden!(2);
  });
  assertEquals(terminal.notes.length, 2);
});
