/** What lies in a directory, as a user sees it and as it is. */

/** The names in a directory that a user sees. */
export function visible(path: string): string[] {
  return names(path).filter((name) => !name.startsWith(".app-"));
}

/** All names in a directory. */
export function names(path: string): string[] {
  return Array.from(Deno.readDirSync(path), ({ name }) => name).sort();
}
