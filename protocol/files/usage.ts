/** How much room a directory takes, and how much there is: what limits of a server count. */
import { breathe } from "../breathe.ts";
import type { FileSystem } from "./file_system.ts";
import type { Here } from "./here.ts";
import { PARTIAL_PREFIX, partialOfNote } from "./partial.ts";
import { join } from "./paths.ts";
import { ifAllowed, lstatIfAllowed, type Walked } from "./scan.ts";
import type { Space, Usage } from "./tree.ts";

/** Files that are looked at between two breaths, at most. */
const BATCH_ENTRIES = 64;

/**
 * What is below a directory; links are not followed, and count as what they are. Names are read asynchronously: that takes longer than `measure` of
 * `scan.ts`, and nobody waits for it. Stops early, with less, when `signal` aborts.
 */
export async function measureUsage({ fs, resolver, path, name }: Walked, signal?: AbortSignal): Promise<Usage> {
  const usage = { bytes: 0, files: 0, partials: 0 };
  const directories = [path];
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    const names = await namesIn(fs, directory);
    for (let start = 0; start < names.length; start += BATCH_ENTRIES) {
      const batch = names.slice(start, start + BATCH_ENTRIES);
      const lookAt = (here: Here) => {
        for (const base of batch) if (count(fs, here, base, usage)) directories.push(join(directory!, base));
      };
      ifAllowed(() => resolver.inside(directory!, name, lookAt));
      await breathe();
      if (signal?.aborted) return usage;
    }
  }
  return usage;
}

/** Adds an entry to `usage`; whether it is a directory. */
function count(fs: FileSystem, here: Here, base: string, usage: { -readonly [K in keyof Usage]: Usage[K] }): boolean {
  const info = lstatIfAllowed(fs, here.at(base));
  if (!info) return false;
  const { isFile, isDirectory, size } = info;
  const isPartial = isFile && base.startsWith(PARTIAL_PREFIX);
  if (isPartial && partialOfNote(base) !== base) return false;
  usage.files++;
  usage.bytes += isFile ? size : 0;
  usage.partials += isPartial ? 1 : 0;
  return isDirectory;
}

/** None where a directory went away, was exchanged, or is not for us. */
async function namesIn(fs: FileSystem, directory: string): Promise<string[]> {
  try {
    return await Array.fromAsync(fs.readDir(directory), (entry) => entry.name);
  } catch (error) {
    ifAllowed(() => {
      throw error;
    });
    return [];
  }
}

/** What the system tells of a file system. Numbers that are too large for one come as such, or as a bigint. */
export interface FileSystemFacts {
  readonly type: number;
  readonly bsize: number;
  readonly blocks: number;
  readonly bavail: number;
  readonly files: number | bigint;
  readonly ffree: number | bigint;
}
type Statfs = (path: string) => FileSystemFacts;
let statfs: Statfs | undefined;

/** The room on the disk of `path`; `undefined` where the system does not tell. Waits only the first time. */
export function spaceAt(path: string): Space | undefined | Promise<Space | undefined> {
  return statfs ? lookAt(statfs, path) : loadStatfs().then((loaded) => lookAt(loaded, path));
}

async function loadStatfs(): Promise<Statfs> {
  const { statfsSync } = await import("node:fs");
  return statfs = (path) => statfsSync(path);
}

/** File systems of Linux that other machines write to, or what runs around a virtual one: NFS, SMB, 9p, Ceph, FUSE. */
const OF_NETWORK = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x01021997, 0x00c36400, 0x5346414f, 0x65735546]);

/** Whether files there may change without this system hearing of it, as far as it tells. */
export async function isOfNetwork(path: string): Promise<boolean> {
  try {
    return Deno.build.os === "linux" && OF_NETWORK.has((statfs ?? await loadStatfs())(path).type >>> 0);
  } catch {
    return false; // nobody knows
  }
}

function lookAt(call: Statfs, path: string): Space | undefined {
  try {
    return spaceOf(call(path));
  } catch {
    return undefined; // a file system that knows no such thing: then its own errors tell that it is full
  }
}

export function spaceOf({ bsize, blocks, bavail, files, ffree }: FileSystemFacts): Space {
  // Where names have no bound, there are none at all, or -1 is free, which is no number of names.
  const isBound = files > 0 && Number.isSafeInteger(Number(ffree)) && ffree >= 0;
  const freeNames = isBound ? Number(ffree) : undefined;
  return { freeBytes: bavail * bsize, sizeBytes: blocks * bsize, freeNames };
}
