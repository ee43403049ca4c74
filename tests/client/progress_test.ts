/** The line of progress, with a clock that the test hands in. */
import stringWidth from "string-width";
import { ProgressMeter } from "../../client/progress.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../support/assert.ts";
import { type Random, withSeed } from "../support/random.ts";

const MB = 1_000_000;

/** A meter at `bytes` of `sizeBytes`, to which 1 MB came in every second since 0. */
function meterAt(seconds: number, sizeBytes: number | undefined): ProgressMeter {
  const meter = new ProgressMeter(0);
  for (let second = 0; second <= seconds; second++) {
    meter.update({ phase: "moving", bytes: second * MB, sizeBytes }, second * 1000);
  }
  return meter;
}

/** Seconds that a line says are left; `undefined` when it says nothing of the kind. */
function secondsLeft(line: string): number | undefined {
  const match = / {2}(?:(\d+):)?(\d+):(\d\d)$/.exec(line);
  return match ? Number(match[1] ?? 0) * 3600 + Number(match[2]) * 60 + Number(match[3]) : undefined;
}

Deno.test("progress line has name, bar, percent, bytes, speed and time left", () => {
  assertEquals(
    meterAt(5, 20 * MB).line("img.jpg", 5_000, 100),
    "img.jpg  [#####               ]  25%  5.0 MB/20.0 MB  1.0 MB/s  0:15",
  );
});

Deno.test("progress says 100% only when all is there", () => {
  const meter = new ProgressMeter(0);
  meter.update({ phase: "moving", bytes: 0, sizeBytes: 1_000 }, 0);
  meter.update({ phase: "moving", bytes: 999, sizeBytes: 1_000 }, 1_000);
  assertStringIncludes(meter.line("a", 1_000, 80), "[################### ]  99%");
  meter.update({ phase: "moving", bytes: 1_000, sizeBytes: 1_000 }, 2_000);
  assertStringIncludes(meter.line("a", 2_000, 80), "[####################]  100%");
});

Deno.test("progress of a stream has neither bar nor percent nor time left", () => {
  assertEquals(meterAt(5, undefined).line("-", 5_000, 80), "-  5.0 MB  1.0 MB/s");
});

Deno.test("progress of an empty file is whole from the start", () => {
  const meter = new ProgressMeter(0);
  meter.update({ phase: "moving", bytes: 0, sizeBytes: 0 }, 10);
  assertEquals(meter.line("empty.txt", 20, 80), "empty.txt  100%  0 B/0 B");
  assertEquals(meter.finalLine("empty.txt", 20), "empty.txt  100%  0 B  0 B/s  0:00");
});

Deno.test("progress before anything has come tells the name", () => {
  assertStringIncludes(new ProgressMeter(0).line("img.jpg", 10, 80), "img.jpg");
});

Deno.test("progress tells of checking and flushing, without speed and time", () => {
  const meter = new ProgressMeter(0);
  meter.update({ phase: "verifying", bytes: 2 * MB, sizeBytes: 10 * MB }, 5_000);
  assertEquals(meter.line("a", 9_000, 80), "a  checking what is here  2.0 MB/10.0 MB");
  meter.update({ phase: "flushing", bytes: 10 * MB, sizeBytes: 10 * MB }, 10_000);
  assertEquals(meter.line("a", 20_000, 80), "a  writing to the disk  10.0 MB/10.0 MB");
});

Deno.test("what was resumed counts for the percent and not for the speed", () => {
  const meter = new ProgressMeter(0);
  meter.update({ phase: "moving", bytes: 50 * MB, sizeBytes: 100 * MB }, 1_000);
  meter.update({ phase: "moving", bytes: 51 * MB, sizeBytes: 100 * MB }, 2_000);
  assertEquals(meter.line("a", 2_000, 80), "a  [##########          ]  51%  51.0 MB/100 MB  1.0 MB/s  0:49");
  meter.update({ phase: "moving", bytes: 100 * MB, sizeBytes: 100 * MB }, 51_000);
  assertEquals(meter.finalLine("a", 51_000), "a  100%  100 MB  1.0 MB/s  0:50");
});

Deno.test("a transfer that begins anew forgets the speed of the first", () => {
  const meter = meterAt(50, 100 * MB);
  meter.update({ phase: "moving", bytes: 0, sizeBytes: 100 * MB }, 60_000);
  meter.update({ phase: "moving", bytes: 2 * MB, sizeBytes: 100 * MB }, 61_000);
  assertStringIncludes(meter.line("a", 61_000, 80), "2.0 MB/s  0:49");
});

Deno.test("final line is the one of the README", () => {
  const meter = new ProgressMeter(0);
  meter.update({ phase: "moving", bytes: 0, sizeBytes: 1_945_600 }, 100);
  meter.update({ phase: "moving", bytes: 1_945_600, sizeBytes: 1_945_600 }, 104);
  meter.update({ phase: "flushing", bytes: 1_945_600, sizeBytes: 1_945_600 }, 104.2);
  assertEquals(meter.finalLine("img.jpg", 104.722), "img.jpg  100%  1.9 MB  412 MB/s  0:00");
});

Deno.test("stalled is said after three seconds and is gone with the next byte", () => {
  const meter = meterAt(5, 20 * MB);
  assertEquals(meter.line("a", 7_999, 80).includes("stalled"), false);
  assertMatch(meter.line("a", 8_000, 80), / {2}stalled for 3 s$/);
  meter.update({ phase: "moving", bytes: 5 * MB, sizeBytes: 20 * MB }, 14_000);
  assertMatch(meter.line("a", 15_999, 80), / {2}stalled for 10 s$/);
  meter.update({ phase: "moving", bytes: 5 * MB + 1, sizeBytes: 20 * MB }, 16_000);
  assertEquals(meter.line("a", 16_000, 80).includes("stalled"), false);
  assert(secondsLeft(meter.line("a", 16_000, 80)) !== undefined);
});

Deno.test("stalled is said, too, when nothing has come at all", () => {
  const meter = new ProgressMeter(0);
  assertEquals(meter.line("a", 2_900, 80).includes("stalled"), false);
  assertStringIncludes(meter.line("a", 4_000, 80), "stalled for 4 s");
});

Deno.test("time left never rises faster than time passes", async () => {
  for (let run = 0; run < 30; run++) await withSeed((random) => watchTimeLeft(random, run));
});

function watchTimeLeft(random: Random, run: number): void {
  for (let skip = 0; skip < run; skip++) random.bytes(64);
  const sizeBytes = 500 * MB;
  const meter = new ProgressMeter(0);
  let shown: { ms: number; seconds: number } | undefined;
  for (let ms = 0, bytes = 0; bytes < sizeBytes && ms < 600_000;) {
    meter.update({ phase: "moving", bytes, sizeBytes }, ms);
    const seconds = secondsLeft(meter.line("a", ms, 80));
    if (seconds !== undefined) {
      const passed = shown ? (ms - shown.ms) / 1000 : Infinity;
      // Both numbers are rounded to whole seconds, so one second may come from that alone.
      assert(seconds <= (shown?.seconds ?? 0) + passed + 1, `${shown?.seconds} s, then ${seconds} s at ${ms} ms`);
      shown = { ms, seconds };
    }
    ms += 10 + random.below(2_000);
    const speed = 10 ** (3 + random.below(5));
    bytes = Math.min(sizeBytes, bytes + (random.below(4) === 0 ? 0 : Math.floor(random.fraction() * speed)));
  }
}

Deno.test("time left is right when the speed is even", () => {
  for (const seconds of [2, 10, 30]) {
    const left = secondsLeft(meterAt(seconds, 60 * MB).line("a", seconds * 1000, 80));
    assertEquals(left, 60 - seconds);
  }
});

const NAMES = [
  "",
  "a",
  "img.jpg",
  "写真と動画のファイル名.jpg",
  "👨‍👩‍👧‍👦🎉🇩🇪🏳️‍🌈.png",
  "é".repeat(300),
  "x".repeat(4_000),
  "한글 파일.txt",
];

Deno.test("line is never wider than the terminal less one column", () => {
  const meters = {
    moving: meterAt(5, 20 * MB),
    stream: meterAt(5, undefined),
    stalled: meterAt(1, 999_000 * MB),
    verifying: new ProgressMeter(0),
  };
  meters.verifying.update({ phase: "verifying", bytes: MB, sizeBytes: 2 * MB }, 10_000);
  const wide: string[] = [];
  for (const [kind, meter] of Object.entries(meters)) {
    for (const name of NAMES) {
      for (let columns = 10; columns <= 200; columns++) {
        const line = meter.line(name, 10_000, columns, stringWidth);
        if (stringWidth(line) > columns - 1) wide.push(`${kind}, ${columns} columns: ${line}`);
      }
    }
  }
  assertEquals(wide.length, 0, `${wide.length} lines are too wide, such as ${wide.slice(0, 3).join("\n")}`);
});

Deno.test("a name that does not fit is cut with an ellipsis, and one that fits is not", () => {
  const meter = meterAt(5, 20 * MB);
  assertMatch(meter.line("写真".repeat(40), 5_000, 80, stringWidth), /^(写真)+写?… {2}\[/);
  assertMatch(meter.line("img.jpg", 5_000, 80), /^img\.jpg {2}\[/);
  assertEquals(meter.line("img.jpg", 5_000, 60).includes("["), false);
});
