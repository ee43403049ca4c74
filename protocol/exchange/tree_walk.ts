/**
 * The sender's walk of its tree, as it is told: directory by directory, each with its entries sorted, then what is below
 * its directories in their order. Streams: no more is held than one directory and those that are still to be walked.
 */
import type { Awaitable } from "../awaitable.ts";
import { AppError } from "../errors.ts";
import { quoteName } from "../escape.ts";
import type { FileTree, Folder, FolderEntry } from "../files/tree.ts";
import { BLOCK_DIGEST_BYTES, TREE_MESSAGE_BYTES_MAX } from "../limits.ts";
import { nameFault, targetFault } from "../names.ts";
import { packedBytes, type ToldEntry } from "../wire/entry_batch.ts";
import { digestOf } from "./tree_digests.ts";

/** A directory that is to be walked. */
export interface TreeDirectory {
  /** From the top of what is told. */
  readonly name: string;
  /** Where it is, and its entry there; absent for the top. */
  readonly parent?: { readonly folder: Folder; readonly entry: FolderEntry } | undefined;
  /** The receiver does not want to hear of it. */
  isPassed: boolean;
}

/** An entry that was told, and where to find it again. */
export interface Told {
  readonly folder: Folder;
  /** From the top of what is told. */
  readonly name: string;
  readonly entry: FolderEntry;
  readonly directory: TreeDirectory | undefined;
}

/** Why an entry is not sent, and beside which other one it cannot be. */
export interface Refused {
  readonly error: AppError;
  readonly beside?: string | undefined;
}

/** Entries of one directory, which go into one message. */
export interface WalkBatch {
  readonly directory: TreeDirectory;
  /** Where it is; absent where nothing was found. */
  readonly folder?: Folder | undefined;
  /** What was found in it. */
  readonly found: readonly FolderEntry[];
  /** As it is told. */
  readonly entries: readonly ToldEntry[];
  /** The directories among them. */
  readonly children: readonly TreeDirectory[];
  /** How much they take in the message, at most. */
  readonly bytes: number;
  readonly isLast: boolean;
  readonly isUnknown: boolean;
  /** Why the directory could not be listed. */
  readonly error?: AppError | undefined;
}

export interface WalkOptions {
  /** Which names are left out, as if they were not there. */
  readonly excludes?: ((name: string, isDirectory: boolean) => boolean) | undefined;
  /** Why something may not be told; it is said, and left out. */
  readonly refuses?: ((action: "list" | "read", name: string) => AppError | undefined) | undefined;
  readonly hasDigests?: boolean | undefined;
  /** Why the receiver cannot have an entry of that whole name. */
  readonly refusesEntry?:
    | ((directory: TreeDirectory, name: string, entry: FolderEntry) => Refused | undefined)
    | undefined;
  /** Told of what cannot be sent: because nobody could, as with a pipe, or because of its name (and that `beside` it). */
  readonly onLeftOut?: ((name: string, error: AppError, beside?: string) => void) | undefined;
}

/** What a message has besides its entries. */
const MESSAGE_FACTS_BYTES = 64;

/** The entry at `index` of a batch. Made when it is wanted: a walk hardly takes longer than to make one for each. */
export function toldAt({ directory, folder, found, children }: WalkBatch, index: number): Told {
  const entry = found[index]!;
  const name = joinNames(directory.name, entry.name);
  return { folder: folder!, name, entry, directory: children.find(({ parent }) => parent!.entry === entry) };
}

/** A walk of what is below the directory `top` of `tree`. Throws what keeps `top` itself from being listed. */
export class TreeWalk {
  readonly #tree: FileTree;
  readonly #top: string;
  readonly #options: WalkOptions;
  /** Directories that are still to be walked, the next one at the end. */
  readonly #pending: TreeDirectory[];
  /** The one that is being walked. */
  #current: TreeDirectory | undefined;
  readonly #batches: AsyncGenerator<WalkBatch>;

  constructor(tree: FileTree, top: string, options: WalkOptions, pending: TreeDirectory[] = [TOP]) {
    this.#tree = tree;
    this.#top = top;
    this.#options = options;
    this.#pending = pending.map((directory) => ({ ...directory }));
    this.#batches = this.#walk();
  }

  /** What goes into the next message; `undefined` behind the last. */
  async next(): Promise<WalkBatch | undefined> {
    const { done, value } = await this.#batches.next();
    return done ? undefined : value;
  }

  /** Another walk of what is left, from the beginning of the directory that is being walked. */
  fork(options: WalkOptions): TreeWalk {
    const left = this.#current ? [...this.#pending, this.#current] : this.#pending;
    return new TreeWalk(this.#tree, this.#top, options, left);
  }

  async *#walk(): AsyncGenerator<WalkBatch> {
    for (let directory = this.#pending.pop(); directory; directory = this.#pending.pop()) {
      this.#current = directory;
      const children: TreeDirectory[] = [];
      let last: WalkBatch = nothingOf(directory);
      let failure: AppError | undefined;
      try {
        if (!directory.isPassed) {
          for await (const batch of walkDirectory(this.#tree, this.#top, directory, this.#options)) {
            children.push(...batch.children);
            if (last.found.length > 0) yield last;
            last = batch;
          }
        }
      } catch (error) {
        if (!(error instanceof AppError) || directory.name === "") throw error;
        failure = error;
      }
      this.#current = undefined;
      for (let child = children.pop(); child; child = children.pop()) this.#pending.push(child);
      yield { ...last, isLast: true, isUnknown: directory.isPassed || failure !== undefined, error: failure };
    }
  }
}

const TOP: TreeDirectory = { name: "", isPassed: false };

function nothingOf(directory: TreeDirectory): WalkBatch {
  return { directory, found: [], entries: [], children: [], bytes: 0, isLast: true, isUnknown: false };
}

async function* walkDirectory(
  tree: FileTree,
  top: string,
  directory: TreeDirectory,
  options: WalkOptions,
): AsyncGenerator<WalkBatch> {
  const whole = joinNames(top, directory.name);
  const refusal = options.refuses?.("list", whole);
  if (refusal) throw refusal;
  const { parent } = directory;
  const folder = await (parent ? parent.folder.folder(parent.entry.name, parent.entry) : tree.folder(whole));
  for await (const { entries, unusable } of folder.scan()) {
    for (const base of unusable) {
      const name = joinNames(directory.name, base);
      options.onLeftOut?.(name, new AppError("bad_name", `Cannot send ${quoteName(name)}: ${nameFault(base)}`));
    }
    let batch = batchOf(directory, folder);
    for (const entry of entries) {
      const name = joinNames(directory.name, entry.name);
      if (options.excludes?.(name, entry.kind === "directory")) continue;
      const telling = entryToTell(folder, directory, name, entry, options);
      const toldEntry = telling instanceof Promise ? await telling : telling;
      const bytes = packedBytes(toldEntry);
      if (MESSAGE_FACTS_BYTES + batch.bytes + bytes > TREE_MESSAGE_BYTES_MAX) {
        yield batch;
        batch = batchOf(directory, folder);
      }
      batch.bytes += bytes;
      batch.found.push(entry);
      batch.entries.push(toldEntry);
      if (toldEntry.kind === "directory") batch.children.push({ name, parent: { folder, entry }, isPassed: false });
    }
    if (batch.entries.length > 0) yield batch;
  }
}

function batchOf(directory: TreeDirectory, folder: Folder) {
  const found: FolderEntry[] = [];
  const entries: ToldEntry[] = [];
  const children: TreeDirectory[] = [];
  return { directory, folder, found, entries, children, bytes: 0, isLast: false, isUnknown: false };
}

/** What cannot be sent is told as something else than it is, so that the receiver leaves alone what has its name. */
function entryToTell(
  folder: Folder,
  directory: TreeDirectory,
  name: string,
  entry: FolderEntry,
  options: WalkOptions,
): Awaitable<ToldEntry> {
  const fault = faultOf(directory, name, entry);
  const refused = fault ? { error: fault } : options.refusesEntry?.(directory, name, entry);
  if (refused) {
    options.onLeftOut?.(name, refused.error, refused.beside);
    return { ...entry, kind: "other" };
  }
  return options.hasDigests && entry.kind === "file" ? withDigest(folder, entry) : entry;
}

async function withDigest(folder: Folder, entry: FolderEntry): Promise<ToldEntry> {
  return { ...entry, digest: await digestOf(folder, entry.name) ?? new Uint8Array(BLOCK_DIGEST_BYTES) };
}

function faultOf(directory: TreeDirectory, name: string, { kind, target }: FolderEntry): AppError | undefined {
  if (kind === "other") {
    return new AppError("not_a_file", `${quoteName(name)} is left out: it is no regular file, directory or link`);
  }
  const fault = kind === "link" ? targetFault(directory.name, target ?? "") : undefined;
  if (fault) {
    const where = `it is a link to ${quoteName(target ?? "")}`;
    return new AppError("outside", `${quoteName(name)} is left out: ${where}, and ${fault}`);
  }
  if (name.length < NAME_LENGTH_SAFE) return;
  const tooLong = nameFault(name);
  return tooLong ? new AppError("bad_name", `Cannot send ${quoteName(name)}: ${tooLong}`) : undefined;
}

/** Names shorter than this are not too long, and have not too many parts, whatever they consist of. */
export const NAME_LENGTH_SAFE = 250;

/** `name` below the directory `top`; "" stands for no directory. */
export function joinNames(top: string, name: string): string {
  return top === "" ? name : name === "" ? top : `${top}/${name}`;
}
