/** GIF files of every kind come out as the pixels that went in. */
import { decodeGif, readGif } from "../../../client/image/gif.ts";
import { assertEquals, assertThrows } from "../../support/assert.ts";
import { withSeed } from "../../support/random.ts";
import { makeGif } from "./made_images.ts";

/** The rows of an interlaced picture in the order in which they come (appendix E). */
function interlaced(height: number): number[] {
  const rows = Array.from({ length: height }, (_, y) => y);
  const isIn = [(y: number) => y % 8 === 0, (y: number) => y % 8 === 4, (y: number) => y % 4 === 2];
  return [...isIn.map((test) => rows.filter(test)), rows.filter((y) => y % 2 === 1)].flat();
}

for (const bits of [2, 3, 5, 8]) {
  for (const isInterlaced of [false, true]) {
    Deno.test(`${2 ** bits} colors${isInterlaced ? ", interlaced" : ""}, with more codes than the table holds, come out`, () =>
      withSeed((random) => {
        const [width, height] = [100 + random.below(100), 200 + random.below(50)];
        const colors = Array.from({ length: width * height }, () => random.below(random.below(4) ? 2 : 2 ** bits));
        const order = isInterlaced ? interlaced(height) : Array.from({ length: height }, (_, y) => y);
        const indices = order.flatMap((y) => colors.slice(y * width, (y + 1) * width));
        const palette = [...random.bytes(3 * 2 ** bits)];
        const screen = [width + 3, height + 5] as const;
        const file = makeGif({
          screen,
          frame: [2, 4, width, height],
          indices,
          bits,
          palette,
          isInterlaced,
          transparent: 1,
        });
        const rgba = new Uint8Array(screen[0] * screen[1] * 4);
        for (const [at, color] of colors.entries()) {
          if (color === 1) continue;
          const to = (4 + Math.floor(at / width)) * screen[0] + 2 + at % width;
          rgba.set([...palette.slice(color * 3, color * 3 + 3), 255], to * 4);
        }
        assertEquals(decodeGif(readGif(file)), { width: screen[0], height: screen[1], rgba });
      }));
  }
}

Deno.test("a file that is cut off anywhere before its last code is refused", () => {
  const file = makeGif({ screen: [4, 4], frame: [0, 0, 4, 4], indices: Array.from({ length: 16 }, (_, at) => at % 3) });
  assertEquals(decodeGif(readGif(file)).width, 4);
  for (let at = 0; at < file.length - 2; at++) assertThrows(() => decodeGif(readGif(file.subarray(0, at))));
});
