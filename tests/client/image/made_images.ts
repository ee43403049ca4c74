/** PNG and GIF files of any kind, made by the letter of their specifications and nothing of the program. */
import { crc32, deflateSync } from "node:zlib";
import { concat } from "../../wire/decoding.ts";

export interface PngKind {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly color: 0 | 2 | 3 | 4 | 6;
  readonly isInterlaced?: boolean;
  /** The sample of a channel. */
  sampleAt(x: number, y: number, channel: number): number;
  /** How row `y` of a pass is filtered. @default 0 */
  filterAt?(y: number): number;
  /** Chunks between header and data. */
  readonly chunks?: readonly Uint8Array[];
}

export const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 } as const;

export function makePng(kind: PngKind): Uint8Array<ArrayBuffer> {
  return framePng(kind, deflateSync(concat(...passesOf(kind).flatMap((places) => rowsOf(kind, places)))));
}

/** The same around any data, even such that has nothing to do with it. */
export function framePng(kind: Omit<PngKind, "sampleAt">, deflated: Uint8Array): Uint8Array<ArrayBuffer> {
  const { width, height, depth, color, isInterlaced = false, chunks = [] } = kind;
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  [depth, color, 0, 0, Number(isInterlaced)].forEach((byte, at) => header.setUint8(8 + at, byte));
  const half = deflated.length >> 1;
  return concat(
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10),
    chunkOf("IHDR", new Uint8Array(header.buffer)),
    ...chunks,
    chunkOf("IDAT", deflated.subarray(0, half)),
    chunkOf("IDAT", deflated.subarray(half)),
    chunkOf("IEND", new Uint8Array()),
  );
}

export function chunkOf(type: string, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const named = concat(new TextEncoder().encode(type), body);
  const bytes = concat(new Uint8Array(4), named, new Uint8Array(4));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body.length);
  view.setUint32(4 + named.length, crc32(named));
  return bytes;
}

type Place = readonly [x: number, y: number];

/** The places of each pass, row by row. */
function passesOf({ width, height, isInterlaced }: PngKind): Place[][][] {
  // The figure of the specification: in which pass each pixel of a block of 8 x 8 comes.
  const figure = ["16462646", "77777777", "56565656", "77777777", "36463646", "77777777", "56565656", "77777777"];
  const numbers = isInterlaced ? [..."1234567"] : [undefined];
  return numbers.map((pass) => {
    const rows = Array.from({ length: height }, (_, y) => {
      const places = Array.from({ length: width }, (_, x) => [x, y] as const);
      return pass === undefined ? places : places.filter(([x]) => figure[y % 8]![x % 8] === pass);
    });
    return rows.filter((row) => row.length > 0);
  });
}

function rowsOf(kind: PngKind, places: readonly (readonly Place[])[]): Uint8Array[] {
  const channels = CHANNELS[kind.color];
  const step = Math.max(1, channels * kind.depth / 8);
  let above: Uint8Array | undefined;
  return places.map((row, y) => {
    const samples = row.flatMap(([x, y]) => Array.from({ length: channels }, (_, at) => kind.sampleAt(x, y, at)));
    const bits = samples.map((sample) => sample.toString(2).padStart(kind.depth, "0")).join("");
    const bytes = Uint8Array.from(bits.match(/.{1,8}/g)!, (byte) => parseInt(byte.padEnd(8, "0"), 2));
    const filter = kind.filterAt?.(y) ?? 0;
    const filtered = bytes.map((byte, at) => byte - predicted(filter, bytes, above, at, step));
    above = bytes;
    return Uint8Array.of(filter, ...filtered);
  });
}

function predicted(filter: number, row: Uint8Array, above: Uint8Array | undefined, at: number, step: number): number {
  const a = row[at - step] ?? 0;
  const b = above?.[at] ?? 0;
  const c = above?.[at - step] ?? 0;
  const nearest = [a, b, c].sort((one, other) => Math.abs(a + b - c - one) - Math.abs(a + b - c - other))[0]!;
  return [0, a, b, Math.floor((a + b) / 2), nearest][filter]!;
}

export interface GifKind {
  readonly screen: readonly [width: number, height: number];
  /** Where its one picture stands. */
  readonly frame: readonly [x: number, y: number, width: number, height: number];
  /** In the order of the file; too few for a picture that is cut off. */
  readonly indices: readonly number[];
  /** Bits of an index. @default 2 */
  readonly bits?: number;
  /** Red, green, blue of each. @default black, red, green, blue */
  readonly palette?: readonly number[];
  readonly isInterlaced?: boolean;
  /** The color that is none. @default none is */
  readonly transparent?: number;
}

const FOUR_COLORS = [0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255];

export function makeGif(kind: GifKind): Uint8Array<ArrayBuffer> {
  const { screen, frame, indices, bits = 2, palette = FOUR_COLORS, isInterlaced = false, transparent } = kind;
  const shorts = (...numbers: readonly number[]) => numbers.flatMap((number) => [number & 255, number >> 8]);
  const bytes = lzwOf(indices, bits);
  const blocks = Array.from({ length: Math.ceil(bytes.length / 255) }, (_, at) => {
    const block = bytes.slice(at * 255, at * 255 + 255);
    return [block.length, ...block];
  });
  return Uint8Array.from([
    ...new TextEncoder().encode("GIF89a"),
    ...shorts(...screen),
    ...[0x80 + bits - 1, 0, 0],
    ...palette,
    ...[0x21, 0xfe, 3, 1, 2, 3, 1, 4, 0], // a comment
    ...(transparent === undefined ? [] : [0x21, 0xf9, 4, 1, 0, 0, transparent, 0]),
    0x2c,
    ...shorts(...frame),
    ...[isInterlaced ? 0x40 : 0, bits],
    ...blocks.flat(),
    ...[0, 0x3b],
  ]);
}

/** Appendix F: codes grow with their number, up to 12 bits; then the table is cleared now and then, as encoders like it. */
function lzwOf(indices: readonly number[], indexBits: number): number[] {
  const clear = 2 ** indexBits;
  let table = new Map<string, number>();
  let codeBits = indexBits + 1;
  let bits = "";
  const put = (code: number) => bits = code.toString(2).padStart(codeBits, "0") + bits;
  const reset = () => {
    put(clear);
    codeBits = indexBits + 1;
    table = new Map(Array.from({ length: clear }, (_, index) => [`${index},`, index]));
  };
  const bytes: number[] = [];
  const flush = (count: number) => {
    for (; bits.length >= count; bits = bits.slice(0, -8)) bytes.push(parseInt(bits.slice(-8), 2));
  };
  reset();
  let text = "";
  for (const [at, index] of indices.entries()) {
    const longer = `${text}${index},`;
    if (table.has(longer)) text = longer;
    else {
      put(table.get(text)!);
      const code = table.size + 2;
      if (code < 4_096) table.set(longer, code);
      if (code === 2 ** codeBits && codeBits < 12) codeBits++;
      if (at % 9_000 === 8_999) reset();
      text = `${index},`;
    }
    flush(8);
  }
  if (text !== "") put(table.get(text)!);
  if (table.size + 2 === 2 ** codeBits && codeBits < 12) codeBits++;
  put(clear + 1);
  bits = bits.padStart(Math.ceil(bits.length / 8) * 8, "0");
  flush(1);
  return bytes;
}
