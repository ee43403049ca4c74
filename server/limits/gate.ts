/**
 * Who is let in: how many connections there are, how many of them have not finished their opening, and from where.
 *
 * A newcomer is refused only when there is no room but that of others at work. Room that is held by openings is taken
 * from the oldest of the address that has most of them, of those that said nothing yet first: an honest opening lasts
 * milliseconds, so the one that waits longest is the one that is least likely to become anything. To refuse the newcomer instead would let anybody hold all
 * places for nothing, time and again, for as long as an opening may last.
 */
import type { ErrorName } from "../../protocol/errors.ts";
import type { ServerLimits } from "../../protocol/limits.ts";
import { addressOf, isOwn } from "./address.ts";

export type GateLimits = Pick<
  ServerLimits,
  "connectionsMax" | "connectionsPerAddressMax" | "openingsMax" | "openingsPerAddressMax"
>;

/** One connection that was let in. */
export interface Pass extends Disposable {
  /** It has begun to speak: those that have not are dropped before it. */
  spoke(): void;
  /** Its opening is over: nobody drops it any more. */
  opened(): void;
}

interface Guest {
  readonly address: Address;
  readonly drop: () => void;
  hasSpoken: boolean;
  isIn: boolean;
}

interface Address {
  readonly name: string;
  connections: number;
  /** The oldest first. */
  readonly openings: Set<Guest>;
}

export class Gate {
  readonly #limits: GateLimits;
  readonly #addresses = new Map<string, Address>();
  #connections = 0;
  #openings = 0;
  /** So far. */
  readonly totals = { accepted: 0, refused: 0, dropped: 0 };

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  get connections(): number {
    return this.#connections;
  }

  get openings(): number {
    return this.#openings;
  }

  /** Connections of the address that has most of them, this machine's own left out. */
  get mostOfOneAddress(): number {
    return Math.max(
      0,
      ...[...this.#addresses.values()].filter(({ name }) => !isOwn(name)).map((one) => one.connections),
    );
  }

  /**
   * Lets the connection of `peer` in, perhaps in the place of another one, whose `drop` is called; or the name of the
   * error that it is refused for.
   */
  admit(peer: string, drop: () => void): Pass | ErrorName {
    const name = addressOf(peer);
    const address = this.#addresses.get(name) ?? { name, connections: 0, openings: new Set() };
    const fault = (isOwn(name) ? undefined : this.#roomAt(address)) ?? this.#room();
    if (fault) {
      this.totals.refused++;
      return fault;
    }
    this.totals.accepted++;
    return this.#enter({ address, drop, hasSpoken: false, isIn: true });
  }

  /** Drops the oldest opening of the address that has most of them; whether there was any. */
  dropOldest(): boolean {
    let crowd: Address | undefined;
    for (const address of this.#addresses.values()) {
      if (address.openings.size > (crowd?.openings.size ?? 0)) crowd = address;
    }
    return crowd !== undefined && this.#dropOldestOf(crowd);
  }

  #roomAt(address: Address): ErrorName | undefined {
    const { connectionsPerAddressMax, openingsPerAddressMax } = this.#limits;
    const isFull = address.connections >= connectionsPerAddressMax;
    if (!isFull && address.openings.size < openingsPerAddressMax) return;
    if (!this.#dropOldestOf(address) && isFull) return "address_full";
  }

  #room(): ErrorName | undefined {
    const { connectionsMax, openingsMax } = this.#limits;
    const isFull = this.#connections >= connectionsMax;
    if (!isFull && this.#openings < openingsMax) return;
    if (!this.dropOldest() && isFull) return "too_many_connections";
  }

  #enter(guest: Guest): Pass {
    const { address } = guest;
    this.#addresses.set(address.name, address);
    this.#connections++;
    this.#openings++;
    address.connections++;
    address.openings.add(guest);
    return {
      spoke: () => void (guest.hasSpoken = true),
      opened: () => this.#endOpening(guest),
      [Symbol.dispose]: () => this.#leave(guest),
    };
  }

  /** A dropped one has left at once: in a storm, those that are still about to end must not count. */
  #dropOldestOf({ openings }: Address): boolean {
    let oldest: Guest | undefined;
    for (const guest of openings) {
      oldest ??= guest;
      if (guest.hasSpoken) continue;
      oldest = guest;
      break;
    }
    if (!oldest) return false;
    this.totals.dropped++;
    this.#leave(oldest);
    oldest.drop();
    return true;
  }

  #endOpening(guest: Guest): void {
    if (guest.address.openings.delete(guest)) this.#openings--;
  }

  #leave(guest: Guest): void {
    if (!guest.isIn) return;
    guest.isIn = false;
    this.#endOpening(guest);
    this.#connections--;
    if (--guest.address.connections === 0) this.#addresses.delete(guest.address.name);
  }
}
