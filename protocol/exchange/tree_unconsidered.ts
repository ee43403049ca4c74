/**
 * The entries that a sender of a tree has told, and of which its receiver has not said yet what it makes of them. They are
 * kept as they were found, many at a time: of most of them nothing is wanted.
 */
import { Queue } from "./queue.ts";
import { type Told, toldAt, type WalkBatch } from "./tree_walk.ts";

export class Unconsidered {
  /** The first of them may be considered in part. */
  readonly #batches = new Queue<WalkBatch>();
  /** The number of the first entry in them. */
  #first = 0;
  #considered = 0;
  #told = 0;
  #bytes = 0;
  /** The batch in which an entry was looked up last, and the number of its first. */
  #found = { at: 0, first: 0 };

  /** How many entries were told in all: the number of the next one. */
  get told(): number {
    return this.#told;
  }

  /** How many of them are considered. */
  get considered(): number {
    return this.#considered;
  }

  /** How many bytes the others take in messages, at most. */
  get bytes(): number {
    return this.#bytes;
  }

  add(batch: WalkBatch): void {
    if (batch.found.length === 0) return;
    this.#batches.push({ ...batch, entries: [] });
    this.#told += batch.found.length;
    this.#bytes += batch.bytes;
  }

  /** The entry of that number; `undefined` if it is none of these. To ask for them in their order takes no time. */
  at(number: number): Told | undefined {
    if (number < this.#considered || number >= this.#told) return undefined;
    if (number < this.#found.first) this.#found = { at: 0, first: this.#first };
    let { at, first } = this.#found;
    let batch = this.#batches.at(at)!;
    while (number >= first + batch.found.length) {
      first += batch.found.length;
      batch = this.#batches.at(++at)!;
    }
    this.#found = { at, first };
    return toldAt(batch, number - first);
  }

  /** All before the entry `considered` are, which is none before those that were. */
  consider(considered: number): void {
    this.#considered = considered;
    for (let batch = this.#batches.at(0); batch; batch = this.#batches.at(0)) {
      if (considered < this.#first + batch.found.length) break;
      this.#batches.drop(1);
      this.#first += batch.found.length;
      this.#bytes -= batch.bytes;
    }
    this.#found = { at: 0, first: this.#first };
  }
}
