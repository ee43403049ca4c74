/** A line as words, and a word as it must be typed. */
import { quoteWord, splitTyped, splitWords } from "../../../client/shell/words.ts";
import { assertEquals, assertThrowsCode } from "../../support/assert.ts";
import { withSeed } from "../../support/random.ts";

for (
  const [line, words] of [
    ["", []],
    ["   ", []],
    ["list", ["list"]],
    ["  get  a.txt\tb.txt ", ["get", "a.txt", "b.txt"]],
    [`get "a b" 'c d' e\\ f`, ["get", "a b", "c d", "e f"]],
    [`get a" b "c`, ["get", "a b c"]],
    [`get "" ''`, ["get", "", ""]],
    [`"a\\"b" "a\\\\b" "a\\nb"`, [`a"b`, "a\\b", "a\\nb"]],
    [`'a\\b' '"'`, ["a\\b", '"']],
    [`"it's" \\"x\\"`, ["it's", '"x"']],
    ["get # $HOME *.jpg ~ ; | > x", ["get", "#", "$HOME", "*.jpg", "~", ";", "|", ">", "x"]],
    ["日本.txt Grüße\u00a0x", ["日本.txt", "Grüße", "x"]],
  ] as const
) {
  Deno.test(`${JSON.stringify(line)} is ${JSON.stringify(words)}`, () => assertEquals(splitWords(line), words));
}

Deno.test("a line that ends inside quotes, or behind a backslash, is refused", () => {
  for (const line of [`get "a`, "get 'a", `get 'a"`, "get a\\", `"\\"`]) {
    assertThrowsCode(() => splitWords(line), "usage");
  }
});

Deno.test("a word in any quotes is read as it was", () =>
  withSeed((random) => {
    for (let run = 0; run < 2_000; run++) {
      const letters = Array.from({ length: random.below(8) }, () =>
        random.pick(["a", " ", "'", '"', "\\", "\t", "é", "🎈"]));
      const word = letters.join("");
      const quote = random.pick(["", "'", '"'] as const);
      assertEquals(splitWords(`x ${quoteWord(word, quote)} y`), ["x", word, "y"], JSON.stringify([word, quote]));
    }
  }));

Deno.test("of a line that is being typed, the last word is told with its place and its quote", () => {
  assertEquals(splitTyped("get "), { words: ["get"], last: { text: "", start: 4, quote: "" } });
  assertEquals(splitTyped("get a.t").last, { text: "a.t", start: 4, quote: "" });
  assertEquals(splitTyped(`get "a b`).last, { text: "a b", start: 4, quote: '"' });
  assertEquals(splitTyped("get a\\ b").last, { text: "a b", start: 4, quote: "" });
});
