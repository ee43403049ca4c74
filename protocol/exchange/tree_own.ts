/** What a receiver has in one directory, in the order of the names, to be walked beside what it is told. */
import type { Folder, FolderBatch, FolderEntry } from "../files/tree.ts";

export class OwnEntries {
  readonly #batches: AsyncIterator<FolderBatch>;
  #batch: readonly FolderEntry[] = [];
  #at = 0;
  #isOver = false;

  private constructor(folder: Folder) {
    this.#batches = folder.scan()[Symbol.asyncIterator]();
  }

  /** Throws what keeps the folder from being listed. */
  static async open(folder: Folder): Promise<OwnEntries> {
    const own = new OwnEntries(folder);
    await own.fill();
    return own;
  }

  /** Whether `first` does not know what comes next: then wait for `fill`. */
  get isUnfilled(): boolean {
    return this.#at === this.#batch.length && !this.#isOver;
  }

  /** The first one that was not taken; `undefined` behind the last. */
  get first(): FolderEntry | undefined {
    return this.#batch[this.#at];
  }

  /** Whether there is none any more. */
  get isOver(): boolean {
    return this.#isOver && this.first === undefined;
  }

  take(): void {
    this.#at++;
  }

  async fill(): Promise<void> {
    while (this.isUnfilled) {
      const { done, value } = await this.#batches.next();
      this.#isOver = done ?? false;
      this.#batch = done ? [] : value.entries;
      this.#at = 0;
    }
  }
}
