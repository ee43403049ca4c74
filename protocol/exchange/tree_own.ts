/** What a receiver has in one directory, in the order of the names, to be walked beside what it is told. */
import type { Folder, FolderBatch, FolderEntry } from "../files/tree.ts";
import { numberedName } from "../names.ts";
import type { ToldEntry } from "../wire/entry_batch.ts";

/** How many numbered names are looked at. */
const NUMBERS_MAX = 100;

/** Whether what is told is stored under a numbered name already, as by a run whose end nobody heard of. */
export async function hasNumbered(folder: Folder, { name, sizeBytes, mtimeMs }: ToldEntry): Promise<boolean> {
  for (let number = 2; number <= NUMBERS_MAX; number++) {
    const own = await folder.look(numberedName(name, number));
    if (!own) return false;
    if (own.kind === "file" && own.sizeBytes === sizeBytes && own.mtimeMs === mtimeMs) return true;
  }
  return false;
}

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
