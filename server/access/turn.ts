/**
 * Whose turn it is with a link that is good for one transfer: one user at a time. Who has moved nothing for a moment
 * loses the turn to the next, since its connection may be dead without anybody knowing.
 */
import { AppError } from "../../protocol/errors.ts";
import { PARTIAL_SILENCE_MAX_MS } from "../../protocol/limits.ts";

/** Who takes a turn; a session is one. */
export interface TurnUser {
  /** One of these grows as long as it is at work. */
  readonly dataBytesMoved: number;
  readonly dataBytesReused?: number;
  close(reason: AppError): void;
}

/** One transfer under a link that is good for one. Dispose it when the transfer is over, however it ended. */
export interface Turn extends Disposable {
  /** From now on the link is for this transfer alone. Call it when the file is found and before any of it moves. */
  bind(): Promise<void>;
  /** Throws `busy` if somebody else took the turn over. Call it before the file becomes visible. */
  verify(): void;
  /** The file was delivered whole: the link is used up, durably. */
  delivered(): Promise<void>;
}

interface Holder {
  readonly user: TurnUser;
  seenBytes: number;
  seenAtMs: number;
}

export class Turns {
  #holder: Holder | undefined;
  readonly #now: () => number;

  /** `now` is in milliseconds. @default the clock of this process */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** Throws `busy` while somebody else is at work. */
  take(user: TurnUser): { isHeld(): boolean; release(): void } {
    if (this.#holder) this.#endSilent(this.#holder);
    const holder = { user, seenBytes: bytesDone(user), seenAtMs: this.#now() };
    this.#holder = holder;
    return {
      isHeld: () => this.#holder === holder,
      release: () => {
        if (this.#holder === holder) this.#holder = undefined;
      },
    };
  }

  #endSilent(holder: Holder): void {
    const bytes = bytesDone(holder.user);
    const isSilent = bytes === holder.seenBytes && this.#now() - holder.seenAtMs >= PARTIAL_SILENCE_MAX_MS;
    if (isSilent) return holder.user.close(busy());
    if (bytes !== holder.seenBytes) Object.assign(holder, { seenBytes: bytes, seenAtMs: this.#now() });
    throw busy();
  }
}

function bytesDone({ dataBytesMoved, dataBytesReused = 0 }: TurnUser): number {
  return dataBytesMoved + dataBytesReused;
}

/** The error for who comes second. */
export function busy(): AppError {
  return new AppError("busy", "The link is good for one transfer, and somebody else is at it now");
}
