/** The part of `@std/csv/parse` that is used here; the npm package has the code without its types. */
export function parse(input: string): string[][];
