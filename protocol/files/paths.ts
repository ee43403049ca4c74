/** Paths of this system, as text. */

export const SEPARATOR = Deno.build.os === "windows" ? "\\" : "/";

export function join(directory: string, base: string): string {
  return directory.endsWith(SEPARATOR) ? directory + base : directory + SEPARATOR + base;
}

/** What stands before the last separator, and what behind it, of a path that begins at the top. */
export function splitPath(path: string): { directory: string; base: string } {
  const at = path.lastIndexOf(SEPARATOR);
  return { directory: path.slice(0, at) || SEPARATOR, base: path.slice(at + 1) };
}
