/** One file that a person named by its path, wherever it lies: the source of a `put`. Links are followed. */
import { AppError } from "../errors.ts";
import { quoteName } from "../escape.ts";
import { FILE_SYSTEM, type FileSystem } from "./file_system.ts";
import { translating } from "./fs_errors.ts";
import { LocalSource } from "./local_source.ts";
import { handleOf } from "./read_handle.ts";
import { entryOf } from "./scan.ts";
import type { Source } from "./tree.ts";

/** Throws `not_found`, `is_directory`, `not_a_file` or `denied`. */
export function openLocalFile(path: string, fs: FileSystem = FILE_SYSTEM): Source {
  return translating("open", path, () => {
    const info = fs.statSync(path); // looked at before it is opened, since opening a pipe would wait for its writer
    if (info.isDirectory) {
      throw new AppError("is_directory", `Cannot send ${quoteName(path)}: it is a directory`, {
        advice: "Name the files in it",
      });
    }
    if (!info.isFile) {
      const advice = "Pipe it into: app put HOST PORT - --as NAME";
      throw new AppError("not_a_file", `Cannot send ${quoteName(path)}: it is not a regular file`, { advice });
    }
    const file = handleOf(fs.openSync(path, { read: true }));
    const opened = file.stat();
    return new LocalSource(file, entryOf(path, opened), opened);
  });
}
