/** Names on a terminal and in a log: nothing raw that could move the cursor, and nothing that could be mistaken. */
import { escapeName, quoteName } from "../../protocol/escape.ts";
import { nameFault } from "../../protocol/names.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { withSeed } from "../support/random.ts";

const JOINERS = "\u200c\u200d";
const RAW = new RegExp(`(?![${JOINERS}])[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}]`, "u");

/** What `escapeName` made, read back. */
function unescape(text: string): string {
  return text.replace(/\\(?:\\|u\{([0-9a-f]+)\})/g, (_, hex) => hex ? String.fromCodePoint(parseInt(hex, 16)) : "\\");
}

Deno.test("no control or format character of all Unicode comes out raw, except the two joiners", () => {
  for (let start = 0; start <= 0x10ffff; start += 0x1000) {
    // With a letter between, so that two halves do not make a whole.
    const points = Array.from({ length: 0x1000 }, (_, index) => String.fromCodePoint(start + index));
    for (const shown of [escapeName(points.join("a")), quoteName(points.join("a"))]) {
      assert(!RAW.test(shown), `from U+${start.toString(16)} on: ${JSON.stringify(RAW.exec(shown)?.[0])}`);
    }
  }
});

Deno.test("the joiners, letters, marks and emoji are shown as they are", () => {
  for (const name of ["a b.txt", "über", "日本語", "🦕", "👩\u200d💻", "می\u200cخواهم", "e\u0301", "❤\ufe0f"]) {
    assertEquals(escapeName(name), name);
  }
});

Deno.test("what is escaped reads back as what it was, so that no two names look the same", async () => {
  await withSeed((random) => {
    const pieces = ["\\", "u{1b}", "\x1b", "\u202e", "\u200b", "a", '"', "\n", "\\u{a}", "\u{e0001}", "é"];
    for (let round = 0; round < 500; round++) {
      const name = Array.from({ length: random.below(6) }, () => random.pick(pieces)).join("");
      assertEquals(unescape(escapeName(name)), name);
    }
  });
});

Deno.test("escapes are written as JavaScript writes them", () => {
  assertEquals(escapeName("a\x1b[31m"), "a\\u{1b}[31m");
  assertEquals(escapeName("a\\b"), "a\\\\b");
  assertEquals(escapeName("gpj.\u202eexe"), "gpj.\\u{202e}exe");
  assertEquals(escapeName("a\ud800b"), "a\ufffdb");
});

Deno.test("a quoted name cannot end its own quotes", () => {
  assertEquals(quoteName("a"), '"a"');
  assertEquals(quoteName(""), '""');
  assertEquals(quoteName('say "hi"'), '"say \\"hi\\""');
  assertEquals(quoteName('\\"'), '"\\\\\\""');
  assertEquals(quoteName("\n"), '"\\u{a}"');
});

Deno.test("invisible characters that the name rule lets pass are shown escaped", () => {
  for (const point of [0xad, 0x61c, 0x200b, 0x200e, 0x200f, 0x2060, 0xe0041]) {
    const name = `a${String.fromCodePoint(point)}b`;
    assertEquals(nameFault(name), undefined);
    assertEquals(escapeName(name), `a\\u{${point.toString(16)}}b`);
  }
});
