/**
 * The entries that a sender of a tree keeps in mind, since the receiver planned them for later: it may ask which files they
 * are, each once, and says at last what becomes of them.
 */
import { AppError } from "../errors.ts";
import { BLOCK_DIGEST_BYTES, TREE_LATER_MAX } from "../limits.ts";
import { unpackIndices } from "../wire/plan_actions.ts";
import type { Session } from "./session.ts";
import { digestsOf } from "./tree_digests.ts";
import { joinNames, type Told, type WalkOptions } from "./tree_walk.ts";

export interface LaterOptions extends Pick<WalkOptions, "refuses"> {
  /** Below which directory of ours the tree is. */
  readonly top: string;
}

export class Later {
  readonly #session: Session;
  readonly #options: LaterOptions;
  readonly #told = new Map<number, Told>();
  /** What was asked, and not answered. */
  #asked: Told[][] = [];
  #askedUpTo = -1;

  constructor(session: Session, options: LaterOptions) {
    this.#session = session;
    this.#options = options;
  }

  /** Throws `limit` when that are too many. */
  add(number: number, told: Told): void {
    if (this.#told.size >= TREE_LATER_MAX) {
      throw new AppError("limit", `The receiver put off more than ${TREE_LATER_MAX} entries`);
    }
    this.#told.set(number, told);
  }

  get(number: number): Told | undefined {
    return this.#told.get(number);
  }

  delete(number: number): void {
    this.#told.delete(number);
  }

  /** Whether a question waits for its answer. */
  get isAsked(): boolean {
    return this.#asked.length > 0;
  }

  /** The receiver asks which files those are. Throws `order` for others, and for one that it has asked about. */
  take(numbers: Uint8Array): void {
    this.#asked.push(
      unpackIndices(numbers).map((number) => {
        const told = number > this.#askedUpTo ? this.#told.get(number) : undefined;
        if (told?.entry.kind !== "file") throw new AppError("order", `The receiver asked about entry ${number}`);
        this.#askedUpTo = number;
        return told;
      }),
    );
  }

  /** Answers the question that waits longest. `verifyAlive` throws when nobody wants to know any more. */
  async answer(verifyAlive: () => void): Promise<void> {
    const { refuses, top } = this.#options;
    const asked = this.#asked.shift() ?? [];
    const files = asked.map((told) => refuses?.("read", joinNames(top, told.name)) ? undefined : told);
    const digests = new Uint8Array(asked.length * BLOCK_DIGEST_BYTES);
    for (const [index, digest] of (await digestsOf(files, verifyAlive)).entries()) {
      if (digest) digests.set(digest, index * BLOCK_DIGEST_BYTES);
    }
    this.#session.send({ type: "proof", digests });
  }
}
