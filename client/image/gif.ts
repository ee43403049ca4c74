/**
 * The first picture of a GIF as pixels (GIF89a). Pure.
 *
 * Decoded here and by no library: the one at hand can be sent round in a circle for ever by a damaged file.
 */
import type { Pixels } from "./scale.ts";

export interface Gif {
  readonly width: number;
  readonly height: number;
  /** Where its first picture stands; all of it is inside. */
  readonly frame: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  /** Red, green, blue. */
  readonly palette: Uint8Array;
  /** The color that is none. */
  readonly transparent: number | undefined;
  readonly isInterlaced: boolean;
  readonly minCodeBits: number;
  /** The codes, in bits. */
  readonly codes: Uint8Array;
}

const EXTENSION = 0x21;
const CONTROL = 0xf9;
const FRAME = 0x2c;
const CODE_BITS_MAX = 12;

/** What the file says before its pixels. Throws for what is none, or damaged. */
export function readGif(file: Uint8Array): Gif {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const [width, height] = [view.getUint16(6, true), view.getUint16(8, true)];
  let transparent: number | undefined;
  let at = 13 + paletteBytes(file[10]!);
  const global = file.subarray(13, at);
  for (; view.getUint8(at) === EXTENSION; at = endOfBlocks(view, at + 2)) {
    if (view.getUint8(at + 1) === CONTROL && view.getUint8(at + 3) & 1) transparent = view.getUint8(at + 6);
  }
  if (view.getUint8(at) !== FRAME) throw new Error("There is no picture in it");
  const [x, y, w, h] = [1, 3, 5, 7].map((offset) => view.getUint16(at + offset, true)) as [
    number,
    number,
    number,
    number,
  ];
  if (x + w > width || y + h > height) throw new Error("Its picture is outside of it");
  const flags = view.getUint8(at + 9);
  const own = file.subarray(at + 10, at + 10 + paletteBytes(flags));
  at += 10 + own.length;
  const minCodeBits = view.getUint8(at);
  if (minCodeBits < 1 || minCodeBits > 8) throw new Error("No code has so many bits");
  return {
    ...{ width, height, transparent, minCodeBits },
    frame: { x, y, width: w, height: h },
    palette: own.length > 0 ? own : global,
    isInterlaced: (flags & 0x40) > 0,
    codes: joinBlocks(view, at + 1),
  };
}

/** Draws it. Make sure before that its size is no more than you want. */
export function decodeGif(gif: Gif): Pixels {
  const { width, height, frame, palette, transparent } = gif;
  const rgba = new Uint8Array(width * height * 4);
  const indices = decodeCodes(gif);
  for (const [row, y] of rowsOf(gif).entries()) {
    for (let x = 0; x < frame.width; x++) {
      const index = indices[row * frame.width + x]!;
      if (index === transparent || index * 3 >= palette.length) continue;
      const to = ((frame.y + y) * width + frame.x + x) * 4;
      rgba.set(palette.subarray(index * 3, index * 3 + 3), to);
      rgba[to + 3] = 255;
    }
  }
  return { width, height, rgba };
}

/** By the lowest three bits of `flags`, if the highest says that there is one. */
function paletteBytes(flags: number): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
}

/** Where the blocks from `at` on end: each stands behind its length, and the last one has none. */
function endOfBlocks(view: DataView, at: number): number {
  while (view.getUint8(at) > 0) at += view.getUint8(at) + 1;
  return at + 1;
}

function joinBlocks(view: DataView, start: number): Uint8Array {
  const bytes = new Uint8Array(endOfBlocks(view, start) - start);
  let count = 0;
  for (let at = start; view.getUint8(at) > 0; at += view.getUint8(at) + 1) {
    bytes.set(new Uint8Array(view.buffer, view.byteOffset + at + 1, view.getUint8(at)), count);
    count += view.getUint8(at);
  }
  return bytes.subarray(0, count);
}

/** Where each row that comes stands. */
function rowsOf({ frame: { height }, isInterlaced }: Gif): number[] {
  const passes = isInterlaced ? [[0, 8], [4, 8], [2, 4], [1, 2]] as const : [[0, 1]] as const;
  return passes.flatMap(([first, step]) =>
    Array.from({ length: Math.ceil(Math.max(0, height - first) / step) }, (_, at) => first + at * step)
  );
}

/** LZW. A code stands for what an earlier one stands for and one index more, so each of them leads back to an index. */
function decodeCodes({ frame, minCodeBits, codes }: Gif): Uint8Array {
  const indices = new Uint8Array(frame.width * frame.height);
  const clear = 2 ** minCodeBits;
  const earlier = new Uint16Array(2 ** CODE_BITS_MAX);
  const first = Uint8Array.from(earlier, (_, code) => code);
  const last = first.slice();
  const lengths = new Uint16Array(earlier.length).fill(1);
  let [next, bits, previous] = [clear + 2, minCodeBits + 1, -1];
  for (let at = 0, bit = 0; at < indices.length;) {
    const code = codeAt(codes, bit, bits);
    bit += bits;
    if (code === clear) {
      [next, bits, previous] = [clear + 2, minCodeBits + 1, -1];
      continue;
    }
    if (code === clear + 1 || code > next || (code === next && previous < 0)) throw new Error("A code is none");
    if (previous >= 0 && next < earlier.length) {
      earlier[next] = previous;
      first[next] = first[previous]!;
      last[next] = first[code]!; // if that is the one that is being made, it is known already
      lengths[next] = lengths[previous]! + 1;
      if (++next === 2 ** bits && bits < CODE_BITS_MAX) bits++;
    }
    for (let to = at + lengths[code]! - 1, one = code; to >= at; to--, one = earlier[one]!) indices[to] = last[one]!;
    at += lengths[code]!;
    previous = code;
  }
  return indices;
}

/** Throws at the end of the codes. */
function codeAt(codes: Uint8Array, bit: number, bits: number): number {
  if (bit + bits > codes.length * 8) throw new Error("The picture is cut off");
  const [low = 0, middle = 0, high = 0] = codes.subarray(bit >> 3, (bit >> 3) + 3);
  return (low | middle << 8 | high << 16) >> (bit & 7) & (2 ** bits - 1);
}
