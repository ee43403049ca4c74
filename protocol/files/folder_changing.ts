/** Changing what stands in the directory that we stand in: links, and what goes away. */
import { isReserved } from "../names.ts";
import { type FileSystem, removeIfThere } from "./file_system.ts";
import { setLinkTime } from "./adjusting.ts";
import { stagedName } from "./folder_staging.ts";
import type { Here } from "./here.ts";
import { join } from "./paths.ts";
import { exchanged } from "./resolve.ts";
import type { NewLink } from "./tree.ts";

/** Makes a link with a time of its own; with `replace` in one step in place of a file or link. */
export function makeLink(
  fs: FileSystem,
  here: Here,
  { base, target, mtimeMs }: NewLink,
  ifTaken: "error" | "replace",
): void {
  if (ifTaken === "error") {
    fs.symlinkSync(target, here.at(base));
    return setLinkTime(fs, here.at(base), mtimeMs);
  }
  const staged = here.at(stagedName());
  fs.symlinkSync(target, staged);
  try {
    setLinkTime(fs, staged, mtimeMs);
    fs.renameSync(staged, here.at(base));
  } catch (error) {
    removeIfThere(fs, staged);
    throw error;
  }
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
    const back = below.down("..");
    if (back.path !== parent || !fs.lstatSync(back.at(base)).isDirectory) throw exchanged(name);
    fs.removeSync(back.at(base));
  }
}
