/** "Did you mean …?" for what was mistyped. */
// @ts-types="./std_levenshtein_distance.d.ts"
import { levenshteinDistance } from "@std/text/levenshtein-distance";

/** `: did you mean --port?` if one of `known` is near to `given`, else nothing. */
export function didYouMean(given: string, known: readonly string[]): string {
  const [nearest] = nearWords(given, known);
  return nearest ? `: did you mean ${nearest}?` : "";
}

/** Those of `known` that `given` may have been meant for, the nearest first. */
export function nearWords(given: string, known: readonly string[]): string[] {
  return known
    .filter((word) => Math.abs(word.length - given.length) <= distanceMax(given, word)) // the distance is at least that
    .map((word) => ({ word, distance: hasTwoSwapped(given, word) ? 1 : levenshteinDistance(given, word) }))
    .filter(({ word, distance }) => distance <= distanceMax(given, word))
    .sort((a, b) => a.distance - b.distance)
    .map(({ word }) => word);
}

function distanceMax(given: string, word: string): number {
  return Math.max(1, Math.floor(Math.min(given.length, word.length) / 3));
}

/** Whether the words differ in two neighbours that changed places: one slip of the fingers, but an edit distance of 2. */
function hasTwoSwapped(a: string, b: string): boolean {
  const at = Array.from(a).findIndex((letter, index) => letter !== b[index]);
  return at >= 0 && a.slice(0, at) + a[at + 1] + a[at] + a.slice(at + 2) === b;
}
