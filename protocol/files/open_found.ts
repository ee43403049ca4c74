/** From what was looked at to an open file, which is compared with it: something else may stand there by now. */
import { AppError } from "../errors.ts";
import { quoteName } from "../escape.ts";
import type { FileSystem } from "./file_system.ts";
import { systemCode } from "./fs_errors.ts";
import { LocalSource } from "./local_source.ts";
import type { ReadHandle } from "./read_handle.ts";
import { exchanged, type Found } from "./resolve.ts";
import { entryOf } from "./scan.ts";

/** What the system says to what was a file a moment ago, and is a link or a socket now. */
const EXCHANGED_BY_NOW = new Set(["ELOOP", "ENXIO"]);

/** Opens the file that was found under `name`. `loadOpenToRead` comes before. */
export function openFound(fs: FileSystem, { here, base, info }: Found, name: string): LocalSource {
  if (info.isDirectory) throw new AppError("is_directory", `Cannot open ${quoteName(name)}: it is a directory`);
  if (!info.isFile) throw new AppError("not_a_file", `Cannot open ${quoteName(name)}: it is not a regular file`);
  const file = openToRead(fs, here.at(base), name);
  try {
    const opened = file.stat();
    // A directory may have got the number of the file that was there.
    if (!opened.isFile || opened.ino !== info.ino || opened.dev !== info.dev) throw exchanged(name);
    return new LocalSource(file, entryOf(name, opened), opened);
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Opens what should be a file, without waiting for anything if it is none. */
export function openToRead(fs: FileSystem, path: string, name: string): ReadHandle {
  try {
    return fs.openToRead(path);
  } catch (error) {
    throw EXCHANGED_BY_NOW.has(systemCode(error) ?? "") ? exchanged(name) : error;
  }
}
