/**
 * PNG to pixels (W3C PNG, third edition), the still picture of it.
 *
 * Decoded here and by no library, since those at hand inflate whatever the file has: a file of 16 MB may be one of 16 GB
 * then. Here the header says how much there is, and no byte more is inflated. Checksums are not looked at.
 */
import type { Pixels } from "./scale.ts";

interface Png {
  readonly width: number;
  readonly height: number;
  /** Bits of one sample. */
  readonly depth: number;
  readonly color: number;
  readonly isInterlaced: boolean;
  readonly palette: Uint8Array;
  /** What `tRNS` says: the alpha of each colour of the palette, or the samples of the one colour that is transparent. */
  readonly transparency: Uint8Array;
}

/** Samples of a pixel, by the type of colour: grey, rgb, index, grey and alpha, rgb and alpha. */
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const INDEXED = 3;

/** Where the pixels of each pass begin, and how far they are apart. */
const ADAM7 = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];
const ONE_PASS = [[0, 0, 1, 1]];

/** A part of the pixels, row by row; a picture that is not interlaced has one. */
interface Pass {
  readonly x: number;
  readonly y: number;
  readonly xStep: number;
  readonly yStep: number;
  readonly columns: number;
  readonly rows: number;
  readonly rowBytes: number;
}

/** Throws for what is none, or damaged. Make sure before that `width` and `height` are no more than you want. */
export async function decodePng(file: Uint8Array): Promise<Pixels> {
  const { png, deflated } = readChunks(file);
  const passes = passesOf(png);
  const sizeBytes = passes.reduce((sum, { rows, rowBytes }) => sum + rows * (1 + rowBytes), 0);
  const { inflateSync } = await import("node:zlib");
  const data: Uint8Array = inflateSync(deflated, { maxOutputLength: sizeBytes });
  if (data.length < sizeBytes) throw new Error("The picture is cut off");
  const rgba = new Uint8Array(png.width * png.height * 4);
  let at = 0;
  for (const pass of passes) {
    drawPass(rgba, png, pass, data.subarray(at));
    at += pass.rows * (1 + pass.rowBytes);
  }
  return { width: png.width, height: png.height, rgba };
}

function passesOf({ width, height, color, depth, isInterlaced }: Png): Pass[] {
  const passes = (isInterlaced ? ADAM7 : ONE_PASS).map(([x = 0, y = 0, xStep = 1, yStep = 1]) => {
    const columns = Math.ceil((width - x) / xStep);
    const rows = Math.ceil((height - y) / yStep);
    return { x, y, xStep, yStep, columns, rows, rowBytes: Math.ceil(columns * CHANNELS[color]! * depth / 8) };
  });
  return passes.filter(({ columns, rows }) => columns > 0 && rows > 0);
}

function drawPass(rgba: Uint8Array, png: Png, pass: Pass, data: Uint8Array): void {
  const { x, y, xStep, yStep, columns, rows, rowBytes } = pass;
  const step = Math.max(1, CHANNELS[png.color]! * png.depth / 8);
  let above = new Uint8Array(rowBytes);
  for (let row = 0, at = 0; row < rows; row++, at += rowBytes + 1) {
    const bytes = data.slice(at + 1, at + 1 + rowBytes);
    unfilter(data[at]!, bytes, above, step);
    const start = ((y + row * yStep) * png.width + x) * 4;
    for (let column = 0; column < columns; column++) putPixel(rgba, start + column * xStep * 4, png, bytes, column);
    above = bytes;
  }
}

function readChunks(file: Uint8Array): { png: Png; deflated: Uint8Array } {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  let header = new Uint8Array();
  let palette = new Uint8Array();
  let transparency = new Uint8Array();
  const deflated: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 8; at + 12 <= file.length;) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...file.subarray(at + 4, at + 8));
    const body = file.slice(at + 8, at + 8 + length);
    if (type === "IHDR") header = body;
    else if (type === "PLTE") palette = body;
    else if (type === "tRNS") transparency = body;
    else if (type === "IDAT") deflated.push(body);
    else if (type === "IEND") break;
    at += 12 + length;
  }
  const { width, height, depth, color, isInterlaced } = readHeader(header);
  return { png: { width, height, depth, color, isInterlaced, palette, transparency }, deflated: joined(deflated) };
}

function readHeader(header: Uint8Array): Omit<Png, "palette" | "transparency"> {
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  const [depth = 0, color = -1, , , interlace] = header.subarray(8);
  const isSound = CHANNELS[color] && [1, 2, 4, 8, 16].includes(depth) && header.length === 13;
  if (!isSound || (depth < 8 && CHANNELS[color] !== 1)) throw new Error("The header is none");
  return { width: view.getUint32(0), height: view.getUint32(4), depth, color, isInterlaced: interlace === 1 };
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** Undoes what each row was filtered by, in its place: bytes are differences to those before (`step` bytes) and above. */
function unfilter(filter: number, row: Uint8Array, above: Uint8Array, step: number): void {
  if (filter === 0) return;
  if (filter > 4) throw new Error("The filter is none");
  for (let at = 0; at < row.length; at++) {
    const left = at < step ? 0 : row[at - step]!;
    const up = above[at]!;
    if (filter === 1) row[at]! += left;
    else if (filter === 2) row[at]! += up;
    else if (filter === 3) row[at]! += (left + up) >> 1;
    else row[at]! += paeth(left, up, at < step ? 0 : above[at - step]!);
  }
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const [byLeft, byUp, byCorner] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  if (byLeft <= byUp && byLeft <= byCorner) return left;
  return byUp <= byCorner ? up : corner;
}

function putPixel(rgba: Uint8Array, to: number, png: Png, row: Uint8Array, column: number): void {
  const { depth, color, palette, transparency } = png;
  const channels = CHANNELS[color]!;
  if (color === INDEXED) {
    const index = sampleAt(row, depth, column);
    if (index * 3 >= palette.length) throw new Error("The palette has no such colour");
    rgba.set(palette.subarray(index * 3, index * 3 + 3), to);
    rgba[to + 3] = transparency[index] ?? 255;
    return;
  }
  const hasAlpha = channels % 2 === 0;
  const grey = channels < 3;
  const scale = 255 / (2 ** depth - 1);
  let isTransparent = !hasAlpha && transparency.length >= channels * 2;
  for (let channel = 0; channel < channels; channel++) {
    const sample = sampleAt(row, depth, column * channels + channel);
    const value = Math.round(sample * scale);
    isTransparent &&= sample === transparency[channel * 2]! * 256 + transparency[channel * 2 + 1]!;
    if (hasAlpha && channel === channels - 1) rgba[to + 3] = value;
    else if (grey) rgba.fill(value, to, to + 3);
    else rgba[to + channel] = value;
  }
  if (!hasAlpha) rgba[to + 3] = isTransparent ? 0 : 255;
}

function sampleAt(row: Uint8Array, depth: number, index: number): number {
  if (depth === 8) return row[index]!;
  if (depth === 16) return row[index * 2]! * 256 + row[index * 2 + 1]!;
  const bit = index * depth;
  return (row[bit >> 3]! >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
}
