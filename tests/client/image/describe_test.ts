/** What an image is, told from its beginning; and that nothing comes of files that are none, or that are hostile. */
import { describeHead, describeImage } from "../../../client/image/describe.ts";
import { hasImageName } from "../../../client/image/name.ts";
import { assertEquals } from "../../support/assert.ts";
import { withSeed } from "../../support/random.ts";
import { IMAGES, latin1 } from "./images.ts";

const FILES = new URL("../../../fixtures/files/", import.meta.url);
for (const [type, bytes, width, height] of IMAGES) {
  Deno.test(`a ${type} of ${width} x ${height} in ${bytes.length} bytes is told`, async () => {
    assertEquals(await describeHead(bytes), { type, width, height });
  });
}

Deno.test("a JPEG with much in front of its size is told, and only its beginning is read", async () => {
  const original = Deno.readFileSync(new URL("img.jpg", FILES));
  const segment = latin1("\xff\xe1\xff\xff" + "x".repeat(65_533));
  const file = new Uint8Array(2 + segment.length + original.length);
  file.set(original.subarray(0, 2));
  file.set(segment, 2);
  file.set(original.subarray(2), 2 + segment.length);
  let readTo = 0;
  const source = {
    readAt(offset: number, into: Uint8Array) {
      const piece = file.subarray(offset, offset + into.length);
      into.set(piece);
      readTo = offset + into.length;
      return piece.length;
    },
  };
  assertEquals(await describeImage(source), { type: "JPEG", width: 640, height: 480 });
  assertEquals(readTo, 131_072);
});

Deno.test("what is no image, or is cut off or empty, says nothing", async () => {
  const none = [
    "",
    "hello",
    "<html>",
    "<svg",
    "<svg>",
    "GIF89a",
    "GIF89a\0\0\0\0",
    "\x89PNG\r\n\x1a\n",
    "\xff\xd8\xff",
    "BM",
  ];
  for (const text of none) assertEquals(await describeHead(latin1(text)), undefined, JSON.stringify(text));
  const failing = { readAt: () => Promise.reject(new Error("no")) };
  assertEquals(await describeImage(failing), undefined);
});

Deno.test("damaged images never throw", () =>
  withSeed(async (random) => {
    for (let run = 0; run < 500; run++) {
      const [, bytes] = random.pick(IMAGES);
      const damaged = bytes.slice(0, 1 + random.below(Math.min(bytes.length, 4_000)));
      for (let count = random.below(20); count > 0; count--) damaged[random.below(damaged.length)] = random.below(256);
      const image = await describeHead(damaged);
      if (image) assertEquals(image.width >= 1 && image.height >= 1 && Number.isInteger(image.width), true);
    }
  }));

Deno.test("names of images are those of the types that are told", () => {
  for (const name of ["a.png", "a.JPG", "b/a.jpeg", "a.gif", "a.webp", "a.avif", "a.svg"]) {
    assertEquals(hasImageName(name), true, name);
  }
  for (const name of ["png", "a.txt", "a.png.txt", "a.pngx", "jpg/a"]) assertEquals(hasImageName(name), false, name);
});
