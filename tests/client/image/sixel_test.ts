/** Pictures as sixels: what is drawn is the picture, as far as there is room, and as far as it is none too many pixels. */
import { deflateSync } from "node:zlib";
import { describeHead } from "../../../client/image/describe.ts";
import { decodePixels, PIXELS_MAX } from "../../../client/image/pixels.ts";
import { fitPixels } from "../../../client/image/scale.ts";
import { sixelSequence } from "../../../client/image/sixel.ts";
import { assert, assertEquals, assertRejectsCode } from "../../support/assert.ts";
import { withSeed } from "../../support/random.ts";
import { concat } from "../../wire/decoding.ts";
import { framePng, makeGif, makePng } from "./made_images.ts";
import { differenceFrom, readSixels } from "./sixels.ts";

const FILES = new URL("../../../fixtures/files/", import.meta.url);
const read = (name: string) => Deno.readFileSync(new URL(name, FILES));

async function draw(file: Uint8Array, widthMax: number) {
  return readSixels(await sixelSequence(file, (await describeHead(file))!, widthMax));
}

for (const name of ["gradient.png", "img.jpg", "apple.jpg"]) {
  Deno.test(`${name} is drawn as it is, but for the 256 colors`, async () => {
    const file = read(name);
    const image = (await describeHead(file))!;
    const drawn = await draw(file, 2_000);
    assertEquals([drawn.width, drawn.height], [image.width, image.height]);
    const difference = differenceFrom(drawn, fitPixels(await decodePixels(file, image), 2_000, 2_000).rgba);
    assert(difference < 8, String(difference));
    const other = differenceFrom(
      drawn,
      drawn.colors.map(() => 128).flatMap((grey) => [grey, grey, grey, 255]) as never,
    );
    assert(other > 2 * difference, `${other} is no more than ${difference}`);
  });
}

Deno.test("a picture that is wider or higher than there is room is made smaller, in its shape", async () => {
  const drawn = await draw(read("img.jpg"), 200);
  assertEquals([drawn.width, drawn.height], [200, 150]);
  const wide = makePng({ width: 3_000, height: 1, depth: 1, color: 0, sampleAt: () => 1 });
  const high = makePng({ width: 1, height: 3_000, depth: 1, color: 0, sampleAt: () => 1 });
  assertEquals([(await draw(wide, 9_999)).width, (await draw(high, 9_999)).height], [1_000, 1_000]);
});

Deno.test("each pixel of a smaller picture is the average of those in its place, and what is transparent is white", () => {
  const columns = [[0, 0, 0, 255], [255, 100, 0, 255], [0, 0, 0, 0], [0, 0, 0, 0]];
  const rgba = Uint8Array.from([...columns, ...columns].flat());
  assertEquals(fitPixels({ width: 4, height: 2, rgba }, 2, 99), {
    width: 2,
    height: 1,
    rgba: Uint8Array.of(128, 50, 0, 255, 255, 255, 255, 255),
  });
  assertEquals(fitPixels({ width: 4, height: 2, rgba }, 99, 99).width, 4);
});

Deno.test("the first picture of a GIF is drawn, white around it", async () => {
  const drawn = await draw(makeGif({ screen: [4, 3], frame: [1, 1, 2, 2], indices: [1, 2, 3, 1] }), 99);
  const [white, red, green, blue] = [[100, 100, 100], [100, 0, 0], [0, 100, 0], [0, 0, 100]] as const;
  const row = [white, white, white, white];
  assertEquals(drawn.colors, [...row, white, red, green, white, white, blue, red, white]);
});

async function refusalOf(file: Uint8Array, code: "failed" | "too_large"): Promise<string> {
  const image = (await describeHead(file))!;
  return (await assertRejectsCode(() => sixelSequence(file, image, 800), code)).message;
}

Deno.test("a small file that claims to be a huge picture is refused before it is decoded", async () => {
  const size = { width: 4_001, height: 4_000, depth: 8, color: 0 } as const;
  assert(size.width * size.height > PIXELS_MAX);
  const png = framePng(size, deflateSync(new Uint8Array(size.height * (size.width + 1))));
  const message = "Cannot show it: 4001 x 4000 are more than 16000000 pixels";
  assertEquals(await refusalOf(png, "too_large"), message);
  assertEquals(
    await refusalOf(makeGif({ screen: [4_001, 4_000], frame: [0, 0, 1, 1], indices: [0] }), "too_large"),
    message,
  );
  assertEquals(await refusalOf(resized(read("apple.jpg"), 4_001, 4_000), "too_large"), message);
  const allowed = framePng({ ...size, width: 4_000 }, deflateSync(new Uint8Array(4_000 * 4_001)));
  assertEquals((await draw(allowed, 100)).width, 100);
});

Deno.test("what a file says behind its header cannot make it larger either", async () => {
  const bomb = framePng({ width: 10, height: 10, depth: 8, color: 0 }, deflateSync(new Uint8Array(50_000_000)));
  const frame = makeGif({ screen: [4, 4], frame: [0, 0, 65_535, 65_535], indices: [0] });
  const outside = makeGif({ screen: [4, 4], frame: [3, 3, 2, 2], indices: [0, 0, 0, 0] });
  const damaged = "Cannot show it: the picture is damaged, or of a rare kind";
  assertEquals(await refusalOf(bomb, "failed"), damaged);
  assertEquals(await refusalOf(outside, "failed"), damaged);
  assertEquals(await refusalOf(frame, "failed"), damaged);
  const jpeg = read("apple.jpg");
  const twoSizes = concat(
    jpeg.subarray(0, frameOf(jpeg)),
    frameOfJpeg(jpeg),
    resized(jpeg, 60_000, 60_000).subarray(frameOf(jpeg)),
  );
  assertEquals(await refusalOf(twoSizes, "failed"), damaged);
  const scans = concat(...Array.from({ length: 101 }, () => scanOf(jpeg)));
  assertEquals(await refusalOf(concat(jpeg.subarray(0, -2), scans, jpeg.subarray(-2)), "failed"), damaged);
});

/** Where the frame header of a JPEG begins, by its marker. */
function frameOf(jpeg: Uint8Array): number {
  return jpeg.findIndex((byte, at) => byte === 0xff && jpeg[at + 1] === 0xc0);
}

function frameOfJpeg(jpeg: Uint8Array): Uint8Array {
  return jpeg.subarray(frameOf(jpeg), frameOf(jpeg) + 19);
}

/** The header of its scan. */
function scanOf(jpeg: Uint8Array): Uint8Array {
  const at = jpeg.findIndex((byte, at) => byte === 0xff && jpeg[at + 1] === 0xda);
  return jpeg.subarray(at, at + 14);
}

function resized(jpeg: Uint8Array, width: number, height: number): Uint8Array<ArrayBuffer> {
  const copy = jpeg.slice();
  new DataView(copy.buffer).setUint16(frameOf(jpeg) + 5, height);
  new DataView(copy.buffer).setUint16(frameOf(jpeg) + 7, width);
  return copy;
}

Deno.test("a damaged JPEG or GIF is a picture of its size, or is refused in words", () =>
  withSeed(async (random) => {
    const gif = makeGif({
      screen: [8, 8],
      frame: [0, 0, 8, 8],
      indices: Array.from({ length: 64 }, (_, at) => at % 4),
    });
    for (const [file, from, rounds] of [[read("apple.jpg"), 600, 20], [gif, 10, 3_000]] as const) {
      const image = (await describeHead(file))!;
      for (let round = 0; round < rounds; round++) {
        const damaged = file.slice(0, random.below(4) === 0 ? from + random.below(file.length - from) : file.length);
        for (let count = 1 + random.below(4); count > 0; count--) {
          damaged[from + random.below(damaged.length - from)] = random.below(256);
        }
        try {
          const { width, height, rgba } = await decodePixels(damaged, image);
          assertEquals(rgba.length, width * height * 4);
        } catch (error) {
          assertEquals(["failed", "too_large"].includes((error as { code: string }).code), true, String(error));
        }
      }
    }
  }));
