/** PNG files of every kind that there is come out as the pixels that went in. */
import { deflateSync } from "node:zlib";
import { decodePng } from "../../../client/image/png.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";
import { type Random, withSeed } from "../../support/random.ts";
import { CHANNELS, chunkOf, framePng, makePng, type PngKind } from "./made_images.ts";

const KINDS: readonly (readonly [color: PngKind["color"], depths: readonly number[]])[] = [
  [0, [1, 2, 4, 8, 16]],
  [2, [8, 16]],
  [3, [1, 2, 4, 8]],
  [4, [8, 16]],
  [6, [8, 16]],
];

/** Samples at random, and what they look like. */
function randomPicture(random: Random, color: PngKind["color"], depth: number, isInterlaced: boolean) {
  const [width, height] = [1 + random.below(20), 1 + random.below(20)];
  const channels = CHANNELS[color];
  const samples = Array.from({ length: width * height * channels }, () => random.below(2 ** depth));
  const palette = random.bytes(3 * 2 ** Math.min(depth, 8));
  const chunks = color === 3 ? [chunkOf("PLTE", palette), chunkOf("tRNS", Uint8Array.of(7))] : [];
  const seen = (sample: number) => Math.round(sample * 255 / (2 ** depth - 1));
  const rgba = Array.from({ length: width * height }, (_, at) => {
    const [a = 0, b = 0, c = 0, d = 0] = samples.slice(at * channels, (at + 1) * channels);
    if (color === 3) return [...palette.subarray(a * 3, a * 3 + 3), a === 0 ? 7 : 255];
    if (channels < 3) return [seen(a), seen(a), seen(a), color === 4 ? seen(b) : 255];
    return [seen(a), seen(b), seen(c), color === 6 ? seen(d) : 255];
  }).flat();
  const sampleAt = (x: number, y: number, channel: number) => samples[(y * width + x) * channels + channel]!;
  const filterAt = () => random.below(5);
  const file = makePng({ width, height, depth, color, isInterlaced, sampleAt, filterAt, chunks });
  return { file, pixels: { width, height, rgba: Uint8Array.from(rgba) } };
}

for (const [color, depths] of KINDS) {
  for (const depth of depths) {
    for (const isInterlaced of [false, true]) {
      const name = `color type ${color} with ${depth} bits${isInterlaced ? ", interlaced" : ""}`;
      Deno.test(`${name}, filtered in any way, comes out as it went in`, () =>
        withSeed(async (random) => {
          for (let round = 0; round < 10; round++) {
            const { file, pixels } = randomPicture(random, color, depth, isInterlaced);
            assertEquals(await decodePng(file), pixels);
          }
        }));
    }
  }
}

Deno.test("the color that is said to be transparent is, and those near to it are not", async () => {
  const chunks = [chunkOf("tRNS", Uint8Array.of(1, 2))];
  const sampleAt = (x: number) => [0x0102, 0x0103, 0x0202][x]!;
  const { rgba } = await decodePng(makePng({ width: 3, height: 1, depth: 16, color: 0, chunks, sampleAt }));
  assertEquals([rgba[3], rgba[7], rgba[11]], [0, 255, 255]);
});

const WHITE: PngKind = { width: 40, height: 30, depth: 8, color: 6, sampleAt: () => 255 };

Deno.test("nothing is inflated beyond what the header says, and what is short of it is refused", async () => {
  const sizeBytes = 30 * (1 + 40 * 4);
  assertEquals((await decodePng(framePng(WHITE, deflateSync(new Uint8Array(sizeBytes))))).rgba.length, 4_800);
  for (const count of [0, sizeBytes - 1, sizeBytes + 1, 100_000_000]) {
    await assertRejects(() => decodePng(framePng(WHITE, deflateSync(new Uint8Array(count)))));
  }
});

Deno.test("a file that is cut off or damaged anywhere is pixels of its size, or an error", () =>
  withSeed(async (random) => {
    const file = makePng(WHITE);
    const dataEnd = file.length - 4 - 12; // behind it stand a checksum, and the end
    for (let at = 0; at < dataEnd; at++) await assertRejects(() => decodePng(file.subarray(0, at)));
    for (let round = 0; round < 2_000; round++) {
      const damaged = file.slice();
      const at = 29 + random.below(file.length - 29); // the header says how large it is, which is not asked here
      damaged[at] = damaged[at]! ^ (1 + random.below(255));
      try {
        assertEquals((await decodePng(damaged)).rgba.length, 4_800);
      } catch (error) {
        assert(error instanceof Error);
      }
    }
  }));
