/** What both sides of a pre-flight agree on: what there can be where a tree goes, and what was found that cannot be. */
import { AppError } from "../errors.ts";
import type { Room } from "../files/tree.ts";
import type { NameRules } from "../name_rules.ts";
import type { MessageOf } from "../wire/messages/mod.ts";
import type { IfImpossible } from "../wire/messages/preflight.ts";

/** What a receiver announces of the place that a tree goes to. */
export interface Destination {
  readonly names: NameRules;
  /** The largest file; `undefined` where any is taken. */
  readonly fileBytesMax?: number | undefined;
  readonly room: Room;
}

/** What all that a sender has comes to. */
export interface TreeSum {
  readonly entries: number;
  readonly sizeBytes: number;
  /** The largest file. @default unknown */
  readonly largestBytes?: number;
}

/** How either side takes part in a pre-flight. */
export interface Preflight {
  readonly ifImpossible: IfImpossible;
  /** Told what was announced. */
  readonly onDestination?: ((destination: Destination) => void) | undefined;
  /** Throws what keeps the run from going on, given all that there is; nothing was changed yet. For who decides. */
  readonly verifySum?: ((sum: TreeSum) => void) | undefined;
  /** Nothing was found: from here on things are changed. */
  readonly onCleared?: (() => void) | undefined;
}

export function announcementOf({ names, fileBytesMax, room }: Destination): MessageOf<"room"> {
  return {
    type: "room",
    partBytesMax: names.partBytesMax,
    nameBytesMax: names.nameBytesMax,
    ignoresCase: names.ignoresCase,
    normalises: names.normalises,
    windows: names.isWindows,
    fileBytesMax: Number.isFinite(fileBytesMax) ? fileBytesMax : undefined,
    bytesLeft: room.bytes,
    filesLeft: room.files,
  };
}

export function destinationOf(message: MessageOf<"room">): Destination {
  const { partBytesMax, nameBytesMax, ignoresCase = false, normalises = false, windows = false } = message;
  return {
    names: { partBytesMax, nameBytesMax, ignoresCase, normalises, isWindows: windows },
    fileBytesMax: message.fileBytesMax,
    room: { bytes: message.bytesLeft, files: message.filesLeft },
  };
}

/** An entry that the receiver cannot have. */
export interface Finding {
  /** From the top of what is told. */
  readonly name: string;
  readonly error: AppError;
  /** The entry that it cannot be beside. */
  readonly beside?: string | undefined;
}

/** So many are named to a person. */
const NAMED_MAX = 100;

/** So many are kept, of which some may turn out to be left out by the other side. */
const KEPT_MAX = 1_000;

interface Mark {
  readonly kept: number;
  readonly more: number;
}

/** What was found so far; beyond a thousand, only how many there are. */
export class Findings {
  readonly kept: Finding[] = [];
  #more = 0;

  get count(): number {
    return this.kept.length + this.#more;
  }

  /** How many are not kept. */
  get more(): number {
    return this.#more;
  }

  add(finding: Finding): void {
    if (this.kept.length < KEPT_MAX) this.kept.push(finding);
    else this.#more++;
  }

  addUnnamed(count: number): void {
    this.#more += count;
  }

  /** How far it is, for `cutTo`. */
  mark(): Mark {
    return { kept: this.kept.length, more: this.#more };
  }

  /** Forgets what came behind `mark`. */
  cutTo({ kept, more }: Mark): void {
    this.kept.length = kept;
    this.#more = more;
  }

  /** Throws if there are any, naming the first of them to `onFailed`. */
  verifyNone(onFailed: ((name: string, error: AppError) => void) | undefined): void {
    const [first] = this.kept;
    if (this.count === 0) return;
    const named = this.kept.slice(0, NAMED_MAX);
    for (const { name, error } of named) onFailed?.(name, error);
    const more = this.count - named.length;
    const rest = more > 0 ? `, and ${more.toLocaleString("en-US")} more,` : "";
    const these = named.length === 1 ? "that one" : `these ${named.length}`;
    throw new AppError(first?.error.code ?? "bad_name", `Nothing is done: ${these}${rest} cannot be stored there`, {
      advice: "Say --if-impossible skip to leave out what cannot be stored, and do the rest",
    });
  }
}
