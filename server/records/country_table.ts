/** Records in memory: found by their name as it is spelled, by any other spelling, or by what is near to it. */
import { nearWords } from "../../protocol/cli/suggest.ts";
import type { CountryRecord } from "./record_store.ts";
import { keyOf } from "./spelling.ts";

const SUGGESTIONS_MAX = 3;
/** Names that are compared with an unknown one; in a larger table only those with the same first letters are. */
const COMPARED_MAX = 2_000;
/** A longer name is no slip of the fingers, and would take long to compare. */
const COMPARED_LENGTH_MAX = 100;

export class CountryTable {
  readonly #byName = new Map<string, CountryRecord>();
  readonly #byKey = new Map<string, CountryRecord>();

  find(country: string): CountryRecord | undefined {
    return this.#byName.get(country) ?? this.#byKey.get(keyOf(country));
  }

  /** Whether it was added: not if the country is there under any spelling. */
  add(record: CountryRecord): boolean {
    const key = keyOf(record.country);
    if (key === "" || this.#byKey.has(key)) return false;
    this.#byKey.set(key, record);
    this.#byName.set(record.country, record);
    return true;
  }

  suggest(country: string): string[] {
    const key = keyOf(country);
    if (key.length < 2 || key.length > COMPARED_LENGTH_MAX) return [];
    return nearWords(key, this.#candidates(key))
      .slice(0, SUGGESTIONS_MAX)
      .map((near) => this.#byKey.get(near)!.country);
  }

  #candidates(key: string): string[] {
    const keys = [...this.#byKey.keys()];
    if (keys.length <= COMPARED_MAX) return keys;
    return keys.filter((one) => one.startsWith(key.slice(0, 2))).slice(0, COMPARED_MAX);
  }
}
