/**
 * Harm to recorded bytes. A stream is a list of units: the lines, frames and packets that one side sent, each in one
 * piece. Bytes are harmed as they are; and the body of a frame or the text of a packet is harmed and then sealed
 * again, since a checksum would hide everything behind it.
 */
import { deflateSync, inflateSync } from "node:zlib";
import { FRAME_HEADER_BYTES, FRAME_TRAILER_BYTES } from "../../protocol/wire/frame.ts";
import type { Random } from "../support/random.ts";
import { concat, frameOf } from "../wire/decoding.ts";

export type Bytes = Uint8Array<ArrayBuffer>;

const BYTES = [0, 1, 0x7f, 0x80, 0xff];
/** The ends of what numbers can say: 0, 2^31 - 1, 2^31, 2^32 - 1, 2^53 - 1, 2^53 and 2^64 - 1, as bytes. */
const NUMBERS = ["00", "7fffffff", "80000000", "ffffffff", "1fffffffffffff", "20000000000000", "ffffffffffffffff"]
  .map((hex) => Uint8Array.fromHex(hex));
/** Lengths of fields and frames that are told: none, one, the limits and what is beyond them. */
const LENGTHS = [0, 1, 0x7f, 0xff, 0x100, 0x3fff, 0x4000, 0x7fff, 0xffff, 262_143, 262_144, 262_145, 0xffffff];
const FIELD_HEADER_BYTES = 3;
const OPENING_UNITS = 2;

/** One to three harms to some of `units`, a splice with a stream of `others` among them; never the same as before. */
export function mutateUnits(units: readonly Bytes[], others: readonly (readonly Bytes[])[], random: Random): Bytes[] {
  let mutated = [...units];
  for (let count = 1 + random.below(3); count > 0; count--) mutated = mutateOnce(mutated, others, random);
  return mutated;
}

function mutateOnce(units: Bytes[], others: readonly (readonly Bytes[])[], random: Random): Bytes[] {
  // Behind a harmed opening or hello nothing else is looked at, so they are mostly left alone.
  const first = units.length > OPENING_UNITS && random.below(5) > 0 ? OPENING_UNITS : 0;
  const at = first + random.below(Math.max(1, units.length - first));
  const unit = units[at] ?? new Uint8Array();
  const behind = units.slice(at + 1);
  const other = random.pick(others);
  switch (random.below(9)) {
    case 0:
      return [...units.slice(0, at), ...behind];
    case 1:
      return [...units.slice(0, at), unit, unit, ...behind];
    case 2:
      return [...units.slice(0, at), ...other.slice(random.below(other.length))];
    case 3:
      return [...units.slice(0, at), unit, random.pick(other), ...behind];
    case 4:
      return [...units.slice(0, at), mutateBytes(unit, random)];
    case 5:
      return [...units.slice(0, at), mutateBytes(unit, random), ...behind];
    default:
      return [...units.slice(0, at), mutateSealed(unit, random), ...behind];
  }
}

/** One small harm: a byte changed, some lost, doubled or put in, a number put in, two parts swapped, the end cut off. */
export function mutateBytes(bytes: Uint8Array, random: Random): Bytes {
  const at = random.below(bytes.length + 1);
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (random.below(8)) {
    case 0:
      return concat(before, Uint8Array.of((after[0] ?? 0) ^ 1 << random.below(8)), after.subarray(1));
    case 1:
      return concat(before, Uint8Array.of(random.pick(BYTES)), after.subarray(1));
    case 2:
      return concat(before, after.subarray(1 + random.below(4)));
    case 3:
      return concat(before, after.subarray(0, 8), after);
    case 4:
      return concat(before, random.bytes(1 + random.below(8)), after);
    case 5: {
      const number = random.pick(NUMBERS);
      return concat(before, number, after.subarray(random.below(2) * number.length));
    }
    case 6:
      return concat(after, before);
    default:
      return before.slice();
  }
}

/** Harm inside of what is sealed; to a unit that is neither a frame nor a packet, as it is. */
function mutateSealed(unit: Bytes, random: Random): Bytes {
  if (isFrame(unit)) {
    const body = unit.slice(FRAME_HEADER_BYTES, unit.length - FRAME_TRAILER_BYTES);
    if (random.below(12) === 0) return withLength(unit, random.pick(LENGTHS));
    if (random.below(12) === 0) return frameOf(random.below(256), body);
    const mutated = random.below(3) === 0 ? mutateBytes(body, random) : mutateFields(body, random);
    return frameOf(unit[3]!, mutated);
  }
  const text = tryInflate(unit);
  return text ? Uint8Array.from(deflateSync(mutateBytes(text, random))) : mutateBytes(unit, random);
}

export function isFrame(unit: Uint8Array): boolean {
  if (unit.length < FRAME_HEADER_BYTES + FRAME_TRAILER_BYTES) return false;
  const bodyBytes = unit[0]! << 16 | unit[1]! << 8 | unit[2]!;
  return unit.length === FRAME_HEADER_BYTES + bodyBytes + FRAME_TRAILER_BYTES;
}

function tryInflate(bytes: Uint8Array): Uint8Array | undefined {
  try {
    return inflateSync(bytes);
  } catch {
    return undefined;
  }
}

/** A header that says another length, and whose check is right. */
function withLength(frame: Bytes, bodyBytes: number): Bytes {
  const header = Uint8Array.of(bodyBytes >> 16, bodyBytes >> 8 & 255, bodyBytes & 255, frame[3]!);
  const check = header.reduce((sum, byte) => sum ^ byte, 0xa5);
  return concat(header, Uint8Array.of(check), frame.subarray(FRAME_HEADER_BYTES));
}

/** Harm to one field of a body: its length, its value, its id; or it is lost, doubled, or follows another one. */
export function mutateFields(body: Uint8Array, random: Random): Bytes {
  const fields = splitFields(body);
  if (fields.length === 0) return mutateBytes(body, random);
  const at = random.below(fields.length);
  const field = fields[at]!;
  const value = field.subarray(FIELD_HEADER_BYTES);
  fields[at] = mutateField(field, value, random);
  if (random.below(10) === 0) fields.splice(at, 1);
  if (random.below(10) === 0) fields.splice(at, 0, field);
  if (random.below(10) === 0) fields.reverse();
  return concat(...fields);
}

function mutateField(field: Uint8Array, value: Uint8Array, random: Random): Uint8Array {
  switch (random.below(6)) {
    case 0: {
      const length = random.pick(LENGTHS) & 0xffff;
      return concat(Uint8Array.of(field[0]!, length >> 8, length & 255), value);
    }
    case 1:
      return sealField(random.pick([0, 1, 2, 0x7f, 0x80, 0x81, 0xff]), value);
    case 2:
      return sealField(field[0]!, random.pick(NUMBERS));
    case 3:
      return sealField(field[0]!, new TextEncoder().encode(random.pick(TEXTS)));
    default:
      return sealField(field[0]!, mutateBytes(value, random));
  }
}

/** Names that want to be somewhere else, or to be something else. */
const TEXTS = [
  "",
  ".",
  "..",
  "/",
  "../outside.txt",
  "dir/../../outside.txt",
  "/etc/passwd",
  "dir",
  "dir/",
  "dir//a",
  "C:\\x",
  ".app-partial-0",
  "dir/.app-x",
  "a\0b",
  "\u{202e}txt",
  "con",
  "e\u0301",
  "x".repeat(256),
  "x/".repeat(2_000) + "x",
  "\u{1f600}".repeat(60),
];

function sealField(id: number, value: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(id, value.length >> 8 & 255, value.length & 255), value);
}

function splitFields(body: Uint8Array): Uint8Array[] {
  const fields: Uint8Array[] = [];
  for (let at = 0; at + FIELD_HEADER_BYTES <= body.length;) {
    const end = at + FIELD_HEADER_BYTES + (body[at + 1]! << 8 | body[at + 2]!);
    if (end > body.length) return [];
    fields.push(body.subarray(at, end));
    at = end;
  }
  return fields;
}
