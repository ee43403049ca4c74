/**
 * Recorded sessions: who said what, in units that belong together (an opening line, a frame, or what came in one piece).
 * `deno task record` writes them to `fixtures/sessions/`, from our own client and a real server over TCP.
 */
import type { Side } from "../exchange/transcript.ts";
import { encode } from "../wire/decoding.ts";
import { type Bytes, isFrame } from "./mutations.ts";

export interface Unit {
  readonly side: Side;
  readonly bytes: Bytes;
}

const FOLDER = new URL("../../fixtures/sessions/", import.meta.url);
const LINE_FEED = 10;
const HEADER_BYTES = 5;
const OVERHEAD = 9;
const HELLO_TYPE = 1;

/** Puts the bytes of each side together and takes them apart again, where a unit is whole. */
export class Recorder {
  readonly units: Unit[] = [];
  readonly #isOurs: boolean;
  readonly #rest: Record<Side, number[]> = { client: [], server: [] };
  readonly #hasOpened: Record<Side, boolean> = { client: false, server: false };

  /** In our own format units are lines and frames; else what came together, and what follows it from the same side. */
  constructor(isOurs: boolean) {
    this.#isOurs = isOurs;
  }

  heard(side: Side, bytes: Uint8Array): void {
    if (!this.#isOurs) return this.#append(side, bytes);
    const rest = this.#rest[side];
    rest.push(...bytes);
    for (let length = this.#unitLength(side); length <= rest.length; length = this.#unitLength(side)) {
      this.units.push({ side, bytes: Uint8Array.from(rest.splice(0, length)) });
      this.#hasOpened[side] = true;
    }
  }

  #unitLength(side: Side): number {
    const rest = this.#rest[side];
    if (!this.#hasOpened[side]) return (rest.indexOf(LINE_FEED) + 1) || Infinity;
    return rest.length < HEADER_BYTES ? Infinity : OVERHEAD + (rest[0]! << 16 | rest[1]! << 8 | rest[2]!);
  }

  #append(side: Side, bytes: Uint8Array): void {
    const last = this.units.at(-1);
    if (last?.side !== side) this.units.push({ side, bytes: bytes.slice() });
    else this.units.splice(-1, 1, { side, bytes: Uint8Array.of(...last.bytes, ...bytes) });
  }
}

export function formatUnits(units: readonly Unit[]): string {
  return units.map(({ side, bytes }) => `${side} ${bytes.toHex()}\n`).join("");
}

export function writeSession(name: string, units: readonly Unit[]): void {
  Deno.writeTextFileSync(new URL(`${name}.txt`, FOLDER), formatUnits(units));
}

export function readSession(name: string): Unit[] {
  return Deno.readTextFileSync(new URL(`${name}.txt`, FOLDER)).trimEnd().split("\n").map((line) => {
    const [side, hex] = line.split(" ");
    return { side: side as Side, bytes: Uint8Array.fromHex(hex!) };
  });
}

export function sessionNames(): string[] {
  return Array.from(Deno.readDirSync(FOLDER), ({ name }) => name).filter((name) => name.endsWith(".txt"))
    .map((name) => name.slice(0, -4)).sort();
}

/** The same with the `hello` that belongs to the opening line of another server: else that is all it would answer to. */
export function greeted(units: readonly Unit[], received: string): Unit[] {
  const sent = new TextDecoder().decode(units[0]!.bytes).trimEnd();
  return units.map((unit) => {
    const isHello = unit.side === "client" && isFrame(unit.bytes) && unit.bytes[3] === HELLO_TYPE;
    return isHello ? { ...unit, bytes: encode({ type: "hello", sent, received }) } : unit;
  });
}
