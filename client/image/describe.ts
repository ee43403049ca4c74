/**
 * What an image file is: its type and how large it is, read from its beginning by the library `image-size`.
 *
 * This is a courtesy behind a transfer that is already done. So it never fails: a file that is no image, that is damaged
 * or that would like to keep us busy says nothing. Only types that were recognised here get to the library.
 */
import type { Source } from "../../protocol/files/tree.ts";

export interface ImageFacts {
  readonly type: "PNG" | "JPEG" | "GIF" | "WebP" | "AVIF" | "SVG";
  /** In pixels, as stored. */
  readonly width: number;
  readonly height: number;
}

/** Cameras put previews and profiles in front of the size of a JPEG. */
const HEAD_BYTES = 131_072;

/** An SVG has its size in its first element. */
const TEXT_HEAD_BYTES = 4_096;

const AVIF_BRAND = /avif|avis/;

/** What the file of `source` is; `undefined` if that cannot be told. */
export async function describeImage(source: Pick<Source, "readAt">): Promise<ImageFacts | undefined> {
  try {
    const head = new Uint8Array(HEAD_BYTES);
    return await describeHead(head.subarray(0, await source.readAt(0, head)));
  } catch {
    return undefined; // the file is there, and that is what counts
  }
}

/** The same from the first bytes of a file. */
export async function describeHead(head: Uint8Array): Promise<ImageFacts | undefined> {
  const type = imageTypeOf(head);
  if (!type) return;
  const { imageSize } = await import("image-size");
  try {
    const { width, height } = imageSize(type === "SVG" ? head.subarray(0, TEXT_HEAD_BYTES) : head);
    if (!(width >= 1 && height >= 1 && width < 2 ** 31 && height < 2 ** 31)) return;
    return { type, width: Math.round(width), height: Math.round(height) };
  } catch {
    return; // damaged, or cut off before its size
  }
}

/** The type by the first bytes, whatever the name says. */
export function imageTypeOf(head: Uint8Array): ImageFacts["type"] | undefined {
  const text = String.fromCharCode(...head.subarray(0, 12));
  if (text.startsWith("\x89PNG\r\n\x1a\n")) return "PNG";
  if (text.startsWith("\xff\xd8\xff")) return "JPEG";
  if (/^GIF8[79]a/.test(text)) return "GIF";
  if (/^RIFF[^]{4}WEBP/.test(text)) return "WebP";
  if (/^[^]{4}ftyp/.test(text) && AVIF_BRAND.test(String.fromCharCode(...head.subarray(8, 64)))) return "AVIF";
  if (isSvg(head.subarray(0, TEXT_HEAD_BYTES))) return "SVG";
}

function isSvg(head: Uint8Array): boolean {
  return /^\ufeff?\s*</.test(new TextDecoder().decode(head)) && new TextDecoder().decode(head).includes("<svg");
}
