/**
 * All messages of version 1, and their codec.
 *
 * To add one: declare it in the file of its family with a free number, describe it in `protocol/README.md` (a test
 * compares the tables), add a row to `tests/wire/message_cases.ts`, and run `deno task golden`.
 * Numbers set aside for later: 0x26 set times, 0x27 symbolic link, 0x33-0x3f records.
 */
import { AppError } from "../../errors.ts";
import type { Crc32 } from "../crc32.ts";
import { type ByteWriter, decodeFields, encodeFields, OPTIONAL_FROM, type ValuesOf } from "../fields.ts";
import { appendFrame, type Frame } from "../frame.ts";
import type { Declaration, Role } from "./declare.ts";
import { PREFLIGHT_MESSAGES } from "./preflight.ts";
import { RECORD_MESSAGES } from "./records.ts";
import { SESSION_MESSAGES } from "./session.ts";
import { STATUS_MESSAGES } from "./status.ts";
import { SYNC_MESSAGES } from "./sync.ts";
import { DATA_TYPE, TRANSFER_MESSAGES } from "./transfer.ts";
import { TREE_MESSAGES } from "./tree.ts";

export const MESSAGES = {
  ...SESSION_MESSAGES,
  ...STATUS_MESSAGES,
  ...TRANSFER_MESSAGES,
  ...TREE_MESSAGES,
  ...RECORD_MESSAGES,
  ...SYNC_MESSAGES,
  ...PREFLIGHT_MESSAGES,
} as const;

type Messages = typeof MESSAGES;
export type MessageType = keyof Messages;

/** A message of one type (or of each of several): `type`, and its fields by name. */
export type MessageOf<T extends MessageType> = T extends MessageType
  ? { readonly type: T } & Readonly<ValuesOf<Messages[T]["fields"]>>
  : never;
/** File data; `bytes` is a view into the decoder's buffer, valid until the next message is asked for. */
export interface DataMessage {
  readonly type: "data";
  readonly bytes: Uint8Array;
}
/** Any message with fields. */
export type FieldMessage = MessageOf<MessageType>;
export type Message = FieldMessage | DataMessage;

/** The requests, by which a client opens an exchange. */
export type RequestType = { [T in MessageType]: Messages[T]["role"] extends "request" ? T : never }[MessageType];

const BY_NUMBER = new Map<number, MessageType>(
  (Object.keys(MESSAGES) as MessageType[]).map((type) => [MESSAGES[type].type, type]),
);

/** Appends `message` as one frame to `writer`. */
export function encodeMessage(message: FieldMessage, writer: ByteWriter, crc32: Crc32): void {
  const declaration: Declaration = MESSAGES[message.type];
  appendFrame(writer, declaration.type, () => encodeFields(declaration.fields, message as never, writer), crc32);
}

/**
 * The message in `frame`; `undefined` for one of an unknown type that may be skipped. Throws `malformed` and
 * `unsupported`. All values are copies, except the bytes of `data` and `file`.
 */
export function decodeMessage(frame: Frame): Message | undefined {
  if (frame.type === DATA_TYPE) return decodeData(frame.body);
  const type = BY_NUMBER.get(frame.type);
  // The declaration of any message: of all of them together the compiler makes too many kinds.
  if (type) return { type, ...decodeFields((MESSAGES[type] as Declaration).fields, frame.body) } as FieldMessage;
  if (frame.type < OPTIONAL_FROM) throw new AppError("unsupported", `Cannot take a message of type ${frame.type}`);
}

function decodeData(body: Uint8Array): DataMessage {
  if (body.length === 0) throw new AppError("malformed", "Cannot decode a message: data without a byte");
  return { type: "data", bytes: body };
}

/** Whether that message opens an exchange, belongs to one, or stands outside. */
export function roleOf(type: Message["type"]): Role {
  return type === "data" ? "part" : MESSAGES[type].role;
}
