/** Changing what stands in the directory that we stand in: links, times and bits, and what goes away. */
import { isReserved } from "../names.ts";
import { type FileSystem, removeIfThere, setTime } from "./file_system.ts";
import { stagedName } from "./folder_staging.ts";
import type { Here } from "./here.ts";
import { join } from "./paths.ts";
import { setPermissions } from "./permissions.ts";
import { exchanged } from "./resolve.ts";
import type { StoredFacts } from "./tree.ts";

/** Makes a link; with `replace` in one step in place of a file or link. */
export function makeLink(
  fs: FileSystem,
  here: Here,
  base: string,
  target: string,
  ifTaken: "error" | "replace",
): void {
  if (ifTaken === "error") return fs.symlinkSync(target, here.at(base));
  const staged = here.at(stagedName());
  fs.symlinkSync(target, staged);
  try {
    fs.renameSync(staged, here.at(base));
  } catch (error) {
    removeIfThere(fs, staged);
    throw error;
  }
}

/** Gives a file or directory another time or other bits; a link would be followed, and keeps its own. */
export function adjustEntry(fs: FileSystem, here: Here, base: string, facts: Partial<StoredFacts>): void {
  const path = here.at(base);
  const info = fs.lstatSync(path);
  if (!info.isFile && !info.isDirectory) return;
  setPermissions(fs, path, facts);
  if (facts.mtimeMs !== undefined) setTime(fs, path, facts.mtimeMs);
}

/**
 * Removes a file, a link, or a directory that is empty but for leftovers of ours. `parent` is the path of where we
 * stand, `name` what errors say.
 */
export function removeEntry(fs: FileSystem, here: Here, base: string, parent: string, name: string): void {
  try {
    fs.removeSync(here.at(base));
  } catch (error) {
    if (!fs.lstatSync(here.at(base)).isDirectory) throw error;
    const below = here.down(base);
    if (below.path !== join(parent, base)) throw exchanged(name);
    for (const { name: leftover, isFile } of fs.readDirSync(below.at("."))) {
      if (isFile && isReserved(leftover)) removeIfThere(fs, below.at(leftover));
    }
    fs.removeSync(join(parent, base)); // a directory that is empty, whatever else stands there now
  }
}
