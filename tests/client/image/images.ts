/** An image of every type that is told, with its width and height; the rare ones are just their beginnings. */

const FILES = new URL("../../../fixtures/files/", import.meta.url);

export const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** Boxes of the format behind AVIF: a length, a name, and what is in it. */
function box(name: string, ...parts: readonly string[]): string {
  const body = parts.join("");
  return uint32(8 + body.length) + name + body;
}

function uint32(value: number): string {
  return String.fromCharCode(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}

const WEBP_EXTENDED = "RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x7f\x02\0\xdf\x01\0";
const AVIF = box("ftyp", "avif", uint32(0), "avif") +
  box("meta", uint32(0), box("iprp", box("ipco", box("ispe", uint32(0), uint32(640), uint32(480)))));

export const IMAGES = [
  ["JPEG", Deno.readFileSync(new URL("img.jpg", FILES)), 640, 480],
  ["JPEG", Deno.readFileSync(new URL("apple.jpg", FILES)), 480, 480],
  ["PNG", Deno.readFileSync(new URL("gradient.png", FILES)), 640, 480],
  ["SVG", Deno.readFileSync(new URL("logo.svg", FILES)), 256, 256],
  ["GIF", latin1("GIF89a\x80\x02\xe0\x01\0\0\0;"), 640, 480],
  ["WebP", latin1(WEBP_EXTENDED), 640, 480],
  ["AVIF", latin1(AVIF), 640, 480],
] as const;
