/** Local directories that files are stored in. */
import { AppError } from "../../protocol/errors.ts";
import { quoteName } from "../../protocol/escape.ts";
import { translating } from "../../protocol/files/fs_errors.ts";
import { LocalTree } from "../../protocol/files/local_tree.ts";

/** The tree of a local directory, which is made with its parents. */
export function makeTree(directory: string): LocalTree {
  if (statIfThere(directory.replace(/\/+$/, "") || "/")?.isDirectory === false) {
    throw new AppError("not_a_directory", `Cannot store anything in ${quoteName(directory)}: it is not a directory`, {
      advice: "Name a directory with --output, or a new one",
    });
  }
  translating("store anything in", directory, () => Deno.mkdirSync(directory, { recursive: true }));
  return new LocalTree(directory);
}

/** What is there, links followed; `undefined` if nothing can be seen. */
export function statIfThere(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined; // whatever is wrong with it is told when something is stored there
  }
}
