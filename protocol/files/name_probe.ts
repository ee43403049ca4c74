/**
 * Finds out which names are the same in a directory: by another spelling of a name that is there, and where none is
 * there, by a file of ours that goes away at once. Remembered for each directory as long as the process runs.
 */
import { ANY_NAMES, type NameRules } from "../name_rules.ts";
import { NAME_BYTES_MAX, NAME_PART_BYTES_MAX } from "../limits.ts";
import { type FileSystem, lstatIfThere, removeIfThere } from "./file_system.ts";
import { stagedName } from "./folder_staging.ts";
import type { Here } from "./here.ts";

type Sameness = Pick<NameRules, "ignoresCase" | "normalises">;

/** Directories that are remembered; beyond, all are forgotten. */
const REMEMBERED_MAX = 1_000;
const remembered = new Map<string, Sameness>();

/** What a system does where it cannot be found out. */
const USUAL: Sameness = {
  ignoresCase: Deno.build.os === "windows" || Deno.build.os === "darwin",
  normalises: Deno.build.os === "darwin",
};

/** The longest path of a directory that a system takes. What is in it is named from there. */
const PATH_BYTES_MAX = { linux: 4_095, darwin: 1_023 }[Deno.build.os as string] ?? 32_000;

/** The rules of the directory that we stand in. */
export function probeNames(fs: FileSystem, here: Here): NameRules {
  const { path } = here;
  let sameness = remembered.get(path);
  if (!sameness) {
    if (remembered.size >= REMEMBERED_MAX) remembered.clear();
    remembered.set(path, sameness = samenessIn(fs, here));
  }
  const left = PATH_BYTES_MAX - new TextEncoder().encode(path).length + NAME_PART_BYTES_MAX;
  const nameBytesMax = Math.min(NAME_BYTES_MAX, Math.max(NAME_PART_BYTES_MAX, left));
  return { ...ANY_NAMES, ...sameness, isWindows: Deno.build.os === "windows", nameBytesMax };
}

function samenessIn(fs: FileSystem, here: Here): Sameness {
  try {
    const names = new Set(Array.from(fs.readDirSync(here.at(".")), ({ name }) => name));
    for (const name of names) {
      const other = inOtherCase(name);
      // What is listed under both spellings has two names.
      if (!names.has(other)) return { ...USUAL, ignoresCase: isThere(fs, here, other) };
    }
    return samenessOfOurs(fs, here);
  } catch {
    return USUAL; // it may not be listed or written: then nothing is stored there either
  }
}

/** Of a file that is there for a moment. The time of the directory is put back, since nothing has changed in it. */
function samenessOfOurs(fs: FileSystem, here: Here): Sameness {
  const { atime, mtime } = fs.lstatSync(here.at("."));
  const name = `${stagedName()}-\u00e9`;
  fs.writeFileSync(here.at(name), new Uint8Array(), { createNew: true });
  try {
    return {
      ignoresCase: isThere(fs, here, inOtherCase(name)),
      normalises: isThere(fs, here, name.normalize("NFD")),
    };
  } finally {
    removeIfThere(fs, here.at(name));
    if (mtime) fs.utimeSync(here.at("."), atime ?? mtime, mtime);
  }
}

function isThere(fs: FileSystem, here: Here, base: string): boolean {
  return lstatIfThere(fs, here.at(base)) !== undefined;
}

/** Letters of ASCII only: what else is the same differs between systems. */
function inOtherCase(name: string): string {
  return name.replace(/[a-z]/gi, (letter) => letter < "a" ? letter.toLowerCase() : letter.toUpperCase());
}
