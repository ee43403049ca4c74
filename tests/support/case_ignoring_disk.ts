/** A file system that ignores case: NTFS in a file, by the program `lowntfs-3g`. Mounting it takes root, on Linux. */
import { temporaryDirectory } from "./program.ts";

const SIZE_BYTES = 16 * 1_048_576;

export class CaseIgnoringDisk implements Disposable {
  readonly path: string;
  readonly #directory = temporaryDirectory();

  /** Throws if it cannot be made or mounted. */
  constructor() {
    this.path = `${this.#directory.path}/mounted`;
    const image = `${this.#directory.path}/image`;
    try {
      Deno.mkdirSync(this.path);
      Deno.openSync(image, { createNew: true, write: true }).close();
      Deno.truncateSync(image, SIZE_BYTES);
      run("mkfs.ntfs", "-q", "-F", image);
      run("lowntfs-3g", image, this.path, "-o", "ignore_case");
    } catch (error) {
      this.#directory[Symbol.dispose]();
      throw error;
    }
  }

  /** Lazily, so that it goes away even if a process still has a file open there. */
  [Symbol.dispose](): void {
    run("umount", "--lazy", this.path);
    this.#directory[Symbol.dispose]();
  }
}

/** Why there can be none here; `undefined` if there can. */
export function caseIgnoringDiskFault(): string | undefined {
  if (Deno.build.os !== "linux") return "NTFS can only be mounted from a file on Linux";
  try {
    new CaseIgnoringDisk()[Symbol.dispose]();
  } catch (error) {
    return `no file system that ignores case can be mounted: ${error instanceof Error ? error.message : error}`;
  }
}

function run(command: string, ...args: string[]): void {
  const { success, stderr } = new Deno.Command(command, { args, stdout: "null", stderr: "piped" }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim().split("\n")[0]);
}
