/** The part of `@std/cli/parse-args` that is used here; the npm package has the code without its types. */
export interface ParseArgsOptions {
  string?: readonly string[];
  collect?: readonly string[];
  boolean?: readonly string[];
  alias?: Readonly<Record<string, string>>;
  unknown?: (argument: string, key?: string, value?: unknown) => unknown;
}
export function parseArgs(
  args: readonly string[],
  options?: ParseArgsOptions,
): Record<string, unknown> & { _: string[] };
