/** Asking for a secret as often as it may be asked: see `failed_secrets.ts`. */
import { hasCode } from "../../protocol/errors.ts";
import type { Principal } from "../policy.ts";
import { addressOf } from "./address.ts";
import type { FailedSecrets } from "./failed_secrets.ts";

type Redeem = (secret: string, peer: string) => Promise<Principal>;

/** As `redeem`, with the waits of `failures`; `wait` resolves after so many ms, or earlier when the server stops. */
export function slowedRedeem(redeem: Redeem, failures: FailedSecrets, wait: (ms: number) => Promise<void>): Redeem {
  return async (secret, peer) => {
    const address = addressOf(peer);
    const ms = failures.waitMs(address);
    if (ms > 0) await wait(ms);
    try {
      return await redeem(secret, peer);
    } catch (error) {
      if (hasCode(error, "link_refused")) failures.failed(address);
      throw error;
    }
  };
}

/** Waits that all end when it is disposed of. */
export class Waits implements Disposable {
  readonly #ends = new Set<() => void>();
  #isOver = false;

  wait(ms: number): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#ends.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#ends.add(end);
    });
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    for (const end of this.#ends) end();
  }
}
