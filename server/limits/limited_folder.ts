/** A directory of a tree as one address may use it: what goes in with a tree is counted, and refused as a single file is. */
import { AppError } from "../../protocol/errors.ts";
import type {
  Adopted,
  Folder,
  FolderBatch,
  FolderEntry,
  NewFile,
  NewLink,
  Source,
  Staged,
  ToAdopt,
  ToPublish,
} from "../../protocol/files/tree.ts";
import type { Storage } from "./storage.ts";

export class LimitedFolder implements Folder {
  readonly #folder: Folder;
  readonly #storage: Storage;

  constructor(folder: Folder, storage: Storage) {
    this.#folder = folder;
    this.#storage = storage;
  }

  get name(): string {
    return this.#folder.name;
  }

  get disk(): number | undefined {
    return this.#folder.disk;
  }

  async folder(...which: Parameters<Folder["folder"]>): Promise<Folder> {
    return new LimitedFolder(await this.#folder.folder(...which), this.#storage);
  }

  scan(): AsyncIterable<FolderBatch> {
    return this.#folder.scan();
  }

  look(base: string): FolderEntry | undefined | Promise<FolderEntry | undefined> {
    return this.#folder.look(base);
  }

  open(base: string): Source | Promise<Source> {
    return this.#folder.open(base);
  }

  readEach(...read: Parameters<Folder["readEach"]>): void | Promise<void> {
    return this.#folder.readEach(...read);
  }

  /** Files that do not fit together are tried one by one, as long as there is room. */
  async stage(files: readonly NewFile[]): Promise<(Staged | AppError)[]> {
    const refusal = await this.#refusalOf(files);
    if (refusal && files.length > 1) {
      const one = [];
      for (const file of files) one.push(...await this.stage([file]));
      return one;
    }
    if (refusal) return [refusal];
    const staged = await this.#folder.stage(files);
    return staged.map((result, index) => result instanceof AppError ? result : this.#counted(result, files[index]!));
  }

  async publish(files: readonly ToPublish[]): Promise<readonly (string | AppError)[]> {
    const inner = files.map((file) => ({ ...file, staged: (file.staged as LimitedStaged).staged }));
    const results = await this.#folder.publish(inner);
    results.forEach((result, index) => {
      const { replacedBytes } = files[index]!;
      if (result instanceof AppError || replacedBytes === undefined) return;
      this.#storage.changed({ bytes: -replacedBytes, files: -1 });
    });
    return results;
  }

  /** What has two names for a moment is counted twice, until one of them is removed. */
  async adopt(from: string, files: readonly ToAdopt[]): Promise<readonly (Adopted | AppError)[]> {
    const results = await this.#folder.adopt(from, files);
    results.forEach((result, index) => {
      if (result === "linked") this.#storage.changed({ bytes: files[index]!.entry.sizeBytes, files: 1 });
    });
    return results;
  }

  async makeDirectory(base: string, permissions?: number): Promise<void> {
    this.#storage.verifyRoom(this.#nameOf(base), { files: 1 });
    await this.#folder.makeDirectory(base, permissions);
    this.#storage.changed({ files: 1 });
  }

  async makeLink(link: NewLink, ifTaken: "error" | "replace"): Promise<void> {
    if (ifTaken === "error") this.#storage.verifyRoom(this.#nameOf(link.base), { files: 1 });
    const replaced = ifTaken === "replace" ? await this.#folder.look(link.base) : undefined;
    await this.#folder.makeLink(link, ifTaken);
    this.#storage.changed({ bytes: -(replaced?.sizeBytes ?? 0), files: ifTaken === "error" ? 1 : 0 });
  }

  adjust(...changes: Parameters<Folder["adjust"]>): ReturnType<Folder["adjust"]> {
    return this.#folder.adjust(...changes);
  }

  async remove(base: string): Promise<void> {
    const entry = await this.#folder.look(base);
    await this.#folder.remove(base);
    this.#storage.changed({ bytes: -(entry?.sizeBytes ?? 0), files: -1 });
  }

  async removeEach(files: readonly FolderEntry[]): Promise<readonly (AppError | undefined)[]> {
    const errors = await this.#folder.removeEach(files);
    const removed = files.filter((_, index) => !errors[index]);
    const bytes = removed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    this.#storage.changed({ bytes: -bytes, files: -removed.length });
    return errors;
  }

  flush(): void | Promise<void> {
    return this.#folder.flush();
  }

  async #refusalOf(files: readonly NewFile[]): Promise<AppError | undefined> {
    const bytes = files.reduce((sum, file) => sum + file.bytes.length, 0);
    const name = this.#nameOf(files[0]!.base);
    try {
      await this.#storage.verifyMakingRoom(name, { bytes, files: files.length }, this.disk);
    } catch (error) {
      if (error instanceof AppError) return error;
      throw error;
    }
  }

  #counted(staged: Staged, { bytes }: NewFile): Staged {
    const counts = { bytes: bytes.length, files: 1 };
    this.#storage.changed(counts);
    return new LimitedStaged(staged, () => this.#storage.changed({ bytes: -counts.bytes, files: -1 }));
  }

  #nameOf(base: string): string {
    return this.name === "" ? base : `${this.name}/${base}`;
  }
}

class LimitedStaged implements Staged {
  readonly staged: Staged;
  readonly #onDiscarded: () => void;

  constructor(staged: Staged, onDiscarded: () => void) {
    this.staged = staged;
    this.#onDiscarded = onDiscarded;
  }

  flush(): void | Promise<void> {
    return this.staged.flush();
  }

  async discard(): Promise<void> {
    await this.staged.discard();
    this.#onDiscarded();
  }
}
