/** What a part of the bench is, and the yard that it works in. */
import { Random } from "../support/random.ts";
import { removeIfThere, type Yard } from "./peers/peer.ts";

export interface Settings {
  /** Of the large file. */
  readonly sizeBytes: number;
  /** How often each contender runs; what is quoted is the median. */
  readonly rounds: number;
  /** The packaged program, where there is one. */
  readonly executable: string | undefined;
}

/** One part of the bench. `measure` prints tables as it goes, and resolves to the figures for the record. */
export interface Section {
  readonly name: string;
  readonly title: string;
  measure(settings: Settings): Promise<unknown>;
}

/** A yard with a file of `sizeBytes` on both sides, on memory-backed storage or in `folder`. Removed when disposed of. */
export function makeYard(sizeBytes: number, folder = memoryBacked()): Yard & Disposable {
  const path = Deno.makeTempDirSync({ ...(folder ? { dir: folder } : {}), prefix: "app-bench-" });
  for (const directory of ["served", "local"]) {
    Deno.mkdirSync(`${path}/${directory}`);
    fill(`${path}/${directory}/big.bin`, sizeBytes);
  }
  return { path, [Symbol.dispose]: () => removeIfThere(path) };
}

function fill(path: string, sizeBytes: number): void {
  const piece = new Random(1).bytes(1_048_576);
  using file = Deno.openSync(path, { createNew: true, write: true });
  for (let left = sizeBytes; left > 0; left -= piece.length) {
    file.writeSync(piece.subarray(0, Math.min(left, piece.length)));
  }
}

function memoryBacked(): string | undefined {
  try {
    return Deno.statSync("/dev/shm").isDirectory ? "/dev/shm" : undefined;
  } catch {
    return undefined; // the system's own place for temporary files has to do
  }
}
