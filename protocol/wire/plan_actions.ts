/**
 * How the actions of a `plan` are packed, and lists of indices: each number as its distance from the one before it, in
 * groups of seven bits, the lowest first, with the eighth bit set in all but the last; behind it the action. Pure.
 */
import { AppError } from "../errors.ts";
import { ByteWriter } from "./fields.ts";

/** What a receiver does about an entry; on the wire its index. Entries without one are as they should be. */
export const ACTIONS = [
  "create",
  "replace",
  "make",
  "link",
  "adjust",
  "skip",
  "pass",
  "later",
  "move",
] as const;
export type PlannedAction = typeof ACTIONS[number];

/** An entry by its number, and what is done about it. */
export interface Planned {
  readonly number: number;
  readonly action: PlannedAction;
  /** For `move`: which name the file had, from the top of what is told. */
  readonly from?: string | undefined;
  /** For `create`: the receiver holds nothing of it, so its data may follow the offer at once, however large it is. */
  readonly isFresh?: boolean | undefined;
}

/** The columns of a plan, as they stand in the message. */
export interface PlanColumns {
  readonly actions?: Uint8Array | undefined;
  /** Of the moves among them, with a NUL between them. */
  readonly sources?: string | undefined;
  /** The numbers of those that are fresh. */
  readonly fresh?: Uint8Array | undefined;
}

/** The numbers must ascend. */
export function packPlan(planned: readonly Planned[]): PlanColumns {
  if (planned.length === 0) return {};
  const sources = planned.flatMap(({ from }) => from ?? []);
  const fresh = planned.filter(({ isFresh }) => isFresh).map(({ number }) => number);
  return {
    actions: packActions(planned),
    ...(sources.length > 0 ? { sources: sources.join("\0") } : {}),
    ...(fresh.length > 0 ? { fresh: packIndices(fresh) } : {}),
  };
}

/** Throws `malformed`, also for another number of sources than of moves, and `unsupported`. */
export function unpackPlan({ actions, sources, fresh }: PlanColumns): Planned[] {
  const planned = actions ? unpackActions(actions) : [];
  if (fresh) markFresh(planned, new Set(unpackIndices(fresh)));
  const names = sources?.split("\0") ?? [];
  let at = 0;
  const whole = planned.map((one) => one.action === "move" ? { ...one, from: names[at++] } : one);
  if (at !== names.length) throw malformed(`a plan with ${at} moves and ${names.length} sources`);
  return whole;
}

function markFresh(planned: Planned[], fresh: ReadonlySet<number>): void {
  planned.forEach((one, index) => {
    if (fresh.has(one.number)) planned[index] = { ...one, isFresh: true };
  });
}

/** The numbers must ascend. */
export function packActions(planned: readonly Planned[]): Uint8Array {
  const writer = new ByteWriter();
  let before = 0;
  for (const { number, action } of planned) {
    writeDistance(writer, number - before);
    writeByte(writer, ACTIONS.indexOf(action));
    before = number;
  }
  return writer.written();
}

/** Throws `malformed`, and `unsupported` for an action that is not known. */
export function unpackActions(bytes: Uint8Array): Planned[] {
  const planned: Planned[] = [];
  let number = 0;
  for (let at = 0; at < bytes.length;) {
    const { distance, next } = readDistance(bytes, at);
    number += distance;
    if (next >= bytes.length) throw malformed("a plan that is cut off");
    const action = ACTIONS[bytes[next]!];
    if (!action) throw new AppError("unsupported", `Cannot take a plan with the action ${bytes[next]}`);
    planned.push({ number, action });
    at = next + 1;
  }
  return planned;
}

export function packIndices(indices: readonly number[]): Uint8Array {
  const writer = new ByteWriter();
  indices.forEach((index, at) => writeDistance(writer, index - (indices[at - 1] ?? 0)));
  return writer.written();
}

/** Throws `malformed`. */
export function unpackIndices(bytes: Uint8Array): number[] {
  const indices: number[] = [];
  let index = 0;
  for (let at = 0; at < bytes.length;) {
    const { distance, next } = readDistance(bytes, at);
    indices.push(index += distance);
    at = next;
  }
  return indices;
}

function writeDistance(writer: ByteWriter, distance: number): void {
  let rest = distance;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) writeByte(writer, rest % 0x80 | 0x80);
  writeByte(writer, rest);
}

function writeByte(writer: ByteWriter, byte: number): void {
  const at = writer.reserve(1); // before `bytes` is looked at, which may be another buffer afterwards
  writer.bytes[at] = byte;
}

function readDistance(bytes: Uint8Array, start: number): { distance: number; next: number } {
  let distance = 0;
  for (let at = start, factor = 1; at < bytes.length && factor <= 0x80 ** 6; at++, factor *= 0x80) {
    distance += bytes[at]! % 0x80 * factor;
    if (bytes[at]! < 0x80) return { distance, next: at + 1 };
  }
  throw malformed("a number that is cut off");
}

function malformed(what: string): AppError {
  return new AppError("malformed", `Cannot decode a message: ${what}`);
}
