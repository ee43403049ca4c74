/**
 * The pixels of an image file. JPEG is decoded by a library, PNG and GIF by modules of our own; each is loaded for it.
 *
 * A small file may claim to be a huge picture, or be one: nothing is decoded beyond `PIXELS_MAX`, by whatever the part of
 * the file says that the decoder goes by.
 */
import { AppError } from "../../protocol/errors.ts";
import type { ImageFacts } from "./describe.ts";
import type { Pixels } from "./scale.ts";

/** A photo of 16 megapixels; while a JPEG of that size is decoded it takes 0.8 GB. */
export const PIXELS_MAX = 16_000_000;

/** A photo that becomes clear step by step has about ten; each of them goes through all pixels, whatever its length. */
const JPEG_SCANS_MAX = 100;

/** For WebP and AVIF there is no small library, and SVG has no pixels. */
type Decode = (file: Uint8Array) => Pixels | Promise<Pixels>;
const DECODERS: Partial<Record<ImageFacts["type"], Decode>> = {
  PNG: async (file) => await (await import("./png.ts")).decodePng(file),
  JPEG: decodeJpeg,
  GIF: decodeGif,
};

/** Throws `too_large` for more than `PIXELS_MAX`, and `failed` for a file that is damaged, or cannot be decoded here. */
export async function decodePixels(file: Uint8Array, { type, width, height }: ImageFacts): Promise<Pixels> {
  verifySize(width, height);
  const decode = DECODERS[type];
  if (!decode) throw new AppError("failed", `Cannot show it: app cannot decode ${type}`);
  try {
    return await decode(file);
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError("failed", "Cannot show it: the picture is damaged, or of a rare kind", {
      cause,
      advice: "Get the file, and open it in a viewer",
    });
  }
}

function verifySize(width: number, height: number): void {
  if (width * height <= PIXELS_MAX) return;
  throw new AppError("too_large", `Cannot show it: ${width} x ${height} are more than ${PIXELS_MAX} pixels`, {
    advice: "Get the file, and open it in a viewer",
  });
}

async function decodeJpeg(file: Uint8Array): Promise<Pixels> {
  if (countScans(file) > JPEG_SCANS_MAX) throw new Error("It has more scans than any photo");
  const { default: jpeg } = await import("jpeg-js");
  const limits = { maxResolutionInMP: PIXELS_MAX / 1e6, maxMemoryUsageInMB: 1_024 };
  const { width, height, data } = jpeg.decode(file, { useTArray: true, ...limits });
  return { width, height, rgba: data };
}

/** The marker of a scan stands nowhere inside of one. */
function countScans(file: Uint8Array): number {
  let count = 0;
  for (let at = file.indexOf(0xff); at >= 0; at = file.indexOf(0xff, at + 1)) if (file[at + 1] === 0xda) count++;
  return count;
}

/** The first picture of an animation. */
async function decodeGif(file: Uint8Array): Promise<Pixels> {
  const { decodeGif, readGif } = await import("./gif.ts");
  return decodeGif(readGif(file));
}
