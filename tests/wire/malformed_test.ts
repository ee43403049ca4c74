/**
 * Messages whose frame is sound and whose fields are not: each has its error, and a twin that passes. What single
 * values may be is in `fields_test.ts`.
 */
import { DATA_TYPE } from "../../protocol/wire/messages/transfer.ts";
import { MESSAGES } from "../../protocol/wire/messages/mod.ts";
import type { Declaration } from "../../protocol/wire/messages/declare.ts";
import type { ErrorName } from "../../protocol/errors.ts";
import { assertEquals } from "../support/assert.ts";
import { concat, decode, encode, fieldOf, frameOf } from "./decoding.ts";
import { MESSAGE_CASES } from "./message_cases.ts";

type Body = readonly Uint8Array[];
interface Fault {
  readonly name: string;
  readonly type: keyof typeof MESSAGES;
  readonly body: Body;
  readonly code: ErrorName;
  /** The nearest body that must pass. */
  readonly twin: Body;
}

const ONE = fieldOf(1, [1]);
const RECORD = concat(fieldOf(1, "a"), fieldOf(2, [0]));

const FAULTS: readonly Fault[] = [
  {
    name: "an unknown field that it needs to know",
    type: "ping",
    body: [ONE, fieldOf(2, [])],
    code: "unsupported",
    twin: [ONE, fieldOf(0x80, [])],
  },
  {
    name: "the last field id that may not be skipped",
    type: "ping",
    body: [ONE, fieldOf(0x7f, [])],
    code: "unsupported",
    twin: [ONE, fieldOf(0xff, [])],
  },
  { name: "the field 0", type: "ping", body: [fieldOf(0, []), ONE], code: "unsupported", twin: [ONE] },
  { name: "a field twice", type: "ping", body: [ONE, ONE], code: "malformed", twin: [ONE] },
  {
    name: "an optional field twice",
    type: "done",
    body: [fieldOf(0x80, [1]), fieldOf(0x80, [1])],
    code: "malformed",
    twin: [fieldOf(0x80, [1])],
  },
  {
    name: "fields in the wrong order",
    type: "end",
    body: [fieldOf(2, [1]), ONE],
    code: "malformed",
    twin: [ONE, fieldOf(2, [1])],
  },
  {
    name: "a known field behind an unknown one",
    type: "ping",
    body: [fieldOf(0x80, []), ONE],
    code: "malformed",
    twin: [ONE, fieldOf(0x80, [])],
  },
  {
    name: "unknown fields in the wrong order",
    type: "ping",
    body: [ONE, fieldOf(0x91, []), fieldOf(0x90, [])],
    code: "malformed",
    twin: [ONE, fieldOf(0x90, []), fieldOf(0x91, [])],
  },
  { name: "no required field", type: "ping", body: [], code: "malformed", twin: [ONE] },
  { name: "one of two required fields", type: "end", body: [ONE], code: "malformed", twin: [ONE, fieldOf(2, [0])] },
  {
    name: "a field header that is cut off",
    type: "ping",
    body: [ONE, Uint8Array.of(0x80, 0)],
    code: "malformed",
    twin: [ONE, fieldOf(0x80, [])],
  },
  {
    name: "a field that is longer than its message",
    type: "ping",
    body: [Uint8Array.of(1, 0, 2, 1)],
    code: "malformed",
    twin: [Uint8Array.of(1, 0, 2, 1, 0)],
  },
  {
    name: "a field of 65,535 bytes that are not there",
    type: "stat",
    body: [Uint8Array.of(1, 255, 255, 97)],
    code: "malformed",
    twin: [fieldOf(1, "a")],
  },
  {
    name: "a record without its name",
    type: "entries",
    body: [fieldOf(1, fieldOf(2, [0]))],
    code: "malformed",
    twin: [fieldOf(1, RECORD)],
  },
  { name: "an empty record", type: "entries", body: [fieldOf(1, [])], code: "malformed", twin: [] },
  {
    name: "a record with a cut-off field",
    type: "entries",
    body: [fieldOf(1, RECORD.subarray(0, -1))],
    code: "malformed",
    twin: [fieldOf(1, RECORD)],
  },
  {
    name: "a record with fields in the wrong order",
    type: "entries",
    body: [fieldOf(1, concat(fieldOf(2, [0]), fieldOf(1, "a")))],
    code: "malformed",
    twin: [fieldOf(1, RECORD)],
  },
  {
    name: "a record with a field that it needs to know",
    type: "entries",
    body: [fieldOf(1, concat(RECORD, fieldOf(6, [])))],
    code: "unsupported",
    twin: [fieldOf(1, concat(RECORD, fieldOf(0x81, [])))],
  },
  {
    name: "a bad record behind a good one",
    type: "entries",
    body: [fieldOf(1, RECORD), fieldOf(1, fieldOf(1, "a"))],
    code: "malformed",
    twin: [fieldOf(1, RECORD), fieldOf(1, RECORD)],
  },
  {
    name: "a field in a message without fields",
    type: "cancel",
    body: [ONE],
    code: "unsupported",
    twin: [fieldOf(0x80, [1])],
  },
  {
    name: "left-over bytes in a message without fields",
    type: "cancel",
    body: [Uint8Array.of(0)],
    code: "malformed",
    twin: [],
  },
];

for (const { name, type, body, code, twin } of FAULTS) {
  Deno.test(`decoder refuses ${name} as "${code}"`, () => {
    const wrong = decode(frameOf(MESSAGES[type].type, concat(...body)));
    assertEquals({ messages: wrong.messages, code: wrong.error?.code }, { messages: [], code });
    const right = decode(frameOf(MESSAGES[type].type, concat(...twin)));
    assertEquals(right.error, undefined, "the twin must pass");
    assertEquals(right.messages.map((message) => message.type), [type]);
  });
}

Deno.test("data without a byte is malformed, data of one byte is not", () => {
  assertEquals(decode(frameOf(DATA_TYPE, new Uint8Array())).error?.code, "malformed");
  assertEquals(decode(frameOf(DATA_TYPE, Uint8Array.of(0))).error, undefined);
});

Deno.test("every message passes over unknown optional fields behind its own", () => {
  for (const { name, message } of MESSAGE_CASES) {
    if (message.type === "data") continue;
    const body = encode(message).slice(5, -4);
    const unknown = concat(fieldOf(0xf0, [1, 2, 3]), fieldOf(0xf0, []), fieldOf(0xff, "later"));
    const frame = frameOf(MESSAGES[message.type].type, concat(body, unknown));
    assertEquals(decode(frame).messages, [message], name);
  }
});

Deno.test("every message refuses an unknown field that it needs to know, and left-over bytes", () => {
  for (const [type, declaration] of Object.entries(MESSAGES as Record<string, Declaration>)) {
    const unknown = frameOf(declaration.type, fieldOf(0x7f, []));
    assertEquals(decode(unknown).error?.code, "unsupported", type);
    assertEquals(decode(frameOf(declaration.type, Uint8Array.of(0x7f, 0))).error?.code, "malformed", type);
  }
});

Deno.test("every message without one of its required fields is refused", () => {
  for (const { name, message } of MESSAGE_CASES) {
    if (message.type === "data") continue;
    const { type, fields }: Declaration = MESSAGES[message.type];
    const body = encode(message).slice(5, -4);
    for (const { id, presence } of Object.values(fields)) {
      if (presence !== "required") continue;
      const { error } = decode(frameOf(type, withoutField(body, id)));
      assertEquals(error?.code, "malformed", `${name} without field ${id}`);
    }
  }
});

function withoutField(body: Uint8Array, id: number): Uint8Array {
  const kept: Uint8Array[] = [];
  for (let at = 0; at < body.length;) {
    const next = at + 3 + (body[at + 1]! << 8 | body[at + 2]!);
    if (body[at] !== id) kept.push(body.subarray(at, next));
    at = next;
  }
  return concat(...kept);
}
