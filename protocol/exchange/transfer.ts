/** What sender and receiver share: what they report, how they say no, and what a finished transfer was. */
import { AppError, errorNameOf, forPeer, toAppError } from "../errors.ts";
import { quoteName } from "../escape.ts";
import type { Message, MessageOf } from "../wire/messages/mod.ts";
import { TransferOrder } from "../wire/transfer_order.ts";
import type { Session } from "./session.ts";

/** Where a transfer stands, told often; `bytes` of `sizeBytes` are done, what was resumed included. */
export interface TransferProgress {
  readonly phase: "verifying" | "moving" | "flushing";
  readonly bytes: number;
  /** `undefined` while it is not known. */
  readonly sizeBytes: number | undefined;
}

/** What a transfer came to. */
export interface TransferResult {
  /** Under which name it is stored. */
  readonly name: string;
  readonly sizeBytes: number;
  /** CRC-32 of the whole content. */
  readonly crc: number;
  /** How much of it was there from an earlier attempt. */
  readonly resumedBytes: number;
  /** How much of it was taken from the file that it replaced. */
  readonly reusedBytes: number;
}

export interface TransferOptions {
  onProgress?: (progress: TransferProgress) => void;
  /** Told when an earlier attempt was thrown away because the source has changed since. */
  onRestart?: (() => void) | undefined;
  /** Whether digests of blocks may be SHA-256. @default whether this processor has instructions for it */
  isFastAtSha256?: boolean;
}

/** A session, and where in the legal order one transfer of it stands. */
export class TransferLink {
  readonly session: Session;
  readonly order = new TransferOrder();
  readonly #side: "sender" | "receiver";

  constructor(session: Session, side: "sender" | "receiver") {
    this.session = session;
    this.#side = side;
  }

  send(message: Parameters<Session["send"]>[0]): void {
    this.order.advance(this.#side, nameInOrder(message));
    this.session.send(message);
  }

  /** The peer's next message, which the order allows; one that says no is thrown as the error it stands for. */
  async receive() {
    return this.#heed(await this.session.receive());
  }

  /** The same for what has come already; `undefined` instead of waiting. */
  poll() {
    const message = this.session.poll();
    return message && this.#heed(message);
  }

  /** The last words could not be said: the session is of no more use. The error before that is the one to tell. */
  abandon(failure: unknown): void {
    this.session.close(toAppError(failure, "Cannot end the transfer"));
  }

  /** Passes over what the peer still says, up to its last word. */
  async untilOver(): Promise<void> {
    await this.session.flush();
    while (!this.order.isOver) {
      const { type } = await this.session.receive();
      this.order.advance(this.#side === "sender" ? "receiver" : "sender", type);
    }
  }

  #heed(message: Message): Message {
    this.order.advance(this.#side === "sender" ? "receiver" : "sender", nameInOrder(message));
    if (message.type === "error") throw peerError(message);
    if (message.type === "cancel") {
      throw new AppError("cancelled", "The other side called the transfer off", { by: "peer" });
    }
    return message;
  }
}

function nameInOrder(message: { readonly type: string; readonly eager?: boolean | undefined }): string {
  return message.type === "offer" && message.eager ? "eager offer" : message.type;
}

/** What the peer said no for. */
export function peerError({ code, text, advice }: Omit<MessageOf<"error">, "type">): AppError {
  return new AppError(errorNameOf(code) ?? "internal", text, { by: "peer", ...(advice ? { advice } : {}) });
}

/** The error for a file that is over the limit. */
export function tooLarge(name: string, sizeBytesMax: number): AppError {
  return new AppError("too_large", `Cannot store ${quoteName(name)}: files over ${sizeBytesMax} bytes are not taken`);
}

/** `error` as the message that tells the peer of it. */
export function errorMessage(error: AppError): MessageOf<"error"> {
  const { number, text } = forPeer(error);
  return { type: "error", code: number, text };
}

/** Whether the session is of no more use after `error`, so that nothing can be said about it any more. */
export function endsSession(error: AppError): boolean {
  return SESSION_ENDING.has(error.code);
}

const SESSION_ENDING: ReadonlySet<string> = new Set([
  "malformed",
  "damaged",
  "order",
  "limit",
  "unsupported",
  "idle",
  "lost",
  "interrupted",
  "shutting_down",
]);
