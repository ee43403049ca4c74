/** What sender and receiver share: what they report, how they say no, and what a finished transfer was. */
import { AppError, clipForPeer, errorNameOf, ERRORS, LOCAL_FROM } from "../errors.ts";
import type { MessageOf } from "../wire/messages/mod.ts";
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
}

export interface TransferOptions {
  onProgress?: (progress: TransferProgress) => void;
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
    const message = await this.session.receive();
    this.order.advance(this.#side === "sender" ? "receiver" : "sender", nameInOrder(message));
    if (message.type === "error") throw peerError(message);
    if (message.type === "cancel") {
      throw new AppError("cancelled", "The other side called the transfer off", { by: "peer" });
    }
    return message;
  }

  /** Passes over what the peer still says, up to its last word. */
  async untilOver(): Promise<void> {
    await this.session.flush();
    while (!this.order.isOver) {
      const { type } = await this.session.receive();
      this.order.advance(this.#side === "sender" ? "receiver" : "sender", type);
    }
  }
}

function nameInOrder(message: { readonly type: string; readonly eager?: boolean | undefined }): string {
  return message.type === "offer" && message.eager ? "eager offer" : message.type;
}

/** What the peer said no for. */
export function peerError({ code, text, advice }: MessageOf<"error">): AppError {
  return new AppError(errorNameOf(code) ?? "internal", text, { by: "peer", ...(advice ? { advice } : {}) });
}

/**
 * `error` as the message that tells the peer of it. What only this machine understands is not told: it could name
 * paths, and the peer can do nothing about it.
 */
export function errorMessage(error: AppError): MessageOf<"error"> {
  const { number } = ERRORS[error.code];
  if (number < LOCAL_FROM && error.code !== "internal") {
    return { type: "error", code: number, text: clipForPeer(error.message) };
  }
  return { type: "error", code: ERRORS.internal.number, text: "The other side failed; its own log says why" };
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
