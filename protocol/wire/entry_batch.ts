/**
 * How the entries of a `listed` message are packed: columns, since a tree may have a million of them and records of
 * fields would take several times as long. Pure.
 *
 *     facts: kind (4 bits) and mode (12) | size (7 bytes) | time in ms (7 bytes)        all big-endian
 */
import { AppError } from "../errors.ts";

/** What an entry of a tree is; on the wire its index. A link is told as a link, and `other` is never sent. */
export const TOLD_KINDS = ["file", "directory", "other", "link"] as const;
export type ToldKind = typeof TOLD_KINDS[number];

/** One entry as the sender tells it. */
export interface ToldEntry {
  /** The last part of the name. */
  readonly name: string;
  readonly kind: ToldKind;
  readonly sizeBytes: number;
  /** Milliseconds since 1970. */
  readonly mtimeMs: number;
  /** Unix permission bits, 0o777 at most. */
  readonly mode: number;
  /** Where a link points. */
  readonly target?: string | undefined;
  /** Of a file, when digests are wanted: 16 bytes. */
  readonly digest?: Uint8Array | undefined;
}

/** The columns, as they stand in the message. */
export interface EntryColumns {
  readonly names: string;
  readonly facts: Uint8Array;
  readonly targets?: string | undefined;
  readonly digests?: Uint8Array | undefined;
}

const FACTS_BYTES = 16;
const DIGEST_BYTES = 16;
const NUMBER_MAX = Number.MAX_SAFE_INTEGER;

/** How many bytes `entry` takes in a message, at most. */
export function packedBytes({ name, target, digest }: ToldEntry): number {
  return FACTS_BYTES + 3 * name.length + 1 + (target === undefined ? 0 : 3 * target.length + 1) + (digest?.length ?? 0);
}

export function packEntries(entries: readonly ToldEntry[]): EntryColumns {
  const facts = new Uint8Array(entries.length * FACTS_BYTES);
  const targets: string[] = [];
  const digests: Uint8Array[] = [];
  let names = "";
  let at = 0;
  for (const entry of entries) {
    names += at === 0 ? entry.name : `/${entry.name}`;
    const { kind, mode, target, digest } = entry;
    const word = TOLD_KINDS.indexOf(kind) << 12 | mode & 0o777;
    facts[at] = word >> 8;
    facts[at + 1] = word & 255;
    writeNumber(facts, at + 2, entry.sizeBytes);
    writeNumber(facts, at + 9, entry.mtimeMs);
    if (kind === "link") targets.push(target ?? "");
    if (digest) digests.push(digest);
    at += FACTS_BYTES;
  }
  return {
    names,
    facts,
    ...(targets.length > 0 ? { targets: targets.join("\0") } : {}),
    ...(digests.length > 0 ? { digests: joined(digests) } : {}),
  };
}

/** The entries in their order; their names are not checked. Throws `malformed`. */
export function unpackEntries({ names, facts, targets, digests }: EntryColumns): ToldEntry[] {
  if (facts.length === 0) return [];
  const parts = names.split("/");
  if (facts.length !== parts.length * FACTS_BYTES) throw malformed(`${parts.length} names and ${facts.length} bytes`);
  const links = targets?.split("\0") ?? [];
  let link = 0;
  let digest = 0;
  const entries = parts.map((name, index): ToldEntry => {
    const at = index * FACTS_BYTES;
    const kind = TOLD_KINDS[facts[at]! >> 4] ?? "other";
    const mode = (facts[at]! << 8 | facts[at + 1]!) & 0o777;
    const plain = { name, kind, sizeBytes: readNumber(facts, at + 2), mtimeMs: readNumber(facts, at + 9), mode };
    if (kind === "link") return { ...plain, target: links[link++] };
    if (kind !== "file" || digests === undefined) return plain;
    return { ...plain, digest: digests.subarray(digest++ * DIGEST_BYTES, digest * DIGEST_BYTES) };
  });
  if (link !== links.length) throw malformed(`${link} links and ${links.length} targets`);
  if (digests && digests.length !== digest * DIGEST_BYTES) throw malformed(`${digest} files and other digests`);
  return entries;
}

function writeNumber(into: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / 2 ** 32);
  into[at] = high >> 16;
  into[at + 1] = high >> 8 & 255;
  into[at + 2] = high & 255;
  into[at + 3] = value >>> 24;
  into[at + 4] = value >>> 16 & 255;
  into[at + 5] = value >>> 8 & 255;
  into[at + 6] = value & 255;
}

function readNumber(from: Uint8Array, at: number): number {
  const high = from[at]! << 16 | from[at + 1]! << 8 | from[at + 2]!;
  const low = (from[at + 3]! << 24 | from[at + 4]! << 16 | from[at + 5]! << 8 | from[at + 6]!) >>> 0;
  const value = high * 2 ** 32 + low;
  if (value > NUMBER_MAX) throw malformed("a number above 2^53 - 1");
  return value;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.length * DIGEST_BYTES);
  pieces.forEach((piece, index) => all.set(piece, index * DIGEST_BYTES));
  return all;
}

function malformed(what: string): AppError {
  return new AppError("malformed", `Cannot decode a message: entries with ${what}`);
}
