/**
 * The one rule for names of files and directories, used on both sides for every request.
 *
 * A name is relative, UTF-8 in Unicode normalisation form C, its parts joined by "/". It is checked and never
 * repaired: what breaks the rule is refused with the reason. Pure text: what a name leads to on a disk is
 * `files/resolve.ts`'s business.
 */
import { AppError } from "./errors.ts";
import { quoteName } from "./escape.ts";
import { NAME_BYTES_MAX, NAME_PART_BYTES_MAX, NAME_PARTS_MAX } from "./limits.ts";

/** Files of our own (partials, their notes, the trash) begin with this, in any case; no request may name them. */
export const RESERVED_PREFIX = ".app-";

/** Windows takes these for devices in every directory, whatever ending, spaces or colon stand behind them. */
const DEVICE_NAME = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *([.:]|$)/i;
// deno-lint-ignore no-control-regex -- finding control characters is the point
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
/** Separators and marks that change how the rest of a line is shown; a name with them can pass for another. */
const INVISIBLE = /[\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/;

const encoder = new TextEncoder();

/** Whether `name` is one of our own files, which no request may name and no list may show. */
export function isReserved(part: string): boolean {
  return part.toLowerCase().startsWith(RESERVED_PREFIX);
}

/** Most parts of most names: what they may not be is looked for only in the others. */
const PLAIN_PART = /^(?!con|prn|aux|nul|com|lpt)\w[\w-]*(?:\.[\w-]+)*$/i;

/** Why `name` breaks the rule, as the end of a sentence that begins with the name; `undefined` if it does not. */
export function nameFault(name: string): string | undefined {
  if (name.length <= NAME_PART_BYTES_MAX && PLAIN_PART.test(name)) return;
  if (name === "") return "it is empty";
  if (!name.isWellFormed()) return "it is not valid Unicode";
  if (encoder.encode(name).length > NAME_BYTES_MAX) return `it is longer than ${NAME_BYTES_MAX} bytes`;
  if (CONTROL.test(name)) return "it has a control character";
  if (INVISIBLE.test(name)) return "it has an invisible character";
  if (name.includes("\\")) return "it has a backslash (use / between directories)";
  if (name.startsWith("/")) return "it is absolute";
  if (/^[a-z]:/i.test(name)) return "it begins with a drive letter";
  if (name !== name.normalize("NFC")) return "it is not in Unicode normalisation form C";
  const parts = name.split("/");
  if (parts.length > NAME_PARTS_MAX) return `it has more than ${NAME_PARTS_MAX} parts`;
  for (const part of parts) {
    const fault = partFault(part);
    if (fault) return fault;
  }
}

function partFault(part: string): string | undefined {
  if (part === "") return "it has an empty part";
  if (part === "." || part === "..") return `it has the part "${part}"`;
  if (encoder.encode(part).length > NAME_PART_BYTES_MAX) {
    return `it has a part longer than ${NAME_PART_BYTES_MAX} bytes`;
  }
  if (/[. ]$/.test(part)) return "it has a part that ends in a dot or a space";
  if (DEVICE_NAME.test(part)) return `it has a device name ("${part}")`;
  if (isReserved(part)) return `"${RESERVED_PREFIX}…" is reserved for unfinished transfers`;
}

/**
 * Why a link that stands in `directory` of a tree may not point to `target`, as the end of a sentence; `undefined` if it
 * may. It has to be relative, to go up before it goes down, and not out of the tree: then links that are on its way,
 * and keep the same rule, do not lead it out either.
 */
export function targetFault(directory: string, target: string): string | undefined {
  if (target.startsWith("/")) return "it is absolute";
  const parts = target.replace(/\/+$/, "").split("/").filter((part) => part !== ".");
  const down = parts.findIndex((part) => part !== "..");
  const ups = down < 0 ? parts.length : down;
  if (ups > (directory === "" ? 0 : directory.split("/").length)) return "it leads out";
  const rest = parts.slice(ups).join("/");
  return rest === "" && target !== "" ? undefined : nameFault(rest);
}

/** Throws `bad_name`, with the reason, unless `name` keeps the rule. */
export function validateName(name: string): void {
  const fault = nameFault(name);
  if (fault) throw new AppError("bad_name", `Cannot use the name ${quoteName(name)}: ${fault}`);
}

/** The same for a directory, where "" means the shared directory itself. */
export function validateDirectoryName(name: string): void {
  if (name !== "") validateName(name);
}

/** `photo.jpg` -> `photo (2).jpg`: the name to try as the `number`th, beside the taken one. */
export function numberedName(name: string, number: number): string {
  const start = name.lastIndexOf("/") + 1;
  const dot = name.lastIndexOf(".");
  const end = dot > start ? dot : name.length;
  return `${name.slice(0, end)} (${number})${name.slice(end)}`;
}

/** Sorts names in place by their code points, which is the order of their UTF-8 bytes. */
export function sortNames(names: string[]): string[] {
  // Code units are in the same order up to the surrogates, and the built-in sort is five times as fast.
  return names.some((name) => /[\ud800-\uffff]/.test(name)) ? names.sort(compareNames) : names.sort();
}

/** Compares two names by their code points, which is the order of their UTF-8 bytes: for `sort`. */
export function compareNames(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  for (let index = 0; index < end; index++) {
    const difference = codePointRank(a.charCodeAt(index)) - codePointRank(b.charCodeAt(index));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Code units of UTF-16 in the order of code points: surrogates stand for the highest ones. */
function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/** What stands before the last slash ("" at the top), and what behind it. */
export function splitName(name: string): { directory: string; base: string } {
  const slash = name.lastIndexOf("/");
  return { directory: slash < 0 ? "" : name.slice(0, slash), base: name.slice(slash + 1) };
}
