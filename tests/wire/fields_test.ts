/** The kinds of values and the codec of fields, on declarations of their own. */
import {
  bytes,
  ByteWriter,
  decodeFields,
  encodeFields,
  type FieldKind,
  type FieldMap,
  flag,
  optional,
  record,
  repeated,
  required,
  text,
  uint,
  type ValuesOf,
} from "../../protocol/wire/fields.ts";
import { assert, assertEquals, assertNotEquals, assertThrows, assertThrowsCode } from "../support/assert.ts";
import { withSeed } from "../support/random.ts";
import { concat, fieldOf } from "./decoding.ts";

// deno-lint-ignore no-explicit-any -- kinds of all values stand side by side
type AnyKind = FieldKind<any>;

const HEX: readonly (readonly [kind: AnyKind, value: unknown, hex: string])[] = [
  [uint, 0, "00"],
  [uint, 1, "01"],
  [uint, 255, "ff"],
  [uint, 256, "0100"],
  [uint, 65_535, "ffff"],
  [uint, 65_536, "010000"],
  [uint, 2 ** 32 - 1, "ffffffff"],
  [uint, 2 ** 32, "0100000000"],
  [uint, 2 ** 48, "01000000000000"],
  [uint, Number.MAX_SAFE_INTEGER, "1fffffffffffff"],
  [text, "", ""],
  [text, "a/b", "612f62"],
  [text, "\0", "00"],
  [text, "é€😀", "c3a9e282acf09f9880"],
  [text, "\ufeffmark", "efbbbf6d61726b"],
  [bytes, new Uint8Array(), ""],
  [bytes, Uint8Array.of(0, 255), "00ff"],
  [flag, true, ""],
];

function encodeValue(kind: AnyKind, value: unknown): Uint8Array {
  const writer = new ByteWriter();
  kind.encode(value, writer);
  return writer.written().slice();
}

function encodeAll<F extends FieldMap>(fields: F, values: ValuesOf<F>): Uint8Array {
  const writer = new ByteWriter();
  encodeFields(fields, values, writer);
  return writer.written().slice();
}

for (const [kind, value, hex] of HEX) {
  Deno.test(`${kind.kind} ${JSON.stringify(value)} is the bytes "${hex}", both ways`, () => {
    assertEquals(encodeValue(kind, value).toHex(), hex);
    assertEquals<unknown>(kind.decode(Uint8Array.fromHex(hex)), value);
  });
}

for (
  const [kind, hex] of [
    [uint, ""],
    [uint, "0000"],
    [uint, "0001"],
    [uint, "00ffffffffffff"],
    [uint, "20000000000000"],
    [uint, "ffffffffffffff"],
    [uint, "0100000000000000"],
    [text, "ff"],
    [text, "e282"],
    [text, "c0af"],
    [text, "eda080"],
    [text, "f4908080"],
    [flag, "00"],
  ] as const
) {
  Deno.test(`no ${kind.kind} is the bytes "${hex}"`, () => {
    assertThrowsCode(() => kind.decode(Uint8Array.fromHex(hex)), "malformed");
  });
}

Deno.test("uints of all sizes come back", () =>
  withSeed((random) => {
    for (let run = 0; run < 2_000; run++) {
      const value = Math.floor(random.fraction() * 2 ** random.below(54));
      assertEquals(uint.decode(encodeValue(uint, value)), value);
    }
  }));

Deno.test("encoder refuses what is no uint", () => {
  for (const value of [-1, 0.5, NaN, Infinity, 2 ** 53]) assertThrows(() => encodeValue(uint, value), RangeError);
});

Deno.test("encoder refuses text with half a surrogate pair", () => {
  assertThrowsCode(() => encodeValue(text, "a\ud800"), "bad_name");
});

Deno.test("decoded bytes are a copy", () => {
  const body = fieldOf(1, [1, 2, 3]);
  const decoded = decodeFields({ some: required(1, bytes) }, body);
  body.fill(0);
  assertEquals(decoded.some, Uint8Array.of(1, 2, 3));
});

const ALL = {
  needed: required(1, text),
  yes: optional(2, flag),
  many: repeated(3, uint),
  inner: optional(4, record({ id: required(1, uint), tags: repeated(2, text) })),
  extra: optional(0x80, bytes),
} as const;

Deno.test("fields of all kinds and presences come back", () => {
  for (
    const values of [
      { needed: "", many: [] },
      { needed: "a", yes: true, many: [1] },
      { needed: "a", many: [3, 2, 2], inner: { id: 0, tags: [] }, extra: new Uint8Array() },
      { needed: "ä", yes: true, many: [0, 1, 2], inner: { id: 300, tags: ["", "x"] }, extra: Uint8Array.of(7) },
    ]
  ) {
    assertEquals<unknown>(decodeFields(ALL, encodeAll(ALL, values)), values);
  }
});

Deno.test("fields encode to id, length and value, in the order of their ids", () => {
  const encoded = encodeAll(ALL, { many: [5, 256], extra: Uint8Array.of(9), needed: "a", yes: true });
  assertEquals(encoded.toHex(), "01000161" + "020000" + "03000105" + "0300020100" + "80000109");
});

Deno.test("a flag that is no, and an optional field that is undefined, are not encoded", () => {
  assertEquals(
    encodeAll(ALL, { needed: "a", yes: false, many: [], extra: undefined }),
    encodeAll(ALL, { needed: "a", many: [] }),
  );
  assertNotEquals(encodeAll(ALL, { needed: "a", yes: true, many: [] }), encodeAll(ALL, { needed: "a", many: [] }));
});

Deno.test("encoder refuses a message without a required field", () => {
  assertThrows(() => encodeAll(ALL, { many: [] } as never), TypeError, "needed");
});

Deno.test("a value of 65,535 bytes passes, one byte more is refused", () => {
  const fields = { some: required(1, bytes) };
  const largest = new Uint8Array(65_535).fill(7);
  const encoded = encodeAll(fields, { some: largest });
  assertEquals(encoded.subarray(0, 3).toHex(), "01ffff");
  assertEquals(decodeFields(fields, encoded), { some: largest });
  assertThrows(() => encodeAll(fields, { some: new Uint8Array(65_536) }), RangeError);
});

Deno.test("repeated fields stand together: another field between them is refused", () => {
  assertEquals(decodeFields(ALL, concat(fieldOf(1, "a"), fieldOf(3, [1]), fieldOf(3, [2]))).many, [1, 2]);
  const apart = concat(fieldOf(1, "a"), fieldOf(3, [1]), fieldOf(0x80, []), fieldOf(3, [2]));
  assertThrowsCode(() => decodeFields(ALL, apart), "malformed");
});

Deno.test("decoding is the same for every declaration, whichever was decoded before", () => {
  const other = { name: required(2, uint) };
  const body = fieldOf(2, [9]);
  assertEquals(decodeFields(other, body), { name: 9 });
  assertThrowsCode(() => decodeFields({ name: required(1, uint) }, body), "unsupported");
  assertEquals(decodeFields(other, body), { name: 9 });
});

Deno.test("writer keeps what was written when it grows, and lends a view of it", () => {
  const writer = new ByteWriter();
  const expected: number[] = [];
  for (let index = 0; index < 2_000; index++) {
    const at = writer.reserve(1);
    writer.bytes[at] = index & 255;
    expected.push(index & 255);
  }
  assertEquals(Array.from(writer.written()), expected);
  assertEquals(writer.reserve(10_000), 2_000);
  assertEquals(Array.from(writer.bytes.subarray(0, 2_000)), expected);
  assert(writer.written().buffer === writer.bytes.buffer);
});
