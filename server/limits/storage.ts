/**
 * How much room the shared directory takes: counted in the background at the start and now and then, and kept true in
 * between by what goes in and out through this server. Free space is asked for each time, but not for each of many
 * small files.
 *
 * What others do to the directory is seen by the next count. Until the first count is known nothing is refused for it.
 * What was stored while a count ran may be counted twice until the next one, and never not at all.
 */
import { AppError } from "../../protocol/errors.ts";
import { quoteName } from "../../protocol/escape.ts";
import type { FileTree, Room, Space, Usage } from "../../protocol/files/tree.ts";
import type { ServerLimits } from "../../protocol/limits.ts";
import { splitName } from "../../protocol/names.ts";

export type StorageLimits = Pick<
  ServerLimits,
  "rootBytesMax" | "rootFilesMax" | "keepFreeBytes" | "partialsMax" | "partialsPerAddressMax"
>;

const COUNT_EVERY_MS = 10 * 60_000;
/** A count that takes long is made so much less often: it takes a hundredth of the time. */
const PAUSE_FACTOR = 100;
/** After a refusal somebody may have made room by hand: then it is counted again, but no more often than this. */
const COUNT_AGAIN_MS = 5_000;
/** For so long a disk that was asked how much is free on it is not asked again: what we write meanwhile is taken off. */
const SPACE_KNOWN_MS = 100;
const KEEP_FREE_BYTES = 100_000_000;
const KEEP_FREE_SHARE = 0.01;

export class Storage implements AsyncDisposable {
  readonly limits: StorageLimits;
  readonly #tree: FileTree;
  readonly #now: () => number;
  readonly #ended = new AbortController();
  /** The last count, and what went in and out since; `undefined` until there is one. */
  #usage: Usage | undefined;
  /** What went in since the count under way began. */
  #added = { bytes: 0, files: 0, partials: 0 };
  #counting: Promise<void> | undefined;
  #countedAt = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The disk that was asked last, and what went in since. */
  #known: { readonly disk: number; readonly space: Space; readonly until: number; addedBytes: number } | undefined;

  constructor(tree: FileTree, limits: StorageLimits, now: () => number = () => performance.now()) {
    this.#now = now;
    this.#tree = tree;
    this.limits = limits;
  }

  /** Counts now, and now and then from here on. Dispose it to end that. */
  start(): void {
    if (!this.#tree.usage || this.#ended.signal.aborted) return;
    const begun = this.#now();
    void this.count().then(() => {
      const pauseMs = Math.max(COUNT_EVERY_MS, PAUSE_FACTOR * (this.#now() - begun));
      if (!this.#ended.signal.aborted) this.#timer = setTimeout(() => this.start(), pauseMs);
    });
  }

  /** What there is; `undefined` while it is not known. */
  get usage(): Usage | undefined {
    return this.#usage;
  }

  /** Counts anew, unless that is under way. */
  count(): Promise<void> {
    return this.#counting ??= this.#count().finally(() => this.#counting = undefined);
  }

  /** Throws `quota` or `too_many_files` if so much more does not fit, which `name` needs. */
  verifyRoom(name: string, { bytes = 0, files = 0 }: Partial<Usage>): void {
    const { rootBytesMax, rootFilesMax } = this.limits;
    if (!this.#usage) return;
    if (bytes > 0 && this.#usage.bytes + bytes > rootBytesMax) {
      this.#countSoon();
      throw new AppError("quota", `${cannot(name)}: all files together may have ${rootBytesMax} bytes`);
    }
    if (files > 0 && this.#usage.files + files > rootFilesMax) {
      this.#countSoon();
      throw new AppError("too_many_files", `${cannot(name)}: there may be ${rootFilesMax} files and directories`);
    }
  }

  /** Throws `no_space` if the disk would have less free than is to be kept; `disk`: which one that is, if it is known. */
  async verifySpace(name: string, bytes: number, disk?: number): Promise<void> {
    const fits = (space: Space) => space.freeBytes - bytes >= this.keepFreeBytes(space);
    const known = this.#spaceOf(disk);
    if (known && fits(known)) return;
    const space = await this.#askSpace(splitName(name).directory, disk);
    if (!space || fits(space)) return;
    const kept = `${this.keepFreeBytes(space)} bytes are kept free`;
    throw new AppError("no_space", `${cannot(name)}: No space left on the device, of which ${kept}`);
  }

  /**
   * Throws as `verifyRoom` and `verifySpace` do; where what is kept in the trash is in the way, that goes first. For what
   * would not fit even then nothing goes: else whoever may store a file could empty the trash of all others.
   */
  async verifyMakingRoom(
    name: string,
    needed: { readonly bytes: number; readonly files: number },
    disk?: number,
  ): Promise<void> {
    const verify = async () => {
      this.verifyRoom(name, needed);
      await this.verifySpace(name, needed.bytes, disk);
    };
    try {
      await verify();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const { bytes = Infinity } = await this.room(splitName(name).directory);
      if (needed.bytes > bytes || !await this.#emptyTrash()) throw error;
      await verify();
    }
  }

  /** The room on the disk of a directory; `undefined` when nobody knows. */
  space(directory: string): Space | undefined | Promise<Space | undefined> {
    return this.#tree.space?.(directory);
  }

  /**
   * How much more there may be: by the limits, as far as it is known what there is, and on the disk of a directory. What
   * is in the trash makes room when that is needed.
   */
  async room(directory: string): Promise<Room> {
    const { rootBytesMax, rootFilesMax } = this.limits;
    const space = await this.space(directory);
    const free = space ? space.freeBytes - this.keepFreeBytes(space) : Infinity;
    const bytes = Math.min(free, rootBytesMax - (this.#usage?.bytes ?? -Infinity));
    const files = Math.min(space?.freeNames ?? Infinity, rootFilesMax - (this.#usage?.files ?? -Infinity));
    return { bytes: known(bytes + await this.#removableBytes()), files: known(files) };
  }

  keepFreeBytes({ sizeBytes }: Space): number {
    const { keepFreeBytes } = this.limits;
    return keepFreeBytes === "auto"
      ? Math.min(KEEP_FREE_BYTES, Math.floor(sizeBytes * KEEP_FREE_SHARE))
      : keepFreeBytes;
  }

  /** So much came in, or went out. */
  changed({ bytes = 0, files = 0, partials = 0 }: Partial<Usage>): void {
    this.#added = {
      bytes: this.#added.bytes + Math.max(0, bytes),
      files: this.#added.files + Math.max(0, files),
      partials: this.#added.partials + Math.max(0, partials),
    };
    if (this.#usage) this.#usage = sum(this.#usage, { bytes, files, partials });
    if (this.#known && bytes > 0) this.#known.addedBytes += bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    clearTimeout(this.#timer);
    await this.#counting;
  }

  async #count(): Promise<void> {
    this.#added = { bytes: 0, files: 0, partials: 0 };
    try {
      const usage = await this.#tree.usage!(this.#ended.signal);
      if (!this.#ended.signal.aborted) this.#usage = sum(usage, this.#added);
    } catch {
      // A tree that cannot be walked now can be later; until then the last count is the best that is known.
    }
    this.#countedAt = this.#now();
  }

  /** The space of the disk that was asked a moment ago. */
  #spaceOf(disk: number | undefined): Space | undefined {
    const known = this.#known;
    if (!known || known.disk !== disk || this.#now() >= known.until) return undefined;
    return { ...known.space, freeBytes: known.space.freeBytes - known.addedBytes };
  }

  async #askSpace(directory: string, disk: number | undefined): Promise<Space | undefined> {
    const space = await this.space(directory);
    const until = this.#now() + SPACE_KNOWN_MS;
    if (space && disk !== undefined) this.#known = { disk, space, until, addedBytes: 0 };
    return space;
  }

  async #removableBytes(): Promise<number> {
    try {
      return await this.#tree.trash?.removableBytes() ?? 0;
    } catch (error) {
      if (error instanceof AppError) return 0; // what cannot be looked at cannot be emptied
      throw error;
    }
  }

  /** Whether there was anything in it that could go. */
  async #emptyTrash(): Promise<boolean> {
    try {
      if (!await this.#tree.trash?.sweep({ all: true })) return false;
      this.#known = undefined;
    } catch (error) {
      if (error instanceof AppError) return false; // the first error is the one to tell
      throw error;
    }
    if (this.#tree.usage && this.#usage) await this.count();
    return true;
  }

  #countSoon(): void {
    if (this.#tree.usage && this.#now() - this.#countedAt >= COUNT_AGAIN_MS) void this.count();
  }
}

function known(left: number): number | undefined {
  return Number.isFinite(left) ? Math.max(0, left) : undefined;
}

function cannot(name: string): string {
  return `Cannot store ${quoteName(name)}`;
}

function sum(one: Usage, other: Usage): Usage {
  return {
    bytes: Math.max(0, one.bytes + other.bytes),
    files: Math.max(0, one.files + other.files),
    partials: Math.max(0, one.partials + other.partials),
  };
}
