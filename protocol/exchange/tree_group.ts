/**
 * Small files that become visible together: all are written, each is flushed, then they get their names, then their
 * directories are flushed; what was told to be kept before that would not be.
 */
import { breathe } from "../breathe.ts";
import { AppError } from "../errors.ts";
import type { Folder, IfTaken, NewFile, Staged } from "../files/tree.ts";
import { BODY_BYTES_MAX } from "../limits.ts";

/** A larger group saves nothing any more. */
export const GROUP_FILES_MAX = 256;
export const GROUP_BYTES_MAX = 1_048_576;

/** So many are written or named without a breath. */
const AT_ONCE = 32;

export interface GroupedFile extends NewFile {
  readonly name: string;
  readonly folder: Folder;
  readonly ifTaken: IfTaken;
  readonly replacedBytes: number | undefined;
}

interface StagedFile {
  readonly file: GroupedFile;
  readonly staged: Staged;
}

const FLUSHES_AT_ONCE = 64;

type OnFailed = (name: string, error: AppError) => void;

export class FileGroup {
  readonly #isFlushed: boolean;
  #files: GroupedFile[] = [];
  #staged: StagedFile[] = [];
  /** Where the content of all of them is gathered. */
  #buffer: Uint8Array | undefined;
  #bytes = 0;
  readonly #dirty = new Set<Folder>();

  constructor(isFlushed: boolean) {
    this.#isFlushed = isFlushed;
  }

  get isFull(): boolean {
    return this.#files.length >= GROUP_FILES_MAX || this.#bytes >= GROUP_BYTES_MAX;
  }

  /** Copies the content. */
  add(file: GroupedFile): void {
    this.#buffer ??= new Uint8Array(GROUP_BYTES_MAX + BODY_BYTES_MAX);
    const bytes = this.#buffer.subarray(this.#bytes, this.#bytes += file.bytes.length);
    bytes.set(file.bytes);
    this.#files.push({ ...file, bytes });
  }

  /** The entries of `folder` have changed. */
  dirty(folder: Folder): void {
    if (this.#isFlushed) this.#dirty.add(folder);
  }

  /** Makes all of them visible and durable; tells which of them are. */
  async commit(onStored: (file: GroupedFile) => void, onFailed: OnFailed): Promise<void> {
    const files = this.#files;
    this.#files = [];
    this.#bytes = 0;
    for (const group of byFolder(files, ({ folder }) => folder)) {
      const results = await group[0]!.folder.stage(group);
      group.forEach((file, index) => {
        const staged = results[index]!;
        if (staged instanceof AppError) onFailed(file.name, staged);
        else this.#staged.push({ file, staged });
      });
      await breathe();
    }
    if (this.#isFlushed) await this.#flush(onFailed);
    const published = await this.#publish(onFailed);
    for (const folder of this.#dirty) await flushIfThere(folder);
    this.#dirty.clear();
    published.forEach(onStored);
  }

  /** Leaves nothing of what is not visible yet. */
  async discard(): Promise<void> {
    for (const { staged } of this.#staged.splice(0)) await leaveQuietly(staged);
    this.#files = [];
  }

  /** Many at once, which the disk then writes together: one by one they take ten times as long and more. */
  async #flush(onFailed: OnFailed): Promise<void> {
    const all = this.#staged;
    this.#staged = [];
    for (let start = 0; start < all.length; start += FLUSHES_AT_ONCE) {
      const some = all.slice(start, start + FLUSHES_AT_ONCE);
      const results = await Promise.allSettled(some.map(async ({ staged }) => await staged.flush()));
      for (const [index, result] of results.entries()) {
        const { file, staged } = some[index]!;
        if (result.status === "fulfilled") this.#staged.push(some[index]!);
        else {
          await leaveQuietly(staged);
          if (!(result.reason instanceof AppError)) throw result.reason;
          onFailed(file.name, result.reason);
        }
      }
    }
  }

  async #publish(onFailed: OnFailed): Promise<GroupedFile[]> {
    const published: GroupedFile[] = [];
    for (const group of byFolder(this.#staged.splice(0), ({ file }) => file.folder)) {
      const { folder } = group[0]!.file;
      const files = group.map(({ file: { base, ifTaken, replacedBytes, bytes, facts: { mtimeMs } }, staged }) => ({
        base,
        ifTaken,
        replacedBytes,
        staged,
        sizeBytes: bytes.length,
        mtimeMs,
      }));
      const results = await folder.publish(files);
      for (const [index, { file, staged }] of group.entries()) {
        const result = results[index]!;
        if (!(result instanceof AppError)) published.push(file);
        else {
          onFailed(file.name, result);
          await leaveQuietly(staged);
        }
      }
      this.dirty(folder);
      await breathe();
    }
    return published;
  }
}

/** Writes to the disk which entries `folder` has, unless somebody has taken it away meanwhile. */
export async function flushIfThere(folder: Folder): Promise<void> {
  try {
    await folder.flush();
  } catch (error) {
    if (!(error instanceof AppError) || !GONE.has(error.code)) throw error;
  }
}

const GONE: ReadonlySet<string> = new Set(["not_found", "not_a_directory", "outside"]);

/** Runs of items that belong to the same folder, none too long. */
export function* byFolder<T>(items: readonly T[], folderOf: (item: T) => Folder): Generator<T[]> {
  let run: T[] = [];
  for (const item of items) {
    const isOther = run.length > 0 && folderOf(run[0]!) !== folderOf(item);
    if (isOther || run.length >= AT_ONCE) {
      yield run;
      run = [];
    }
    run.push(item);
  }
  if (run.length > 0) yield run;
}

/** The first error is the one to tell; what stays is swept later. */
async function leaveQuietly(staged: Staged): Promise<void> {
  try {
    await staged.discard();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
  }
}
