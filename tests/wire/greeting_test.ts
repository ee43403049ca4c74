/** The format `greeting`: what is read back is what was written, and what is in no form is refused in one line. */
import {
  formatGreeting,
  formatGreetingReply,
  hasGreetingForm,
  parseGreeting,
  parseGreetingReply,
} from "../../protocol/wire/greeting.ts";
import { assert, assertEquals, assertThrowsCode } from "../support/assert.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

const NAMES = ["app", "Ethan Iwama", "Zoë Müller", "山田", "a: b", ": ", "Client of x: 1", " ", "a, b", "🎈"];
const NUMBERS = [0n, 1n, -1n, 42n, 100n, 101n, 10n ** 40n, -(10n ** 40n)];

for (const name of NAMES) {
  Deno.test(`a greeting of ${JSON.stringify(name)} with any number is read as it was written, in both directions`, () => {
    for (const number of NUMBERS) {
      const request = bytesOf(formatGreeting({ name, number }));
      assert(hasGreetingForm(request));
      assertEquals(parseGreeting(request), { name, number });
      for (const isClosing of [false, true]) {
        const reply = { name, number, isClosing };
        assertEquals(parseGreetingReply(bytesOf(formatGreetingReply(reply))), reply);
      }
    }
  });
}

Deno.test("the bytes are those of the old programs", () => {
  assertEquals(formatGreeting({ name: "Ethan Iwama", number: 7n }), "Client of Ethan Iwama: 7");
  assertEquals(formatGreetingReply({ name: "x", number: 42n, isClosing: false }), "Server of x: 42");
  assertEquals(formatGreetingReply({ name: "x", number: 42n, isClosing: true }), "Server of x: 42\nServer closing...");
});

Deno.test("a number may have a plus, leading zeros and space around it", () => {
  for (const text of ["+7", "007", " 7", "7 "]) {
    assertEquals(parseGreeting(bytesOf(`Client of a: ${text}`)).number, 7n, text);
  }
  assertEquals(parseGreetingReply(bytesOf("Server of a: 7\r\nServer closing...\r\n")).isClosing, true);
});

for (
  const junk of ["", "three", "1.5", "1e3", "0x10", "--1", "- 1", "1_000", "1,000", "١", "1 2", "NaN", "Infinity"]
) {
  Deno.test(`${JSON.stringify(junk)} is no integer, which is told in one line`, () => {
    const { message } = assertThrowsCode(() => parseGreeting(bytesOf(`Client of a: ${junk}`)), "malformed");
    assertEquals(message, `${JSON.stringify(junk)} is no integer`);
  });
}

Deno.test("what is not in the form is refused", () => {
  const wrong = [
    "",
    "Client of",
    "Client of a",
    "Client of a:7",
    "client of a: 7",
    "Server of a: 7",
    " Client of a: 7",
  ];
  for (const text of wrong) {
    assertEquals(hasGreetingForm(bytesOf(text)), false, text);
    assertThrowsCode(() => parseGreeting(bytesOf(text)), "malformed");
  }
  for (const text of ["", "Server of", "Client of a: 7", "Server of a: 7\nbye", "Server of a: x", "APP/1 refused=x"]) {
    assertThrowsCode(() => parseGreetingReply(bytesOf(text)), "malformed");
  }
});

Deno.test("a name that is empty, or has a line break or a control character, is refused", () => {
  for (const name of ["", "a\nb", "a\u0085b", "a\u2028b", "\x1b[31m", "a\u009bb"]) {
    const { message } = assertThrowsCode(() => parseGreeting(bytesOf(`Client of ${name}: 7`)), "malformed");
    assertEquals(/[\p{Cc}\p{Zl}]/u.test(message), false);
  }
  assertThrowsCode(() => parseGreeting(Uint8Array.of(...bytesOf("Client of "), 0xff, ...bytesOf(": 7"))), "malformed");
});

Deno.test("the longest answer, made to be tried in every way, is refused at once", () => {
  const hostile = ": ".repeat(16_000) + " ".repeat(16_000) + "\nx"; // hours, when every way of cutting it up is tried
  assertThrowsCode(() => parseGreetingReply(bytesOf("Server of " + hostile)), "malformed");
  assertThrowsCode(() => parseGreetingReply(bytesOf("Server of a" + hostile + "\nServer closing...")), "malformed");
});
