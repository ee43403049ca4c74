/** Local directories that files are stored in. */
import { AppError } from "../../protocol/errors.ts";
import { quoteName } from "../../protocol/escape.ts";
import { translating } from "../../protocol/files/fs_errors.ts";
import { LocalTree } from "../../protocol/files/local_tree.ts";
import { nameFault } from "../../protocol/names.ts";

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

/** Where a tree goes that is to be stored in a local directory, which is made with it if it is not there yet. */
export function treeFor(directory: string): { readonly tree: LocalTree; readonly into: string } {
  const path = directory.replace(/(?<=[^/])\/+$/, "");
  const missing: string[] = [];
  let above = path;
  for (; statIfThere(above || "/") === undefined; above = above.slice(0, Math.max(0, above.lastIndexOf("/")))) {
    missing.unshift(above.slice(above.lastIndexOf("/") + 1));
    if (above.includes("/")) continue;
    above = ".";
    break;
  }
  const into = missing.join("/");
  // What no server could name can still be the name of a directory here.
  const isNamed = into !== "" && nameFault(into) === undefined && statIfThere(above || "/")!.isDirectory;
  return isNamed ? { tree: new LocalTree(above || "/"), into } : { tree: makeTree(directory), into: "" };
}

/** What is there, links followed; `undefined` if nothing can be seen. */
export function statIfThere(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined; // whatever is wrong with it is told when something is stored there
  }
}
