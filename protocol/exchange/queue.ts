/**
 * A list that grows at its end and is taken from its beginning. An array that is shifted moves all the rest each time,
 * which is most of the work where thousands wait.
 */

/** So many that were taken are forgotten together, and no sooner than as many are left. */
const FORGOTTEN_TOGETHER = 1_024;

export class Queue<T> {
  #items: T[] = [];
  #taken = 0;

  /** How many wait. */
  get length(): number {
    return this.#items.length - this.#taken;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** The one that waits at `index`, counted from the next one, which is 0; `undefined` for those that were taken. */
  at(index: number): T | undefined {
    return index < 0 ? undefined : this.#items[this.#taken + index];
  }

  /** Takes the next one. */
  shift(): T | undefined {
    const item = this.#items[this.#taken];
    if (this.length > 0) this.drop(1);
    return item;
  }

  /** Takes the next `count`, which are there. */
  drop(count: number): void {
    this.#taken += count;
    if (this.#taken < FORGOTTEN_TOGETHER || this.#taken < this.length) return;
    this.#items = this.#items.slice(this.#taken);
    this.#taken = 0;
  }
}
