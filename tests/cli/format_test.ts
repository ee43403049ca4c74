/** Sizes, times and counts as people read and write them. */
import { assertEquals, assertMatch } from "../support/assert.ts";
import { formatCount, formatDuration, formatSize, formatTime, parseSize } from "../../protocol/cli/format.ts";
import { withSeed } from "../support/random.ts";

Deno.test("sizes are shown with at most three digits before the unit changes", () => {
  const cases: readonly (readonly [bytes: number, text: string])[] = [
    [0, "0 B"],
    [1, "1 B"],
    [999, "999 B"],
    [999.4, "999 B"],
    [999.5, "1.0 KB"],
    [1_000, "1.0 KB"],
    [1_049, "1.0 KB"],
    [1_051, "1.1 KB"],
    [9_949, "9.9 KB"],
    [99_900, "99.9 KB"],
    [99_940, "99.9 KB"],
    [99_950, "100 KB"],
    [99_999, "100 KB"],
    [100_000, "100 KB"],
    [999_499, "999 KB"],
    [999_500, "1.0 MB"],
    [1_000_000, "1.0 MB"],
    [1_945_600, "1.9 MB"],
    [999_499_999, "999 MB"],
    [999_500_000, "1.0 GB"],
    [2_000_000_000, "2.0 GB"],
    [1e12, "1.0 TB"],
    [1e15, "1.0 PB"],
    [Number.MAX_SAFE_INTEGER, "9.0 PB"],
    [1e18, "1000 PB"],
  ];
  for (const [bytes, text] of cases) assertEquals(formatSize(bytes), text, String(bytes));
});

Deno.test("sizes never grow shorter in value and are never wider than eight columns", async () => {
  await withSeed((random) => {
    for (let round = 0; round < 2_000; round++) {
      const bytes = Math.floor(10 ** (random.fraction() * 15.9));
      const text = formatSize(bytes);
      assertMatch(text, /^(\d{1,3}|\d{1,2}\.\d) [KMGTP]?B$/);
      const read = parseSize(text.replace(/ PB$/, "000 TB").replace(/^(\d+)\.(\d)000 TB$/, "$1$200 TB"));
      assertEquals(Math.abs(read! - bytes) <= bytes * 0.051, true, `${bytes} shows as ${text}, which is ${read}`);
    }
  });
});

Deno.test("sizes are read with decimal and binary units, in any case", () => {
  const cases: readonly (readonly [text: string, bytes: number])[] = [
    ["0", 0],
    ["500", 500],
    ["500b", 500],
    ["1k", 1_000],
    ["1K", 1_000],
    ["1KB", 1_000],
    ["1 KB", 1_000],
    ["1KiB", 1_024],
    ["1Ki", 1_024],
    ["10M", 10_000_000],
    ["10MiB", 10_485_760],
    ["1.5G", 1_500_000_000],
    ["2T", 2e12],
    ["1.9 MB", 1_900_000],
    ["0.3K", 300],
    ["007", 7],
  ];
  for (const [text, bytes] of cases) assertEquals(parseSize(text), bytes, text);
});

Deno.test("what is no size is not read as one", () => {
  const refused = [
    "",
    " ",
    "-1",
    "+1",
    "1e3",
    "K",
    ".5M",
    "1.M",
    "1,5M",
    "10X",
    "10MM",
    "1 2",
    "0x10",
    "NaN",
    "∞",
    "1P",
  ];
  for (const text of [...refused, "9007199254740993", "9008T", "10M\n"]) {
    assertEquals(parseSize(text), undefined, JSON.stringify(text));
  }
  assertEquals(parseSize("9007199254740991"), Number.MAX_SAFE_INTEGER);
});

Deno.test("durations are shown in minutes and seconds, with hours where there are any", () => {
  const cases: readonly (readonly [seconds: number, text: string])[] = [
    [-5, "0:00"],
    [0, "0:00"],
    [0.4, "0:00"],
    [0.5, "0:01"],
    [5, "0:05"],
    [59.4, "0:59"],
    [59.5, "1:00"],
    [60, "1:00"],
    [61, "1:01"],
    [3_599, "59:59"],
    [3_599.5, "1:00:00"],
    [3_600, "1:00:00"],
    [3_723, "1:02:03"],
    [360_000, "100:00:00"],
  ];
  for (const [seconds, text] of cases) assertEquals(formatDuration(seconds), text, String(seconds));
});

Deno.test("counts have a plural, and separators that do not depend on the machine", () => {
  assertEquals(formatCount(0, "file"), "0 files");
  assertEquals(formatCount(1, "file"), "1 file");
  assertEquals(formatCount(2, "file"), "2 files");
  assertEquals(formatCount(1_234_567, "name"), "1,234,567 names");
});

Deno.test("times are shown in the person's own zone", () => {
  assertEquals(formatTime(new Date(2026, 10, 20, 18, 8, 59).getTime()), "2026-11-20 18:08");
  assertEquals(formatTime(new Date(2026, 0, 2, 3, 4).getTime()), "2026-01-02 03:04");
});
