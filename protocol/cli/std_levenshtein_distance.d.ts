/** `@std/text/levenshtein-distance`; the npm package has the code without its types. */
export function levenshteinDistance(one: string, other: string): number;
