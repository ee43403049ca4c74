/**
 * Giving a file of one directory a name in another one, where we stand, beside the name that it has: whoever is stopped in
 * between leaves it under both. Nothing is replaced. Whether it is the file that was meant is asked behind the link, too,
 * when nobody can exchange it any more. `loadAdjusting` comes before.
 */
import { AppError } from "../errors.ts";
import { quoteName } from "../escape.ts";
import { adjustEntry } from "./adjusting.ts";
import { type FileSystem, lstatIfThere, removeIfThere } from "./file_system.ts";
import { isStill } from "./folder_reading.ts";
import { systemCode } from "./fs_errors.ts";
import type { Here } from "./here.ts";
import { modeOf } from "./permissions.ts";
import { NO_HARD_LINKS, taken } from "./publish.ts";
import type { Adopted, ToAdopt } from "./tree.ts";

/** `path` is where the file stands, `name` what it is to be called, for errors. */
export function adoptFile(fs: FileSystem, here: Here, path: string, file: ToAdopt, name: string): Adopted {
  const info = verifyStill(fs, path, file, name);
  const { mtimeMs } = file.facts;
  const mode = modeOf(file.facts);
  const isAsItIs = info.mtime?.getTime() === mtimeMs && (mode === undefined || mode === ((info.mode ?? 0) & 0o777));
  // Time and bits belong to the file and not to the name: those of the other names would change, too.
  if (!isAsItIs && (info.nlink ?? 1) > 1) {
    throw new AppError("exists", `Cannot move to ${quoteName(name)}: it has links`);
  }
  const adopted = link(fs, path, here.at(file.base), name);
  try {
    verifyStill(fs, here.at(file.base), file, name);
  } catch (error) {
    if (adopted === "linked") removeIfThere(fs, here.at(file.base));
    throw error;
  }
  if (isAsItIs) return adopted;
  const change = { base: file.base, facts: file.facts, expected: file.entry };
  adjustEntry(fs, here, change, name, () => {}).release(); // only a crash may take time and bits away again
  return adopted;
}

function verifyStill(fs: FileSystem, path: string, { entry }: ToAdopt, name: string): Deno.FileInfo {
  const info = fs.lstatSync(path);
  if (info.isFile && isStill(entry, info)) return info;
  throw new AppError("source_changed", `Cannot move to ${quoteName(name)}: it changed in that moment`);
}

function link(fs: FileSystem, from: string, to: string, name: string): Adopted {
  try {
    fs.linkSync(from, to);
    return "linked";
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw taken(name);
    if (!NO_HARD_LINKS.has(systemCode(error) ?? "")) throw error;
  }
  if (lstatIfThere(fs, to)) throw taken(name);
  fs.renameSync(from, to);
  return "renamed";
}
