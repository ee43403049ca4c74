/**
 * The fields of a message: the kinds of values, their bytes, and the codec that a declaration of fields gives.
 *
 * A field is `id (1 byte) | length (2 bytes) | value`. Fields come in ascending order of their ids, each once unless it
 * is declared `repeated`. An unknown id below 0x80 is an error, from 0x80 on it is skipped: that is how a later version
 * adds what an older one may ignore. Every value has exactly one encoding, so equal messages are equal bytes.
 */
import { AppError } from "../errors.ts";

/** Ids from this one on may be skipped by who does not know them; so may message types. */
export const OPTIONAL_FROM = 0x80;

const VALUE_BYTES_MAX = 0xffff;
const FIELD_HEADER_BYTES = 3;

/** Where encoded values go: a buffer that grows, owned by whoever made it. */
export class ByteWriter {
  bytes = new Uint8Array(256);
  length = 0;

  /** Makes room for `count` more bytes and returns the offset at which they begin. */
  reserve(count: number): number {
    const start = this.length;
    this.length += count;
    if (this.length > this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.length, 2 * this.bytes.length));
      larger.set(this.bytes.subarray(0, start));
      this.bytes = larger;
    }
    return start;
  }

  /** A view of what was written; valid until the next write. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }
}

/** How one kind of value becomes bytes and back. `decode` gets exactly the value's bytes and copies what it keeps. */
export interface FieldKind<T> {
  /** The name of the kind in the specification. */
  readonly kind: string;
  encode(value: T, writer: ByteWriter): void;
  decode(bytes: Uint8Array): T;
  /** The fields of a nested record, for the specification and for the generator of the fuzz tests. */
  readonly fields?: FieldMap;
}

function malformed(what: string): AppError {
  return new AppError("malformed", `Cannot decode a message: ${what}`);
}

/** A whole number from 0 to 2^53 - 1, big-endian, in as few bytes as it needs (0 has one). */
export const uint: FieldKind<number> = {
  kind: "uint",
  encode(value, writer) {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`Cannot encode ${value} as a uint`);
    let count = 1;
    for (let rest = Math.floor(value / 256); rest > 0; rest = Math.floor(rest / 256)) count++;
    const start = writer.reserve(count);
    for (let at = start + count - 1, rest = value; at >= start; at--, rest = Math.floor(rest / 256)) {
      writer.bytes[at] = rest % 256;
    }
  },
  decode(bytes) {
    if (bytes.length === 0 || bytes.length > 7) throw malformed(`a uint of ${bytes.length} bytes`);
    if (bytes[0] === 0 && bytes.length > 1) throw malformed("a uint with a leading zero");
    let value = 0;
    for (const byte of bytes) value = value * 256 + byte;
    if (value > Number.MAX_SAFE_INTEGER) throw malformed("a uint above 2^53 - 1");
    return value;
  },
};

const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** UTF-8, without a mark at its end. */
export const text: FieldKind<string> = {
  kind: "text",
  encode(value, writer) {
    if (!value.isWellFormed()) throw new AppError("bad_name", "Cannot send text that is not valid Unicode");
    const start = writer.reserve(value.length * 3);
    const { written } = textEncoder.encodeInto(value, writer.bytes.subarray(start));
    writer.length = start + written;
  },
  decode(bytes) {
    try {
      return textDecoder.decode(bytes);
    } catch (cause) {
      throw new AppError("malformed", "Cannot decode a message: text that is not UTF-8", { cause });
    }
  },
};

/** Bytes as they are; decoded into a copy. */
export const bytes: FieldKind<Uint8Array> = {
  kind: "bytes",
  encode(value, writer) {
    const start = writer.reserve(value.length);
    writer.bytes.set(value, start);
  },
  decode: (value) => value.slice(),
};

/** Bytes as they are; decoded into a view, which is valid until the next message is asked for. */
export const lentBytes: FieldKind<Uint8Array> = { ...bytes, decode: (value) => value };

/** Yes when the field is there, with no bytes; no when it is absent. */
export const flag: FieldKind<boolean> = {
  kind: "flag",
  encode() {},
  decode(value) {
    if (value.length > 0) throw malformed("a flag with a value");
    return true;
  },
};

type Presence = "required" | "optional" | "repeated";

export interface Field<T, P extends Presence = Presence> {
  readonly id: number;
  readonly value: FieldKind<T>;
  readonly presence: P;
}

/** Fields by name, in ascending order of their ids. */
// deno-lint-ignore no-explicit-any -- the one place where fields of all kinds stand side by side
export type FieldMap = Readonly<Record<string, Field<any>>>;

export const required = <T>(id: number, value: FieldKind<T>): Field<T, "required"> => (
  { id, value, presence: "required" }
);
export const optional = <T>(id: number, value: FieldKind<T>): Field<T, "optional"> => (
  { id, value, presence: "optional" }
);
/** Any number of times, none included; the values stand in an array. */
export const repeated = <T>(id: number, value: FieldKind<T>): Field<T, "repeated"> => (
  { id, value, presence: "repeated" }
);

type Simplify<T> = { [K in keyof T]: T[K] };

/** What a declaration of fields describes: `required` and `repeated` ones always there, `optional` ones perhaps. */
export type ValuesOf<F extends FieldMap> = Simplify<
  & { [K in keyof F as F[K] extends Field<unknown, "required"> ? K : never]: ValueOf<F[K]> }
  & { [K in keyof F as F[K] extends Field<unknown, "repeated"> ? K : never]: ValueOf<F[K]>[] }
  & { [K in keyof F as F[K] extends Field<unknown, "optional"> ? K : never]?: ValueOf<F[K]> | undefined }
>;
type ValueOf<T> = T extends Field<infer V> ? V : never;

/** A nested list of fields as one value. */
export function record<F extends FieldMap>(fields: F): FieldKind<ValuesOf<F>> {
  return {
    kind: "record",
    fields,
    encode: (value, writer) => encodeFields(fields, value, writer),
    decode: (value) => decodeFields(fields, value),
  };
}

/** Appends the fields of `values` to `writer`, in the order of the declaration. */
export function encodeFields<F extends FieldMap>(fields: F, values: ValuesOf<F>, writer: ByteWriter): void {
  for (const name in fields) {
    const field = fields[name]!;
    const value = (values as Record<string, unknown>)[name];
    if (field.presence === "repeated") {
      for (const one of value as unknown[]) encodeField(field, one, writer);
    } else if (value !== undefined && value !== false) {
      encodeField(field, value, writer);
    } else if (field.presence === "required") {
      throw new TypeError(`Cannot encode a message: the field "${name}" is missing`);
    }
  }
}

function encodeField(field: Field<unknown>, value: unknown, writer: ByteWriter): void {
  const start = writer.reserve(FIELD_HEADER_BYTES);
  field.value.encode(value, writer);
  const count = writer.length - start - FIELD_HEADER_BYTES;
  if (count > VALUE_BYTES_MAX) throw new RangeError(`Cannot encode a field of ${count} bytes`);
  writer.bytes[start] = field.id;
  writer.bytes[start + 1] = count >> 8;
  writer.bytes[start + 2] = count & 255;
}

/** The fields that stand in `body`, all of it. Throws `malformed` or `unsupported`. Copies what it returns. */
export function decodeFields<F extends FieldMap>(fields: F, body: Uint8Array): ValuesOf<F> {
  const byId = indexOf(fields);
  const values: Record<string, unknown> = {};
  for (const name of byId.repeated) values[name] = [];
  let previousId = -1;
  for (let at = 0; at < body.length;) {
    const { id, value, next } = readField(body, at);
    const known = byId.names.get(id);
    if (id < previousId || (id === previousId && known && fields[known]!.presence !== "repeated")) {
      throw malformed(`the field ${id} is out of order`);
    }
    if (known) setValue(values, known, fields[known]!, value);
    else if (id < OPTIONAL_FROM) throw new AppError("unsupported", `Cannot decode a message: unknown field ${id}`);
    previousId = id;
    at = next;
  }
  for (const name of byId.required) if (!(name in values)) throw malformed(`the field "${name}" is missing`);
  return values as ValuesOf<F>;
}

function readField(body: Uint8Array, at: number): { id: number; value: Uint8Array; next: number } {
  const start = at + FIELD_HEADER_BYTES;
  if (start > body.length) throw malformed("a field is cut off");
  const next = start + (body[at + 1]! << 8 | body[at + 2]!);
  if (next > body.length) throw malformed("a field is longer than its message");
  return { id: body[at]!, value: body.subarray(start, next), next };
}

function setValue(values: Record<string, unknown>, name: string, field: Field<unknown>, bytes: Uint8Array): void {
  const value = field.value.decode(bytes);
  if (field.presence === "repeated") (values[name] as unknown[]).push(value);
  else values[name] = value;
}

interface FieldIndex {
  readonly names: ReadonlyMap<number, string>;
  readonly required: readonly string[];
  readonly repeated: readonly string[];
}

const INDEXES = new WeakMap<FieldMap, FieldIndex>();

function indexOf(fields: FieldMap): FieldIndex {
  let index = INDEXES.get(fields);
  if (!index) {
    const names = Object.keys(fields);
    index = {
      names: new Map(names.map((name) => [fields[name]!.id, name])),
      required: names.filter((name) => fields[name]!.presence === "required"),
      repeated: names.filter((name) => fields[name]!.presence === "repeated"),
    };
    INDEXES.set(fields, index);
  }
  return index;
}
