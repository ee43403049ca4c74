/** Every message, to bytes and back, in every way in which its bytes may arrive. */
import { OPTIONAL_FROM } from "../../protocol/wire/fields.ts";
import { type FieldMessage, MESSAGES, roleOf } from "../../protocol/wire/messages/mod.ts";
import type { Declaration } from "../../protocol/wire/messages/declare.ts";
import { DATA_TYPE } from "../../protocol/wire/messages/transfer.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { concat, decode, encode, frameOf, randomChunks, singleBytes } from "./decoding.ts";
import { bytesOf, goldenMessages, readable, readGoldenMessages } from "./golden.ts";
import { MESSAGE_CASES } from "./message_cases.ts";
import { withSeed } from "../support/random.ts";

const declarations = Object.entries(MESSAGES as Record<string, Declaration>);

Deno.test("every message has a case with all of its fields, and one with those that must be there", () => {
  for (const [type, { fields }] of declarations) {
    const cases = MESSAGE_CASES.filter(({ message }) => message.type === type)
      .map(({ message }) => Object.keys(message as FieldMessage).filter((name) => name !== "type").sort().join());
    const names = Object.keys(fields);
    const needed = names.filter((name) => fields[name]!.presence !== "optional");
    assert(cases.includes(names.sort().join()), `no case of "${type}" has all of its fields`);
    assert(cases.includes(needed.sort().join()), `no case of "${type}" has its required fields only`);
  }
  assertEquals(MESSAGE_CASES.filter(({ message }) => message.type === "data").length, 2);
});

Deno.test("cases have names of their own", () => {
  assertEquals(new Set(MESSAGE_CASES.map(({ name }) => name)).size, MESSAGE_CASES.length);
});

Deno.test("message numbers are unique, fit into a byte, and none is that of data", () => {
  const numbers = declarations.map(([, { type }]) => type);
  assertEquals(new Set([...numbers, DATA_TYPE]).size, numbers.length + 1);
  assertEquals(numbers.filter((number) => !Number.isInteger(number) || number < 1 || number > 0xff), []);
});

Deno.test("field ids of a message are unique and stand in ascending order", () => {
  for (const [type, { fields }] of declarations) {
    const ids = Object.values(fields).map(({ id }) => id);
    assertEquals(ids, [...new Set(ids)].sort((a, b) => a - b), type);
  }
});

Deno.test("fields that may be skipped are never required", () => {
  const wrong = declarations.flatMap(([type, { fields }]) =>
    Object.entries(fields)
      .filter(([, { id, presence }]) => id >= OPTIONAL_FROM && presence === "required")
      .map(([name]) => `${type}.${name}`)
  );
  assertEquals(wrong, []);
});

Deno.test("data is part of an exchange, and requests are those that a client may send ahead", () => {
  const requests = declarations.map(([type]) => type as FieldMessage["type"]).filter((type) =>
    roleOf(type) === "request"
  );
  assertEquals(requests.sort(), [
    "add",
    "digest",
    "find",
    "get",
    "list",
    "mkdir",
    "move",
    "offer",
    "pull",
    "push",
    "remove",
    "stat",
    "status",
    "undo",
    "watch",
  ]);
  assertEquals(roleOf("data"), "part");
  assertEquals(roleOf("ping"), "anytime");
});

Deno.test("messages encode to their golden bytes", () => {
  assertEquals(goldenMessages(), readGoldenMessages(), "after a reviewed change of the format: deno task golden");
});

Deno.test("golden bytes decode to their messages", () => {
  const golden = readGoldenMessages();
  assertEquals(golden.length, MESSAGE_CASES.length);
  for (const { name, message, hex } of golden) {
    const { messages, error } = decode(bytesOf(hex));
    assertEquals(error, undefined, name);
    assertEquals(messages.map(readable), [message], name);
  }
});

for (const { name, message } of MESSAGE_CASES) {
  const frame = encode(message);

  Deno.test(`message "${name}" decodes whole, byte by byte, and with the next frame behind it`, () => {
    const whole = { messages: [message], skipped: 0, error: undefined, isInsideFrame: false };
    assertEquals(decode(frame), whole);
    assertEquals(decode(...singleBytes(frame)), whole);
    const next = encode({ type: "ping", id: 7 });
    const both = { ...whole, messages: [message, { type: "ping" as const, id: 7 }] };
    assertEquals(decode(concat(frame, next)), both);
    assertEquals(decode(...singleBytes(concat(frame, next))), both);
    for (let count = 1; count < next.length; count++) {
      assertEquals(decode(concat(frame, next.subarray(0, count))), { ...whole, isInsideFrame: true });
    }
  });

  Deno.test(`message "${name}" is no message yet when it is cut off anywhere`, () => {
    for (let count = 0; count < frame.length; count++) {
      const nothing = { messages: [], skipped: 0, error: undefined, isInsideFrame: count > 0 };
      assertEquals(decode(frame.subarray(0, count)), nothing, `${count} bytes`);
    }
  });

  Deno.test(`message "${name}" is found damaged when any one bit is flipped`, () => {
    for (let bit = 0; bit < frame.length * 8; bit++) {
      const wrong = frame.slice();
      wrong[bit >> 3]! ^= 1 << (bit & 7);
      const { messages, skipped, error } = decode(wrong);
      assertEquals(
        { messages, skipped, code: error?.code },
        { messages: [], skipped: 0, code: "damaged" },
        `bit ${bit}`,
      );
    }
  });
}

Deno.test("all messages in one stream decode in order, however it is cut", () =>
  withSeed((random) => {
    const stream = concat(...MESSAGE_CASES.map(({ message }) => encode(message)));
    const messages = MESSAGE_CASES.map(({ message }) => message);
    for (let run = 0; run < 50; run++) {
      const chunks = randomChunks(stream, random, 1 + random.below(200));
      assertEquals(decode(...chunks), { messages, skipped: 0, error: undefined, isInsideFrame: false });
    }
  }));

Deno.test("decoder skips every unknown message from 0x80 on and refuses every one below", () => {
  const known = new Set([DATA_TYPE, ...declarations.map(([, { type }]) => type)]);
  const ping = encode({ type: "ping", id: 1 });
  for (let type = 0; type <= 0xff; type++) {
    if (known.has(type)) continue;
    const { messages, skipped, error } = decode(concat(frameOf(type, Uint8Array.of(1, 2, 3)), ping));
    if (type >= 0x80) {
      assertEquals({ messages, skipped, error }, { messages: [{ type: "ping", id: 1 }], skipped: 1, error: undefined });
    } else assertEquals({ messages, code: error?.code }, { messages: [], code: "unsupported" }, `type ${type}`);
  }
});
