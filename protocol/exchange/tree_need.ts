/**
 * How much room it takes to do what a dry run plans: what is replaced is still there while its group is written, and stays
 * where it is kept to be undone, as far as that may be.
 */
import { GROUP_BYTES_MAX, GROUP_FILES_MAX } from "./tree_group.ts";

interface Amount {
  readonly bytes: number;
  readonly files: number;
}

export class TreeNeed {
  /** How much of what is replaced may still be kept; `undefined` where nothing is. */
  keepableBytes: number | undefined;
  #bytes = 0;
  #files = 0;
  #peak = { bytes: 0, files: 0 };
  /** Of the group that is written: what came, and what it replaces. */
  #group = { bytes: 0, files: 0, replacedBytes: 0, replacedFiles: 0 };

  /** `replacedBytes`: how large the file is that goes, where there is one. */
  addFile(sizeBytes: number, replacedBytes: number | undefined): void {
    const group = this.#group;
    group.bytes += sizeBytes;
    group.files++;
    if (replacedBytes !== undefined && !this.#keeps(replacedBytes)) {
      group.replacedBytes += replacedBytes;
      group.replacedFiles++;
    }
    this.#bytes += sizeBytes;
    this.#files++;
    this.#takePeak();
    if (group.bytes < GROUP_BYTES_MAX && group.files < GROUP_FILES_MAX) return;
    this.#bytes -= group.replacedBytes;
    this.#files -= group.replacedFiles;
    this.#group = { bytes: 0, files: 0, replacedBytes: 0, replacedFiles: 0 };
  }

  /** A directory or a link, where nothing was. */
  addName(): void {
    this.#files++;
    this.#takePeak();
  }

  /** The most that there is at any time beside what is there now. */
  get most(): Amount {
    return this.#peak;
  }

  /** What is kept of this run is no room for itself, other than what earlier ones kept. */
  #keeps(replacedBytes: number): boolean {
    if (this.keepableBytes === undefined || replacedBytes > this.keepableBytes) return false;
    this.keepableBytes -= replacedBytes;
    return true;
  }

  #takePeak(): void {
    const { bytes, files } = this.#peak;
    this.#peak = { bytes: Math.max(bytes, this.#bytes), files: Math.max(files, this.#files) };
  }
}
