/**
 * What keeps records: the interface that handlers see. No path, no file and no type of the runtime is in it, so that a
 * database can stand in its place.
 */

/** What is known of a country. */
export interface CountryRecord {
  readonly country: string;
  readonly capital: string;
  /** Absent when nobody has said. */
  readonly population?: number;
}

export interface RecordStore {
  /** The record of `country`, under any of its spellings; `undefined` if there is none. */
  find(country: string): Promise<CountryRecord | undefined>;
  /**
   * The same for a store that may have the answer at hand, without waiting: there can be a million questions a second.
   * `undefined` also when it has to look; then ask `find`. As long as a record is the same, it is the same object.
   */
  peek?(country: string): CountryRecord | undefined;
  /** Names that are near to `country`, the nearest first, at most three. */
  suggest(country: string): Promise<readonly string[]>;
  /**
   * Adds a record; it is durable when this resolves. Throws `exists` if the country is known under any spelling,
   * `bad_record` for one that cannot be kept as it is, and what the store itself fails of.
   */
  add(record: CountryRecord): Promise<void>;
}
