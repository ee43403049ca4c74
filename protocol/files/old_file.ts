/** The file that a draft is to replace, open to be compared with what comes: links are not followed. */
import { AppError } from "../errors.ts";
import { BLOCK_BYTES, COMPARED_BLOCKS_MIN } from "../limits.ts";
import { type FileSystem, lstatIfThere } from "./file_system.ts";
import { systemCode } from "./fs_errors.ts";
import type { Here } from "./here.ts";
import type { LocalSource } from "./local_source.ts";
import { openFound } from "./open_found.ts";
import type { Place } from "./resolve.ts";

/** Whether a file that large is worth comparing. */
export function isComparable({ isFile, size }: Deno.FileInfo): boolean {
  return isFile && size >= COMPARED_BLOCKS_MIN * BLOCK_BYTES;
}

/** `undefined` where nothing is worth it, or may be read: then all is sent. `loadOpenToRead` comes before. */
export function openOld(fs: FileSystem, here: Here, { base, name }: Place): LocalSource | undefined {
  try {
    const info = lstatIfThere(fs, here.at(base));
    return info && isComparable(info) ? openFound(fs, { here, base, info }, name) : undefined;
  } catch (error) {
    if (error instanceof AppError || systemCode(error) !== undefined) return;
    throw error;
  }
}
