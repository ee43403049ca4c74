/**
 * The operating system, until it stops: the n-th call fails. After a "fault" everything works again, as on a disk with
 * one bad spot; after a "kill" nothing does, clean-up included, as if the process were gone. Closing always works, since
 * the system closes what a killed process had open. A write that is stopped has written half.
 */
import { FILE_SYSTEM, type FileSystem } from "../../protocol/files/file_system.ts";

export type StopKind = "fault" | "kill";

const OPENING: ReadonlySet<string> = new Set(["openSync", "openToRead", "openToAdjust"]);

type Call = (...args: unknown[]) => unknown;

export class StoppingFileSystem implements Disposable {
  readonly fs: FileSystem;
  /** The names of the calls so far. */
  readonly calls: string[] = [];
  readonly stopAt: number;
  readonly #kind: StopKind;
  readonly #open = new Set<Deno.FsFile>();

  #counts = false;

  /** Stops at call number `stopAt` after `begin`, counted from 1; never with 0. */
  constructor(stopAt: number, kind: StopKind) {
    this.stopAt = stopAt;
    this.#kind = kind;
    this.fs = new Proxy({} as FileSystem, { get: (_, name) => this.#watched(FILE_SYSTEM, String(name)) });
  }

  /** From now on calls are counted. */
  begin(): void {
    this.#counts = true;
  }

  get hasStopped(): boolean {
    return this.stopAt > 0 && this.calls.length >= this.stopAt;
  }

  /** Files that were opened and not closed. */
  get openCount(): number {
    return this.#open.size;
  }

  /** Closes what is still open, as the system does for a killed process. */
  [Symbol.dispose](): void {
    for (const file of this.#open) file.close();
    this.#open.clear();
  }

  #watched(owner: object, name: string): Call {
    const call: Call = (...args) => (Reflect.get(owner, name) as Call).apply(owner, args);
    return (...args) => {
      if (!this.#counts) return call(...args);
      const isFirst = this.calls.push(name) === this.stopAt;
      if (isFirst || this.#kind === "kill" && this.hasStopped) {
        if (isFirst) tear(name, args, call);
        return failed(name);
      }
      const result = call(...args);
      return OPENING.has(name) ? this.#watchedFile(result as Deno.FsFile) : result;
    };
  }

  #watchedFile(file: Deno.FsFile): Deno.FsFile {
    this.#open.add(file);
    const close = () => {
      if (this.#open.delete(file)) file.close();
      else if (!this.hasStopped) throw new Deno.errors.BadResource("Bad resource ID");
    };
    return new Proxy(file, {
      get: (_, name) => {
        if (name === "close" || name === Symbol.dispose) return close;
        return name in file ? this.#watched(file, String(name)) : undefined; // Deno 2.5 has no tryLockSync
      },
    });
  }
}

/** Does half of a call that writes. */
function tear(name: string, args: readonly unknown[], call: Call): void {
  const [first, second] = args;
  if (name === "writeSync") call((first as Uint8Array).subarray(0, (first as Uint8Array).length >> 1));
  if (name === "writeTextFileSync") call(first, (second as string).slice(0, (second as string).length >> 1));
}

function failed(name: string): Promise<never> {
  const error = Object.assign(new Error(`It stopped at ${name}`), { code: "EIO" });
  if (name === "sync" || name === "lock") return Promise.reject(error);
  throw error;
}
