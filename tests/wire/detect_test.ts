/** Telling formats apart: every beginning, cut anywhere. */
import { detectFormat, type WireFormat } from "../../protocol/wire/detect.ts";
import { assertEquals } from "../support/assert.ts";
import { withSeed } from "../support/random.ts";

/** What a connection begins with, its format, and the number of bytes after which that is known. */
const BEGINNINGS: readonly (readonly [bytes: string, format: WireFormat, knownAt: number])[] = [
  ["APP/1 agent=app/0.1.0 data-max=262144\n", "app", 5],
  ["APP/1\n", "app", 5],
  ["APP/10\n", "app", 5],
  ["APP/2 agent=x\n", "unknown", 5],
  ["APP 1\n", "unknown", 4],
  ["app/1\n", "unknown", 1],
  ["\x16\x03\x01\x02\x00\x01\x00", "tls", 2],
  ["\x16\x02\x01", "unknown", 2],
  ["\x17\x03\x03", "unknown", 1],
  ["GET / HTTP/1.1\r\n", "http", 4],
  ["HEAD / HTTP/1.1\r\n", "http", 5],
  ["POST /x HTTP/1.1\r\n", "http", 5],
  ["PUT /x HTTP/1.1\r\n", "http", 4],
  ["DELETE /x HTTP/1.1\r\n", "http", 7],
  ["OPTIONS * HTTP/1.1\r\n", "http", 8],
  ["PATCH /x HTTP/1.1\r\n", "http", 6],
  ["CONNECT a:1 HTTP/1.1\r\n", "http", 8],
  ["TRACE / HTTP/1.1\r\n", "http", 6],
  ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http", 4],
  ["GETTING started", "unknown", 8],
  ["APPLE pie", "unknown", 6],
  ["GET\t/", "unknown", 4],
  ["get /", "unknown", 1],
  ["SSH-2.0-OpenSSH_9.6\r\n", "unknown", 4],
  ["\x78\x9c\x4b", "unknown", 1],
  ["Client of a: 1", "unknown", 2],
  ["list", "unknown", 1],
  ["photo.jpg", "unknown", 1],
  ["\0\0\0\0", "unknown", 1],
  ["\xff\xff", "unknown", 1],
  ["\n", "unknown", 1],
];

const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

for (const [text, format, knownAt] of BEGINNINGS) {
  Deno.test(`${JSON.stringify(text)} is ${format}, known from byte ${knownAt} on and never before`, () => {
    const bytes = latin1(text);
    for (let count = 0; count <= bytes.length; count++) {
      const expected = count < knownAt ? undefined : format;
      assertEquals(detectFormat(bytes.subarray(0, count)), expected, `${count} bytes`);
    }
  });
}

Deno.test("what was told once of a beginning is never told otherwise when more has come", () =>
  withSeed((random) => {
    const pieces = ["APP/1", "APP", "GET", "PRI ", " ", "\x16", "\x03", "/", "A", "Z", "\n", "x", "\xff"];
    for (let run = 0; run < 3_000; run++) {
      const bytes = latin1(Array.from({ length: 1 + random.below(5) }, () => random.pick(pieces)).join(""));
      let told: WireFormat | undefined;
      for (let count = 0; count <= bytes.length; count++) {
        const format = detectFormat(bytes.subarray(0, count));
        if (told) assertEquals(format, told, JSON.stringify(bytes));
        told = format;
      }
    }
  }));

Deno.test("every beginning is told apart within eight bytes", () =>
  withSeed((random) => {
    for (let run = 0; run < 2_000; run++) {
      const bytes = Uint8Array.from({ length: 8 }, () => random.pick([65, 80, 47, 49, 71, 32, 22, random.below(256)]));
      assertEquals(typeof detectFormat(bytes), "string", JSON.stringify(bytes));
    }
  }));
