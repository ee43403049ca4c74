/** Reads sixels back, as a terminal does (VT330/VT340 Programmer Reference Manual, chapter 14); no code of the program. */
import { assert } from "../../support/assert.ts";

export interface DrawnSixels {
  readonly width: number;
  readonly height: number;
  /** Red, green and blue in percent for each pixel that was drawn, row by row. */
  readonly colors: readonly (readonly number[] | undefined)[];
}

/** The picture of one whole sequence; fails of anything else. */
export function readSixels(sequence: string): DrawnSixels {
  // deno-lint-ignore no-control-regex -- that is how it begins and ends
  const [, body] = /^\x1bP[\d;]*q([\x20-\x7e\n]*)\x1b\\$/.exec(sequence) ?? [];
  assert(body !== undefined, `no sequence: ${JSON.stringify(sequence.slice(0, 80))}`);
  const [, width, height] = body.match(/^"1;1;(\d+);(\d+)/)!.map(Number) as [number, number, number];
  const palette = new Map<number, readonly number[]>();
  const colors: (readonly number[] | undefined)[] = new Array(width * height).fill(undefined);
  let [x, band, color] = [0, 0, 0];
  for (const [token] of body.replace(/^"[\d;]*/, "").matchAll(/#[\d;]+|!\d+.|[^]/g)) {
    if (token.startsWith("#")) {
      const [index = 0, system, ...parts] = token.slice(1).split(";").map(Number);
      if (system === undefined) color = index;
      else palette.set(index, parts);
    } else if (token === "$") x = 0;
    else if (token === "-") [x, band] = [0, band + 1];
    else if (token !== "\n") {
      const bits = token.at(-1)!.charCodeAt(0) - 63;
      assert(bits >= 0 && bits < 64, `no sixel: ${JSON.stringify(token)}`);
      for (let count = token.length > 1 ? Number(token.slice(1, -1)) : 1; count > 0; count--, x++) {
        for (let row = 0; row < 6; row++) {
          if (bits >> row & 1) colors[(band * 6 + row) * width + x] = palette.get(color)!;
        }
      }
    }
  }
  return { width, height, colors };
}

/** How far the drawn picture is from these pixels, in parts of 255, on the average of all colors of all pixels. */
export function differenceFrom({ colors }: DrawnSixels, rgba: Uint8Array): number {
  let sum = 0;
  for (const [at, color] of colors.entries()) {
    assert(color, `pixel ${at} was not drawn`);
    color.forEach((percent, channel) => sum += Math.abs(percent * 2.55 - rgba[at * 4 + channel]!));
  }
  return sum / (colors.length * 3);
}
