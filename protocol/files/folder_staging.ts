/** Small files that were written whole beside where they are to be, and are invisible until they are published. */
import { DATE_MS_MAX } from "../limits.ts";
import { type FileSystem, removeIfThere } from "./file_system.ts";
import { translated } from "./fs_errors.ts";
import type { Here } from "./here.ts";
import { PARTIAL_PREFIX } from "./partial.ts";
import { modeBeside } from "./permissions.ts";
import type { NewFile, Staged } from "./tree.ts";

/** Names of what was staged by this process: told apart by a number, since drawing one for each costs time. */
const STAGED_PREFIX = `${PARTIAL_PREFIX}${crypto.randomUUID().slice(0, 18)}-`;
let stagedCount = 0;

/** A name in the directory that nothing has. */
export function stagedName(): string {
  return STAGED_PREFIX + ++stagedCount;
}

/** Runs `work` in the directory where `base` was staged. */
type Return = <T>(base: string, work: (path: string) => T) => T;

/** Writes a file in the directory `folderName`, where we stand, with its time and bits; `goBack` goes there later. */
export function stageFile(
  fs: FileSystem,
  here: Here,
  { bytes, facts }: NewFile,
  folderName: string,
  goBack: Return,
): LocalStaged {
  const base = stagedName();
  const path = here.at(base);
  try {
    const mode = modeBeside(facts); // set as it is, whatever the mask of the process
    fs.writeFileSync(path, bytes, { createNew: true, ...(mode === undefined ? {} : { mode }) });
    const time = new Date(Math.min(facts.mtimeMs, DATE_MS_MAX));
    fs.utimeSync(path, time, time);
  } catch (error) {
    removeIfThere(fs, path);
    throw error;
  }
  return new LocalStaged(fs, base, folderName, goBack);
}

export class LocalStaged implements Staged {
  readonly base: string;
  readonly #fs: FileSystem;
  readonly #folderName: string;
  readonly #goBack: Return;

  constructor(fs: FileSystem, base: string, folderName: string, goBack: Return) {
    this.base = base;
    this.#fs = fs;
    this.#folderName = folderName;
    this.#goBack = goBack;
  }

  async flush(): Promise<void> {
    using file = this.#goBack(this.base, (path) => this.#fs.openSync(path, { read: true, write: true }));
    try {
      await file.sync();
    } catch (error) {
      throw translated("store", this.#folderName, error);
    }
  }

  discard(): void {
    this.#goBack(this.base, (path) => removeIfThere(this.#fs, path));
  }
}
