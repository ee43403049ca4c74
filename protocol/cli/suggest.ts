/** "Did you mean …?" for what was mistyped. */
// @ts-types="./std_levenshtein_distance.d.ts"
import { levenshteinDistance } from "@std/text/levenshtein-distance";

/** `: did you mean --port?` if one of `known` is near to `given`, else nothing. */
export function didYouMean(given: string, known: readonly string[]): string {
  const nearest = known
    .map((word) => ({ word, distance: levenshteinDistance(given, word) }))
    .filter(({ word, distance }) => distance <= Math.max(1, Math.floor(Math.min(given.length, word.length) / 3)))
    .sort((a, b) => a.distance - b.distance)[0];
  return nearest ? `: did you mean ${nearest.word}?` : "";
}
