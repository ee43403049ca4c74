/** Which names are left out, by patterns as in `.gitignore`. */
import { AppError } from "../../protocol/errors.ts";
import { quoteName } from "../../protocol/escape.ts";
import { translating } from "../../protocol/files/fs_errors.ts";

export const EXCLUSION_OPTIONS = [
  { name: "exclude", kind: "list", value: "PATTERN", help: "Leave these names out, as in .gitignore; may be repeated" },
  { name: "include", kind: "list", value: "PATTERN", help: "But not these; may be repeated" },
  { name: "exclude-from", kind: "list", value: "FILE", help: "Leave out what the patterns in FILE say" },
] as const;

interface Patterns {
  readonly exclude: readonly string[];
  readonly include: readonly string[];
  readonly "exclude-from": readonly string[];
}

/** Files of patterns first, then what is excluded, then what is not; later ones win. `undefined` without patterns. */
export async function exclusionOf(
  patterns: Patterns,
): Promise<((name: string, isDirectory: boolean) => boolean) | undefined> {
  const { exclude, include, "exclude-from": files } = patterns;
  if (exclude.length + include.length + files.length === 0) return undefined;
  const { default: ignore } = await import("ignore");
  const matcher = ignore();
  for (const file of files) matcher.add(translating("read", file, () => Deno.readTextFileSync(file)));
  matcher.add([...exclude, ...include.map((pattern) => `!${pattern}`)]);
  return (name, isDirectory) => {
    try {
      return matcher.ignores(isDirectory ? `${name}/` : name);
    } catch (cause) {
      throw new AppError("failed", `Cannot compare ${quoteName(name)} with the patterns`, { cause });
    }
  };
}
