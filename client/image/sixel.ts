/** A picture in sixels: rows of six pixels as letters, in at most 256 colors. */
import { FINALIZER, image2sixel, introducer, sixelEncode } from "sixel/encoder";
import type { ImageFacts } from "./describe.ts";
import { decodePixels } from "./pixels.ts";
import { fitPixels } from "./scale.ts";

/** xterm draws no larger ones unless it is told to. */
const SIDE_MAX = 1_000;
const COLORS_MAX = 256;

/** The sequence that draws the picture, no wider than `widthMax` pixels. Throws as `decodePixels` does. */
export async function sixelSequence(file: Uint8Array, image: ImageFacts, widthMax: number): Promise<string> {
  const { rgba, width, height } = fitPixels(await decodePixels(file, image), Math.min(widthMax, SIDE_MAX), SIDE_MAX);
  const colors = fewColorsOf(rgba);
  if (!colors) return image2sixel(rgba, width, height, COLORS_MAX);
  return introducer() + sixelEncode(rgba, width, height, colors) + FINALIZER;
}

/** All colors, if there are few: the library would mix those of a drawing, as if it were a photo. */
function fewColorsOf(rgba: Uint8Array): number[] | undefined {
  const colors = new Set<number>();
  for (const color of new Uint32Array(rgba.buffer)) {
    colors.add(color);
    if (colors.size > COLORS_MAX) return;
  }
  return [...colors];
}
