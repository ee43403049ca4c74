/**
 * Which names there can be in one place, beside what `names.ts` rules for all of them: what a system takes, and which
 * names are the same to it. Pure text; who finds out is `files/name_probe.ts`.
 */
import { NAME_BYTES_MAX, NAME_PART_BYTES_MAX } from "./limits.ts";

export interface NameRules {
  /** Names that differ in case only are the same. */
  readonly ignoresCase: boolean;
  /** Names that differ in their Unicode normalisation only are the same. */
  readonly normalises: boolean;
  /** Windows: no name has one of `< > : " | ? *`. The rule for all names refuses the rest of what it does not take. */
  readonly isWindows: boolean;
  /** The longest part of a name, and the longest name from there, in bytes of UTF-8. */
  readonly partBytesMax: number;
  readonly nameBytesMax: number;
}

/** Those of a place that takes every name. */
export const ANY_NAMES: NameRules = {
  ignoresCase: false,
  normalises: false,
  isWindows: false,
  partBytesMax: NAME_PART_BYTES_MAX,
  nameBytesMax: NAME_BYTES_MAX,
};

const NOT_ON_WINDOWS = /[<>:"|?*]/;
const encoder = new TextEncoder();

/** Why there cannot be the name `whole`, whose last part is `base`, as the end of a sentence; `undefined` if there can. */
export function foreignFault(whole: string, base: string, rules: NameRules): string | undefined {
  if (rules.isWindows && NOT_ON_WINDOWS.test(base)) return 'Windows takes no name with one of < > : " | ? *';
  // No letter has more than three bytes for each of its code units.
  const { partBytesMax, nameBytesMax } = rules;
  if (3 * base.length > partBytesMax && encoder.encode(base).length > partBytesMax) {
    return `no part of a name may be longer than ${partBytesMax} bytes`;
  }
  if (3 * whole.length > nameBytesMax && encoder.encode(whole).length > nameBytesMax) {
    return `no name may be longer than ${nameBytesMax} bytes`;
  }
}

/** Whether two names can be the same although they differ. */
export function confusesNames({ ignoresCase, normalises }: NameRules): boolean {
  return ignoresCase || normalises;
}

// deno-lint-ignore no-control-regex -- all of ASCII is meant
const ASCII = /^[\u0000-\u007f]*$/;

/** What all names have in common that are the same there. */
export function foldName(name: string, { ignoresCase }: NameRules): string {
  if (ASCII.test(name)) return ignoresCase ? name.toLowerCase() : name;
  const composed = name.normalize("NFC");
  return ignoresCase ? [...composed].map(foldLetter).join("").normalize("NFC") : composed;
}

/** Letter by letter, as file systems do it: a letter that has no single other one stays, as "ß" does. */
function foldLetter(letter: string): string {
  const upper = single(letter.toUpperCase(), letter);
  return single(upper.toLowerCase(), upper);
}

function single(letters: string, otherwise: string): string {
  return letters.length === String.fromCodePoint(letters.codePointAt(0)!).length ? letters : otherwise;
}
