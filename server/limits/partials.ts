/** Which unfinished uploads each address began: those that are over, or too old to be kept, do not count. */
import { PARTIAL_AGE_MAX_MS } from "../../protocol/limits.ts";
import { isOwn } from "./address.ts";

/** Addresses that are counted apart; beyond, only the limit of all of them holds. */
const ADDRESSES_MAX = 4_096;

export class PartialsByAddress {
  readonly #now: () => number;
  /** When each was begun, by what it is to be called, the oldest first. */
  readonly #begun = new Map<string, Map<string, number>>();

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  countOf(address: string): number {
    const names = this.#begun.get(address) ?? new Map<string, number>();
    for (const [name, begunAt] of names) {
      if (this.#now() - begunAt < PARTIAL_AGE_MAX_MS) break;
      names.delete(name);
    }
    return names.size;
  }

  /** Of the address that has most of them. */
  get most(): number {
    return Math.max(0, ...[...this.#begun.keys()].map((address) => this.countOf(address)));
  }

  add(address: string, name: string): void {
    if (isOwn(address) || (!this.#begun.has(address) && this.#begun.size >= ADDRESSES_MAX)) return;
    const names = this.#begun.get(address) ?? new Map<string, number>();
    this.#begun.set(address, names);
    names.delete(name);
    names.set(name, this.#now());
  }

  /** Whoever finished or removed it: it is nobody's any more. */
  remove(name: string): void {
    for (const [address, names] of this.#begun) {
      if (names.delete(name) && names.size === 0) this.#begun.delete(address);
    }
  }
}
