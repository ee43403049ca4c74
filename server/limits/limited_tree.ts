/**
 * A tree of files as one address may use it: what goes in is counted, and refused where a limit says so.
 *
 * A file that did not fit after all leaves nothing: a full directory must not be kept full by what nobody can see.
 */
import { AppError, hasCode } from "../../protocol/errors.ts";
import { quoteName } from "../../protocol/escape.ts";
import type {
  Batch,
  Draft,
  Entry,
  FileFacts,
  FileTree,
  Folder,
  IfTaken,
  Room,
  Source,
  TreeWatch,
  Usage,
} from "../../protocol/files/tree.ts";
import type { Trash } from "../../protocol/files/trash.ts";
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import { ANY_NAMES, type NameRules } from "../../protocol/name_rules.ts";
import { splitName, validateName } from "../../protocol/names.ts";
import { LimitedFolder } from "./limited_folder.ts";
import type { PartialsByAddress } from "./partials.ts";
import type { Storage } from "./storage.ts";
import type { Watches } from "./watches.ts";

export class LimitedTree implements FileTree {
  readonly #tree: FileTree;
  readonly #storage: Storage;
  readonly #partials: PartialsByAddress;
  readonly #watches: Watches;
  readonly #address: string;
  readonly #namesMax: number;
  readonly #keeps: boolean;

  constructor(
    tree: FileTree,
    { storage, partials, watches, address, namesMax, keeps = true }: {
      storage: Storage;
      partials: PartialsByAddress;
      watches: Watches;
      address: string;
      namesMax: number;
      /** Whether clients may have something kept in the trash. */
      keeps?: boolean;
    },
  ) {
    this.#tree = tree;
    this.#storage = storage;
    this.#partials = partials;
    this.#watches = watches;
    this.#address = address;
    this.#namesMax = namesMax;
    this.#keeps = keeps;
  }

  /** The trash, of which what goes in and out is counted too. */
  get trash(): Trash | undefined {
    const trash = this.#keeps ? this.#tree.trash : undefined;
    const onChanged = (change: Partial<Usage>) => this.#storage.changed(change);
    return trash && {
      begin: (facts, options) => trash.begin(facts, { ...options, onChanged }),
      undo: (facts, options) => trash.undo(facts, { ...options, onChanged }),
      sweep: (options) => trash.sweep(options),
      removableBytes: () => trash.removableBytes(),
    };
  }

  async folder(name: string): Promise<Folder> {
    return new LimitedFolder(await this.#tree.folder(name), this.#storage);
  }

  list(directory: string, { all }: { all: boolean }): AsyncIterable<Batch> {
    return this.#tree.list(directory, { all, namesMax: this.#namesMax });
  }

  stat(name: string): Entry | Promise<Entry> {
    return this.#tree.stat(name);
  }

  open(name: string): Source | Promise<Source> {
    return this.#tree.open(name);
  }

  async create(name: string, facts: FileFacts, ifTaken: IfTaken): Promise<Draft> {
    validateName(name);
    const missing = await this.#missingIn(splitName(name).directory);
    if (missing > 0) this.#storage.verifyRoom(name, { files: missing + 1 });
    const draft = await this.#tree.create(name, facts, ifTaken);
    this.#storage.changed({ files: missing });
    const isOld = draft.heldBlocks > 0 || draft.restarted;
    const isPartial = (facts.sizeBytes ?? 0) >= BLOCK_BYTES && facts.mtimeMs !== undefined;
    try {
      if (isPartial && !isOld) this.#verifyPartials(name);
      const bytes = Math.max(0, (facts.sizeBytes ?? 0) - draft.heldBlocks * BLOCK_BYTES);
      await this.#storage.verifyMakingRoom(name, { bytes, files: isOld ? 0 : 1 });
    } catch (error) {
      await (isOld ? draft.suspend() : draft.discard());
      throw error;
    }
    if (isPartial && !isOld) this.#partials.add(this.#address, name);
    return new LimitedDraft(draft, this.#storage, {
      name,
      isOld,
      isPartial,
      replacedBytes: ifTaken === "replace" ? () => this.#sizeOf(name) : () => undefined,
      onGone: () => this.#partials.remove(name),
    });
  }

  async makeDirectory(name: string): Promise<void> {
    const missing = await this.#missingIn(name);
    this.#storage.verifyRoom(name, { files: missing });
    await this.#tree.makeDirectory(name);
    this.#storage.changed({ files: missing });
  }

  async move(from: string, to: string, ifTaken: IfTaken): Promise<string> {
    const missing = await this.#missingIn(splitName(to).directory);
    this.#storage.verifyRoom(to, { files: missing });
    const replaced = ifTaken === "replace" && from !== to ? await this.#sizeOf(to) : undefined;
    const name = await this.#tree.move(from, to, ifTaken);
    this.#storage.changed({ files: missing });
    if (replaced !== undefined) this.#storage.changed({ bytes: -replaced, files: -1 });
    return name;
  }

  async remove(name: string): Promise<void> {
    const sizeBytes = await this.#sizeOf(name);
    await this.#tree.remove(name);
    this.#storage.changed({ bytes: -(sizeBytes ?? 0), files: -1 });
  }

  watch(onChange: (name: string) => void): Promise<TreeWatch> {
    return this.#watches.begin(() => {
      if (this.#tree.watch) return this.#tree.watch(onChange);
      throw new AppError("cannot_watch", "Cannot watch: what is shared here has no events");
    });
  }

  async room(directory: string): Promise<Room> {
    return await this.#storage.room(directory);
  }

  async nameRules(directory: string): Promise<NameRules> {
    return await this.#tree.nameRules?.(directory) ?? ANY_NAMES;
  }

  /**
   * How large what stands there itself is: of a link nothing, whatever it leads to. What is not there, or in a directory
   * that a link leads to, has no size to take back before the next count.
   */
  async #sizeOf(name: string): Promise<number | undefined> {
    const { directory, base } = splitName(name);
    return await ifAllowed(async () => (await (await this.#tree.folder(directory)).look(base))?.sizeBytes);
  }

  #look(name: string): Promise<Entry | undefined> {
    return ifAllowed(async () => await this.#tree.stat(name));
  }

  /** How many directories have to be made so that `directory` is there: what is below a missing one is missing, too. */
  async #missingIn(directory: string): Promise<number> {
    if (directory === "" || await this.#look(directory)) return 0;
    const parts = directory.split("/");
    let [there, missing] = [0, parts.length];
    while (missing - there > 1) {
      const middle = Math.floor((there + missing) / 2);
      if (await this.#look(parts.slice(0, middle).join("/"))) there = middle;
      else missing = middle;
    }
    return parts.length - there;
  }

  #verifyPartials(name: string): void {
    const { partialsMax, partialsPerAddressMax } = this.#storage.limits;
    const inAll = this.#storage.usage?.partials ?? 0;
    if (inAll < partialsMax && this.#partials.countOf(this.#address) < partialsPerAddressMax) return;
    throw new AppError("too_many_partials", `Cannot begin ${quoteName(name)}: too many uploads are unfinished`);
  }
}

/** `undefined` for what cannot be looked at: the operation itself says why. */
async function ifAllowed<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

interface LimitedDraftOptions {
  readonly name: string;
  /** It goes on with a partial that was there. */
  readonly isOld: boolean;
  /** It can be gone on with. */
  readonly isPartial: boolean;
  /** How large the file is that it replaces; `undefined` for none. */
  readonly replacedBytes: () => Promise<number | undefined> | undefined;
  /** Nothing unfinished is left of it. */
  readonly onGone: () => void;
}

/** Free space is looked at after so many bytes: that costs little, and many drafts may grow at once. */
const LOOK_BYTES = 1_048_576;

/** A file on its way in, counted while it grows. */
class LimitedDraft implements Draft {
  readonly #draft: Draft;
  readonly #storage: Storage;
  readonly #options: LimitedDraftOptions;
  #bytes: number;
  /** What was written since free space was looked at. */
  #unlookedBytes = 0;
  #doesNotFit = false;
  #isOver = false;

  constructor(draft: Draft, storage: Storage, options: LimitedDraftOptions) {
    this.#draft = draft;
    this.#storage = storage;
    this.#options = options;
    this.#bytes = draft.heldBlocks * BLOCK_BYTES;
    if (!options.isOld) storage.changed({ files: 1, partials: options.isPartial ? 1 : 0 });
  }

  get heldBlocks(): number {
    return this.#draft.heldBlocks;
  }

  get restarted(): boolean {
    return this.#draft.restarted;
  }

  get old(): Draft["old"] {
    return this.#draft.old;
  }

  readAt(offset: number, into: Uint8Array): number | Promise<number> {
    return this.#draft.readAt(offset, into);
  }

  async startAt(offset: number): Promise<void> {
    await this.#draft.startAt(offset);
    this.#storage.changed({ bytes: offset - this.#bytes });
    this.#bytes = offset;
  }

  write(bytes: Uint8Array): void | Promise<void> {
    this.#unlookedBytes += bytes.length;
    if (this.#unlookedBytes >= LOOK_BYTES) return this.#lookAndWrite(bytes);
    return this.#write(bytes);
  }

  async publish(): Promise<string> {
    const replaced = await this.#options.replacedBytes();
    try {
      const name = await this.#draft.publish();
      this.#end({ partials: this.#options.isPartial ? -1 : 0 });
      if (replaced !== undefined) this.#storage.changed({ bytes: -replaced, files: -1 });
      return name;
    } catch (error) {
      if (hasCode(error, "exists")) await this.discard();
      throw error;
    }
  }

  /** What is not worth keeping goes away in any case; and so does what did not fit. */
  async suspend(): Promise<void> {
    if (this.#doesNotFit || !this.#options.isPartial || this.#bytes < BLOCK_BYTES) return await this.discard();
    await this.#draft.suspend();
    this.#isOver = true;
  }

  async discard(): Promise<void> {
    await this.#draft.discard();
    this.#end({ bytes: -this.#bytes, files: -1, partials: this.#options.isPartial ? -1 : 0 });
  }

  async #lookAndWrite(bytes: Uint8Array): Promise<void> {
    this.#unlookedBytes = 0;
    await this.#storage.verifySpace(this.#options.name, bytes.length);
    await this.#write(bytes);
  }

  #write(bytes: Uint8Array): void | Promise<void> {
    try {
      this.#storage.verifyRoom(this.#options.name, { bytes: bytes.length });
    } catch (error) {
      this.#doesNotFit = true;
      throw error;
    }
    const written = this.#draft.write(bytes);
    this.#bytes += bytes.length;
    this.#storage.changed({ bytes: bytes.length });
    return written;
  }

  #end(change: Partial<Usage>): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.onGone();
    this.#storage.changed(change);
  }
}
