/** A file system that is soon full: a tmpfs of some megabytes. Mounting one takes root, on Linux. */
import { temporaryDirectory } from "./program.ts";

export interface DiskSize {
  /** In bytes. @default 8 MiB */
  readonly sizeBytes?: number;
  /** How many files, directories and names it takes, itself included. @default as many as there is room for */
  readonly inodes?: number;
}

export class SmallDisk implements Disposable {
  readonly path: string;
  readonly #directory = temporaryDirectory();

  /** Throws if it cannot be mounted. */
  constructor({ sizeBytes = 8 * 1_048_576, inodes = 0 }: DiskSize = {}) {
    this.path = this.#directory.path;
    try {
      run("mount", "-t", "tmpfs", "-o", `size=${sizeBytes},nr_inodes=${inodes}`, "tmpfs", this.path);
    } catch (error) {
      this.#directory[Symbol.dispose]();
      throw error;
    }
  }

  /** Writes a file, under any name, that takes all room but `leftBytes`. */
  fill(name: string, leftBytes = 0): void {
    const page = new Uint8Array(4_096);
    using file = Deno.openSync(`${this.path}/${name}`, { createNew: true, write: true });
    let sizeBytes = 0;
    try {
      for (;;) sizeBytes += file.writeSync(page);
    } catch (error) {
      if ((error as { code?: string }).code !== "ENOSPC") throw error;
    }
    file.truncateSync(Math.max(0, sizeBytes - leftBytes));
  }

  /** Makes empty files in a directory `name` until no inode is left but `left`. */
  useUpInodes(name: string, left = 0): void {
    Deno.mkdirSync(`${this.path}/${name}`);
    let made = 0;
    try {
      for (;; made++) Deno.openSync(`${this.path}/${name}/${made}`, { createNew: true, write: true }).close();
    } catch (error) {
      if ((error as { code?: string }).code !== "ENOSPC") throw error;
    }
    for (let count = 0; count < left; count++) Deno.removeSync(`${this.path}/${name}/${--made}`);
  }

  /** Lazily, so that it goes away even if a process still has a file open there. */
  [Symbol.dispose](): void {
    run("umount", "--lazy", this.path);
    this.#directory[Symbol.dispose]();
  }
}

/** Why there can be no small disk here; `undefined` if there can. */
export function smallDiskFault(): string | undefined {
  if (Deno.build.os !== "linux") return "a tmpfs can only be mounted on Linux";
  try {
    new SmallDisk()[Symbol.dispose]();
  } catch (error) {
    return `a tmpfs cannot be mounted: ${error instanceof Error ? error.message : error}`;
  }
}

function run(command: string, ...args: string[]): void {
  const { success, stderr } = new Deno.Command(command, { args, stdout: "null", stderr: "piped" }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim().split("\n")[0]);
}
