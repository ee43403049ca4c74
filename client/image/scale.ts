/** Pixels made fewer, so that a picture fits. Pure. */

export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue and how opaque it is, a byte each; row by row. */
  readonly rgba: Uint8Array;
}

/**
 * `pixels`, opaque on white, and no wider and higher than that; the shape stays. Each pixel is the average of those in
 * its place, so thin lines do not get lost. A new picture, even if it has the same size.
 */
export function fitPixels(pixels: Pixels, widthMax: number, heightMax: number): Pixels {
  const ratio = Math.min(1, widthMax / pixels.width, heightMax / pixels.height);
  const width = Math.max(1, Math.round(pixels.width * ratio));
  const height = Math.max(1, Math.round(pixels.height * ratio));
  const rgba = new Uint8Array(width * height * 4);
  for (let y = 0, to = 0; y < height; y++) {
    const top = Math.floor(y * pixels.height / height);
    const bottom = Math.floor((y + 1) * pixels.height / height);
    for (let x = 0; x < width; x++, to += 4) {
      const left = Math.floor(x * pixels.width / width);
      const right = Math.floor((x + 1) * pixels.width / width);
      averageInto(rgba, to, pixels, { left, top, right, bottom });
    }
  }
  return { width, height, rgba };
}

interface Box {
  readonly left: number;
  readonly top: number;
  /** Not part of it any more, as `bottom`. */
  readonly right: number;
  readonly bottom: number;
}

function averageInto(to: Uint8Array, at: number, { width, rgba }: Pixels, { left, top, right, bottom }: Box): void {
  let [red, green, blue] = [0, 0, 0];
  for (let y = top; y < bottom; y++) {
    for (let from = (y * width + left) * 4, end = (y * width + right) * 4; from < end; from += 4) {
      const alpha = rgba[from + 3]!;
      const white = 255 * (255 - alpha);
      red += rgba[from]! * alpha + white;
      green += rgba[from + 1]! * alpha + white;
      blue += rgba[from + 2]! * alpha + white;
    }
  }
  const whole = (right - left) * (bottom - top) * 255;
  to[at] = Math.round(red / whole);
  to[at + 1] = Math.round(green / whole);
  to[at + 2] = Math.round(blue / whole);
  to[at + 3] = 255;
}
