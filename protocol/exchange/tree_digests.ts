/** Digests of whole files of a tree, by which both sides compare them. Small ones are read several on one visit to their folder. */
import { breathe } from "../breathe.ts";
import { AppError } from "../errors.ts";
import type { Folder, FolderEntry } from "../files/tree.ts";
import { BLOCK_DIGEST_BYTES, BODY_BYTES_MAX } from "../limits.ts";
import { loadBlake2b, loadBlockDigest } from "./checksum.ts";

/** So many small files, and so many bytes of them, are read on one visit. */
const READ_TOGETHER = 32;
const READ_TOGETHER_BYTES = 131_072;

/** A file that was scanned. */
export interface ScannedFile {
  readonly folder: Folder;
  readonly entry: FolderEntry;
}

type Digests = (Uint8Array | undefined)[];

/**
 * The digests of `files`, 16 bytes each; `undefined` for those that cannot be read, or are not as they were scanned.
 * `verifyAlive` is called now and then, and throws to end it.
 */
export async function digestsOf(
  files: readonly (ScannedFile | undefined)[],
  verifyAlive: () => void,
): Promise<Digests> {
  const digests: Digests = [];
  for (let start = 0; start < files.length;) {
    verifyAlive();
    const run = runFrom(files, start);
    digests.push(...run.length > 1 ? await digestsOfSmall(run) : [await digestOfOne(files[start])]);
    start += Math.max(run.length, 1);
    await breathe();
  }
  return digests;
}

/** The digest of a whole file; `undefined` if it cannot be read, or if it is not, or not any more, as `expected`. */
export async function digestOf(
  folder: Folder,
  base: string,
  expected?: Pick<FolderEntry, "sizeBytes" | "mtimeMs">,
): Promise<Uint8Array | undefined> {
  try {
    using source = await folder.open(base);
    const { sizeBytes, mtimeMs } = source.entry;
    if (expected && (sizeBytes !== expected.sizeBytes || mtimeMs !== expected.mtimeMs)) return undefined;
    const blake2b = (await loadBlake2b())();
    const piece = new Uint8Array(Math.min(BODY_BYTES_MAX, sizeBytes + 1));
    for (let offset = 0, count; (count = await source.readAt(offset, piece)) > 0; offset += count) {
      blake2b.update(piece.subarray(0, count));
      await breathe();
    }
    if (expected) await source.verifyUnchanged();
    return blake2b.digest().subarray(0, BLOCK_DIGEST_BYTES);
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

/** Small files in the same folder, from `start` on. */
function runFrom(files: readonly (ScannedFile | undefined)[], start: number): ScannedFile[] {
  const run: ScannedFile[] = [];
  for (let bytes = 0; run.length < READ_TOGETHER; run.push(files[start + run.length]!)) {
    const file = files[start + run.length];
    if (!file || file.folder !== files[start]!.folder) break;
    bytes += file.entry.sizeBytes;
    if (bytes > READ_TOGETHER_BYTES) break;
  }
  return run;
}

async function digestsOfSmall(files: readonly ScannedFile[]): Promise<Digests> {
  const digest = await loadBlockDigest();
  const digests: Digests = files.map(() => undefined);
  const buffer = new Uint8Array(Math.max(...files.map(({ entry }) => entry.sizeBytes)));
  await files[0]!.folder.readEach(files.map(({ entry }) => entry), buffer, (index, read) => {
    if (read === files[index]!.entry) digests[index] = digest(buffer.subarray(0, read.sizeBytes));
  });
  return digests;
}

async function digestOfOne(file: ScannedFile | undefined): Promise<Uint8Array | undefined> {
  return file && await digestOf(file.folder, file.entry.name, file.entry);
}
