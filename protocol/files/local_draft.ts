/**
 * A file on its way into a directory: a partial or a scratch file until it is published.
 *
 * Owns the handle, and the table of who writes what in this process: a second writer of the same partial takes it over
 * when the first has been silent, and is refused otherwise. A draft that lost its file throws `busy` at its next use.
 */
import { AppError, hasCode } from "../errors.ts";
import { BLOCK_BYTES, DATE_MS_MAX, PARTIAL_SILENCE_MAX_MS } from "../limits.ts";
import { quoteName } from "../escape.ts";
import { loadAdjusting } from "./adjust_handle.ts";
import { setPermissions } from "./adjusting.ts";
import { type FileSystem, flushDirectory, removeIfThere } from "./file_system.ts";
import { translated, translating } from "./fs_errors.ts";
import type { Here } from "./here.ts";
import type { LocalSource } from "./local_source.ts";
import { openOld } from "./old_file.ts";
import { type AtPlace, busy, noteName, openPartial, openScratch, type Partial, partialName } from "./partial.ts";
import { join } from "./paths.ts";
import { modeOf } from "./permissions.ts";
import { publish } from "./publish.ts";
import type { Place } from "./resolve.ts";
import { sweepDirectoryOnce } from "./scan.ts";
import type { Draft, FileFacts, IfTaken } from "./tree.ts";

/** Who writes which partial in this process, and which are being opened: a lock need not be waited for in vain. */
const WRITERS = new Map<string, LocalDraft>();
const OPENING = new Set<string>();

/** Where the draft is to go, and what is to be done on the way. */
export interface DraftPlan {
  readonly place: Place;
  /** Goes back to `place`. */
  readonly atPlace: AtPlace;
  readonly facts: FileFacts;
  readonly ifTaken: IfTaken;
}

/** Whether what comes of a transfer that breaks off is worth keeping. */
export function isResumable({ sizeBytes, mtimeMs }: FileFacts): boolean {
  return sizeBytes !== undefined && sizeBytes >= BLOCK_BYTES && mtimeMs !== undefined;
}

/** Begins a draft that cannot be resumed, `here`, where its place is. */
export function openScratchDraft(fs: FileSystem, plan: DraftPlan, here: Here): LocalDraft {
  return new LocalDraft(fs, plan, openScratch(fs, here, plan.place), false);
}

/** Begins a draft that can be resumed. Throws `busy` while somebody else is writing the same partial. */
export async function openDraft(fs: FileSystem, plan: DraftPlan): Promise<LocalDraft> {
  const { place, atPlace, ifTaken, facts } = plan;
  const sizeBytes = facts.sizeBytes!, mtimeMs = facts.mtimeMs!;
  atPlace((here) => sweepDirectoryOnce(fs, here));
  const base = partialName(place, ifTaken === "rename" ? `/${sizeBytes}/${mtimeMs}` : "");
  const path = join(place.parent, base);
  if (OPENING.has(path)) throw busy(place.name);
  WRITERS.get(path)?.yieldTo();
  OPENING.add(path);
  try {
    const partial = await openPartial(fs, place, atPlace, base, { name: place.base, sizeBytes, mtimeMs });
    const draft = new LocalDraft(fs, plan, partial, true);
    WRITERS.set(path, draft);
    return draft;
  } finally {
    OPENING.delete(path);
  }
}

export class LocalDraft implements Draft {
  readonly heldBlocks: number;
  readonly restarted: boolean;
  #old: LocalSource | undefined;
  readonly #fs: FileSystem;
  readonly #plan: DraftPlan;
  readonly #file: Deno.FsFile;
  readonly #base: string;
  /** Which partial it is, among all that this process writes. */
  readonly #path: string;
  readonly #resumable: boolean;
  #state: "open" | "taken over" | "ended" = "open";
  #writtenAt = performance.now();
  #isPublishing = false;
  /** How much of the partial is worth keeping. */
  #keptBytes: number;

  constructor(fs: FileSystem, plan: DraftPlan, partial: Partial, resumable: boolean) {
    this.#fs = fs;
    this.#plan = plan;
    this.#file = partial.file;
    this.#base = partial.base;
    this.#path = join(plan.place.parent, partial.base);
    this.#resumable = resumable;
    this.#keptBytes = partial.heldBytes;
    this.heldBlocks = Math.floor(partial.heldBytes / BLOCK_BYTES);
    this.restarted = partial.restarted;
  }

  get old(): LocalSource | undefined {
    return this.#old;
  }

  /** Opens the file that stands there now, to be compared. `loadOpenToRead` comes before. */
  openOld(here: Here): void {
    this.#old = openOld(this.#fs, here, this.#plan.place);
  }

  /** Gives the partial up for another writer if nothing was stored for a while; throws `busy` otherwise. */
  yieldTo(): void {
    const isAtWork = this.#isPublishing || performance.now() - this.#writtenAt < PARTIAL_SILENCE_MAX_MS;
    if (isAtWork) throw busy(this.#plan.place.name);
    this.#close("taken over");
  }

  readAt(offset: number, into: Uint8Array): number {
    return this.#translating("read", () => {
      this.#writtenAt = performance.now();
      this.#file.seekSync(offset, Deno.SeekMode.Start);
      return this.#file.readSync(into) ?? 0;
    });
  }

  startAt(offset: number): void {
    this.#translating("write", () => {
      this.#writtenAt = performance.now();
      this.#file.truncateSync(offset);
      this.#file.seekSync(offset, Deno.SeekMode.Start);
      this.#keptBytes = offset;
    });
  }

  write(bytes: Uint8Array): void {
    try {
      this.#translating("write", () => {
        for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
      });
    } catch (error) {
      if (hasCode(error, "no_space")) this.#makeRoom();
      if (hasCode(error, "too_large")) this.#keptBytes = 0; // it will never fit here
      throw error;
    }
    this.#keptBytes += bytes.length;
    this.#writtenAt = performance.now();
  }

  async publish(): Promise<string> {
    const { place, facts, ifTaken } = this.#plan;
    try {
      this.#verifyOpen();
      this.#isPublishing = true;
      this.#closeOld(); // there are systems that do not replace what is open
      this.#translating("write", () => {
        const mtime = new Date(Math.min(facts.mtimeMs ?? Date.now(), DATE_MS_MAX));
        this.#file.utimeSync(mtime, mtime);
      });
      if (modeOf(facts) !== undefined) await loadAdjusting();
      this.#atPlace("write", (here) => setPermissions(this.#fs, here.at(this.#base), this.#file, facts, place.name));
      await this.#flush();
      this.#verifyOpen();
      const name = this.#atPlace("store", (here) => {
        const published = publish(this.#fs, here, here.at(this.#base), place, ifTaken, () => this.#removeNote(here));
        flushDirectory(this.#fs, here);
        return published;
      });
      this.#close("ended");
      return name;
    } catch (error) {
      this.#leaveQuietly(error);
      throw error;
    }
  }

  suspend(): void {
    if (this.#resumable && this.#keptBytes >= BLOCK_BYTES) this.#close("ended");
    else this.discard();
  }

  discard(): void {
    if (this.#state !== "open") return;
    try {
      this.#atPlace("remove", (here) => {
        this.#removeNote(here);
        removeIfThere(this.#fs, here.at(this.#base));
      });
    } finally {
      this.#close("ended");
    }
  }

  /** Gives back the last block and what is behind it: a partial does not keep a disk so full that nothing else works. */
  #makeRoom(): void {
    this.#keptBytes = Math.max(0, Math.floor(this.#keptBytes / BLOCK_BYTES) - 1) * BLOCK_BYTES;
    this.#translating("write", () => this.#file.truncateSync(this.#keptBytes));
  }

  /** After a failure, which is the error to tell: what cannot be tidied up now is swept later. */
  #leaveQuietly(failure: unknown): void {
    try {
      // Somebody else has that name for good: nobody would go on with this.
      if (hasCode(failure, "exists")) this.discard();
      else this.suspend();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
    }
  }

  /** While the partial is still there and ours: afterwards the note could be that of the next writer. */
  #removeNote(here: Here): void {
    if (this.#resumable) removeIfThere(this.#fs, here.at(noteName(this.#base)));
  }

  async #flush(): Promise<void> {
    try {
      await this.#file.sync();
    } catch (error) {
      throw translated("store", this.#plan.place.name, error);
    }
  }

  #verifyOpen(): void {
    if (this.#state === "open") return;
    throw new AppError("busy", `Cannot go on with ${quoteName(this.#plan.place.name)}: somebody else took it over`);
  }

  #translating<T>(doing: string, call: () => T): T {
    this.#verifyOpen();
    return translating(doing, this.#plan.place.name, call);
  }

  #atPlace<T>(doing: string, work: (here: Here) => T): T {
    return this.#translating(doing, () => this.#plan.atPlace(work));
  }

  #closeOld(): void {
    this.#old?.[Symbol.dispose]();
    this.#old = undefined;
  }

  #close(state: "taken over" | "ended"): void {
    if (this.#state !== "open") return;
    this.#state = state;
    if (WRITERS.get(this.#path) === this) WRITERS.delete(this.#path);
    this.#file.close();
    this.#closeOld();
  }
}
