/** Telling formats apart: every beginning, cut anywhere, then followed by more, by silence or by the end. */
import { detectFormat, SERVED_FORMATS, type WireFormat } from "../../protocol/wire/detect.ts";
import { assertEquals } from "../support/assert.ts";
import { withSeed } from "../support/random.ts";

/** What a connection begins with, its format, and the number of bytes after which that is known at once. */
const SURE: readonly (readonly [bytes: string, format: WireFormat, knownAt: number])[] = [
  ["APP/1 agent=app/0.1.0 data-max=262144\n", "app", 5],
  ["APP/1\n", "app", 5],
  ["APP/10\n", "app", 5],
  ["APP 1\n", "unknown", 6],
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
  ["GET\t/", "unknown", 4],
  ["\x78\x9c\x4b\xb6", "packet", 2],
  ["\x78\x01\x01", "packet", 2],
  ["\x78\x5e\x01", "packet", 2],
  ["\x78\xda\x01", "packet", 2],
  ["hello\n", "unknown", 6],
  ["\0\0\0\0", "unknown", 1],
  ["\n", "unknown", 1],
];

/** What a connection begins with whose format has no marks, and what it is once its sender is silent or has ended. */
const QUIET: readonly (readonly [bytes: string, quiet: WireFormat | undefined, ended: WireFormat])[] = [
  ["list", "share", "share"],
  ["list.jpg", "image", "image"],
  ["list,", "image", "image"],
  ["get,a.txt", "share", "share"],
  ["get,", "share", "share"],
  ["put,a b", "share", "share"],
  ["put", "image", "image"],
  ["Client of Bob: 3", "greeting", "greeting"],
  ["Client of : ", "greeting", "greeting"],
  ["Client of Bob: three", "greeting", "greeting"],
  ["Client of Bob", "image", "image"],
  ["client of Bob: 3", "image", "image"],
  ["photo.jpg", "image", "image"],
  ["bild \xc3\xa4.png", "image", "image"],
  ["x", "image", "image"],
  ["x photo.jpg", "image", "image"],
  ["APPLE pie", "image", "image"],
  ["APP/2 agent=x", "image", "image"],
  ["GETTING started", "image", "image"],
  ["GET", "image", "image"],
  ["A", undefined, "image"],
  ["APP", undefined, "image"],
  ["APP/", undefined, "image"],
  ["\xff\xff", "unknown", "unknown"],
  ["bild \xc3", "unknown", "unknown"],
  ["   ", "unknown", "unknown"],
];

const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

for (const [text, format, knownAt] of SURE) {
  Deno.test(`${JSON.stringify(text)} is ${format}, known from byte ${knownAt} on and never before`, () => {
    const bytes = latin1(text);
    for (let count = 0; count <= bytes.length; count++) {
      const expected = count < knownAt ? undefined : format;
      assertEquals(detectFormat(bytes.subarray(0, count), "sending", SERVED_FORMATS), expected, `${count} bytes`);
    }
    assertEquals(detectFormat(bytes, "quiet", SERVED_FORMATS), format);
    assertEquals(detectFormat(bytes, "ended", SERVED_FORMATS), format);
  });
}

for (const [text, quiet, ended] of QUIET) {
  Deno.test(`${JSON.stringify(text)} is ${quiet ?? "waited for"} when its sender is silent, ${ended} at its end`, () => {
    const bytes = latin1(text);
    for (let count = 0; count <= bytes.length; count++) {
      assertEquals(detectFormat(bytes.subarray(0, count), "sending", SERVED_FORMATS), undefined, `${count} bytes`);
    }
    assertEquals(detectFormat(bytes, "quiet", SERVED_FORMATS), quiet);
    assertEquals(detectFormat(bytes, "ended", SERVED_FORMATS), ended);
  });
}

Deno.test("a format that is not accepted is left to the others, or is unknown", () => {
  assertEquals(detectFormat(latin1("list"), "quiet", ["app", "image"]), "image");
  assertEquals(detectFormat(latin1("list"), "sending", ["app"]), "unknown");
  assertEquals(detectFormat(latin1("\x78\x9c\x4b"), "quiet", ["app", "share"]), "unknown");
  assertEquals(
    detectFormat(latin1("APP/1\n"), "sending", ["share"]),
    "app",
    "so that its sender is told in its own form",
  );
});

Deno.test("what was told once of a beginning is never told otherwise when more has come", () =>
  withSeed((random) => {
    const pieces = [
      "APP/1",
      "APP",
      "GET",
      "PRI ",
      " ",
      "\x16",
      "\x03",
      "/",
      "A",
      "Z",
      "\n",
      "x",
      "\xff",
      "\x9c",
      "list",
    ];
    for (let run = 0; run < 3_000; run++) {
      const bytes = latin1(Array.from({ length: 1 + random.below(5) }, () => random.pick(pieces)).join(""));
      let told: WireFormat | undefined;
      for (let count = 0; count <= bytes.length; count++) {
        const format = detectFormat(bytes.subarray(0, count), "sending", SERVED_FORMATS);
        if (told) assertEquals(format, told, JSON.stringify(bytes));
        told = format;
      }
    }
  }));

Deno.test("without the old formats every beginning is told apart within eight bytes, and with them at its end", () =>
  withSeed((random) => {
    for (let run = 0; run < 2_000; run++) {
      const bytes = Uint8Array.from({ length: 8 }, () => random.pick([65, 80, 47, 49, 71, 32, 22, random.below(256)]));
      assertEquals(typeof detectFormat(bytes, "sending", ["app"]), "string", JSON.stringify(bytes));
      assertEquals(typeof detectFormat(bytes, "ended", SERVED_FORMATS), "string", JSON.stringify(bytes));
    }
  }));
