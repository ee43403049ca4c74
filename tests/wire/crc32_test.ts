/** The checksum of all frames, against known values and against `node:zlib`. */
import { crc32 as zlibCrc32 } from "node:zlib";
import { crc32 } from "../../protocol/wire/crc32.ts";
import { assertEquals } from "../support/assert.ts";
import { withSeed } from "../support/random.ts";

const KNOWN: readonly (readonly [text: string, crc: number])[] = [
  ["", 0],
  ["a", 0xe8b7be43],
  ["hello", 0x3610a686],
  ["123456789", 0xcbf43926],
  ["The quick brown fox jumps over the lazy dog", 0x414fa339],
];

for (const [text, crc] of KNOWN) {
  Deno.test(`the CRC-32 of "${text}" is ${crc.toString(16)}`, () => {
    assertEquals(crc32(new TextEncoder().encode(text)), crc);
  });
}

Deno.test("the CRC-32 of 32 bytes 00 and of 32 bytes ff are the published ones", () => {
  assertEquals(crc32(new Uint8Array(32)), 0x190a55ad);
  assertEquals(crc32(new Uint8Array(32).fill(0xff)), 0xff6cab0b);
});

Deno.test("CRC-32 is that of zlib for all lengths from 0 to 64, at every alignment", () =>
  withSeed((random) => {
    const bytes = random.bytes(80);
    for (let start = 0; start < 8; start++) {
      for (let length = 0; length <= 64; length++) {
        const piece = bytes.subarray(start, start + length);
        assertEquals(crc32(piece), zlibCrc32(piece), `${length} bytes from ${start}`);
      }
    }
  }));

Deno.test("CRC-32 goes on from any CRC-32, as that of zlib does", () =>
  withSeed((random) => {
    for (let run = 0; run < 200; run++) {
      const before = random.below(2 ** 32);
      const bytes = random.bytes(random.below(200));
      assertEquals(crc32(bytes, before), zlibCrc32(bytes, before));
    }
  }));

Deno.test("CRC-32 in pieces is that of the whole, for every cut", () =>
  withSeed((random) => {
    const bytes = random.bytes(64);
    const whole = crc32(bytes);
    for (let cut = 0; cut <= bytes.length; cut++) {
      assertEquals(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut))), whole);
    }
  }));

Deno.test("CRC-32 of a mebibyte is that of zlib, and reads all of it", () =>
  withSeed((random) => {
    const bytes = random.bytes(1_048_576 + 3);
    assertEquals(crc32(bytes), zlibCrc32(bytes));
  }));
