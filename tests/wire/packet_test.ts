/** The text of the format `packet`: whole, cut off anywhere, and with bytes behind it. How packets are cut up: `exchange/`. */
import {
  decodePacket,
  encodePacket,
  formatAdded,
  formatEntry,
  formatSaving,
  type Packet,
  parseEntry,
} from "../../protocol/wire/packet.ts";
import { AppError } from "../../protocol/errors.ts";
import { assert, assertEquals, assertThrowsCode } from "../support/assert.ts";
import { withSeed } from "../support/random.ts";
import { concat } from "./decoding.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** Packets, and their bytes as the old programs write them. */
const PACKETS: readonly (readonly [Packet, string])[] = [
  [{ command: "c", contents: "France" }, "c|France"],
  [{ command: "p", contents: "Antigua and Barbuda" }, "p|Antigua and Barbuda"],
  [{ command: "a", contents: "Côte d'Ivoire,Yamoussoukro" }, "a|Côte d'Ivoire,Yamoussoukro"],
  [{ command: "h", contents: "" }, "h|"],
  [{ command: "", contents: "No country found." }, "|No country found."],
  [{ command: "", contents: "" }, "|"],
  [{ command: "", contents: " a|b|\n🎈" }, "| a|b|\n🎈"],
  [{ command: "long command", contents: "x" }, "long command|x"],
];

for (const [packet, text] of PACKETS) {
  Deno.test(`${JSON.stringify(text)} is the same both ways`, () => {
    assertEquals(encodePacket(packet), bytesOf(text));
    assertEquals(decodePacket(bytesOf(text)), packet);
  });

  Deno.test(`${JSON.stringify(text)} without its end is malformed before the bar and inside a letter, else shorter`, () => {
    const bytes = bytesOf(text);
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.subarray(0, length);
      const isWhole = !new TextDecoder().decode(cut).endsWith("\ufffd");
      if (!isWhole || length <= packet.command.length) assertThrowsCode(() => decodePacket(cut), "malformed");
      else assertEquals(concat(bytesOf(`${packet.command}|`), bytesOf(decodePacket(cut).contents)), cut.slice());
    }
  });

  Deno.test(`what stands behind ${JSON.stringify(text)} belongs to its contents, and is never passed over`, () => {
    assertEquals(decodePacket(bytesOf(`${text}|\0 more`)), { ...packet, contents: `${packet.contents}|\0 more` });
    assertThrowsCode(() => decodePacket(concat(bytesOf(text), Uint8Array.of(0xff))), "malformed");
  });
}

Deno.test("bytes at random are a packet that encodes to them, or malformed", () =>
  withSeed((random) => {
    for (let round = 0; round < 2_000; round++) {
      const bytes = random.bytes(random.below(12)).map((byte) => random.below(3) ? byte & 0x7f : byte);
      try {
        assertEquals(encodePacket(decodePacket(bytes)), bytes);
      } catch (error) {
        assert(error instanceof AppError && error.code === "malformed", String(error));
      }
    }
  }));

Deno.test("a country and its capital are told apart at the first comma without a space behind it", () => {
  assertEquals(parseEntry("Mu,Hiranipura"), { country: "Mu", capital: "Hiranipura" });
  assertEquals(parseEntry("Mu, Hiranipura"), { country: "Mu", capital: "Hiranipura" });
  assertEquals(parseEntry("Korea, South,Seoul"), { country: "Korea, South", capital: "Seoul" });
  assertEquals(parseEntry("United States,Washington, D.C."), { country: "United States", capital: "Washington, D.C." });
  assertThrowsCode(() => parseEntry("Mu"), "malformed");
});

Deno.test("an entry is read as it was written, and its answer names both", () => {
  for (const entry of [{ country: "Mu", capital: "Hiranipura" }, { country: "Korea, South", capital: "Seoul" }]) {
    assertEquals(parseEntry(formatEntry(entry)), entry);
  }
  const added = formatAdded({ country: "Mu", capital: "Hiranipura" });
  assertEquals(added, "Mu and Hiranipura successfully added to database");
});

Deno.test("what compression saved is told, also when it saved nothing", () => {
  assertEquals(formatSaving(37, 29), "37 bytes (29 compressed, 22 % saved)");
  assertEquals(formatSaving(5, 13), "5 bytes (13 compressed, 160 % larger)");
  assertEquals(formatSaving(0, 8), "0 bytes (8 compressed, 800 % larger)");
  assertEquals(formatSaving(20, 20), "20 bytes (20 compressed, 0 % saved)");
});
