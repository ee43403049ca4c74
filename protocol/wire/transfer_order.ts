/**
 * The legal orders of one transfer, as a table: in which state who may send which message, and what comes of it.
 *
 * Both engines, `exchange/sender.ts` and `exchange/receiver.ts`, advance one of these with every message that they send
 * or get, so that neither can go astray unseen, and an error says whose fault it is. The specification has the table.
 */
import { AppError } from "../errors.ts";

export type Side = "sender" | "receiver";

/** `proving` and `sending` are followed by `answering` when the sender has said all; the last two are the ends. */
export type TransferState =
  | "start"
  | "offered"
  | "proving"
  | "sending"
  | "answering"
  | "declined"
  | "finished";

type TransferMessage =
  | "offer"
  | "eager offer"
  | "accept"
  | "digests"
  | "from"
  | "data"
  | "end"
  | "stored"
  | "error"
  | "cancel";

type Row = readonly [state: TransferState, side: Side, message: TransferMessage, next: TransferState];

/** Every legal step; what is not here is an error of who sent it. */
export const TRANSFER_ORDER: readonly Row[] = [
  ["start", "sender", "offer", "offered"],
  ["start", "sender", "eager offer", "sending"],
  ["start", "sender", "error", "finished"],
  ["offered", "receiver", "accept", "proving"],
  ["offered", "receiver", "error", "finished"],
  ["offered", "sender", "error", "finished"],
  ["offered", "sender", "cancel", "finished"],
  ["proving", "receiver", "digests", "proving"],
  ["proving", "sender", "from", "sending"],
  ["proving", "receiver", "error", "declined"],
  ["proving", "sender", "error", "finished"],
  ["proving", "sender", "cancel", "finished"],
  ["sending", "sender", "data", "sending"],
  ["sending", "sender", "end", "answering"],
  ["sending", "sender", "error", "finished"],
  ["sending", "sender", "cancel", "finished"],
  ["sending", "receiver", "error", "declined"],
  ["answering", "receiver", "stored", "finished"],
  ["answering", "receiver", "error", "finished"],
  // The receiver said no while the sender was still speaking: it passes over the rest, up to the sender's last word.
  ["declined", "sender", "from", "declined"],
  ["declined", "sender", "data", "declined"],
  ["declined", "sender", "end", "finished"],
  ["declined", "sender", "error", "finished"],
  ["declined", "sender", "cancel", "finished"],
];

const NEXT: ReadonlyMap<string, TransferState> = new Map(
  TRANSFER_ORDER.map(([state, side, message, next]) => [`${state} ${side} ${message}`, next]),
);

/** One transfer as both sides see it. */
export class TransferOrder {
  state: TransferState = "start";

  /** `side` sent `message`. Throws `order`, which ends the connection, if it may not do that now. */
  advance(side: Side, message: string): void {
    const next = NEXT.get(`${this.state} ${side} ${message}`);
    if (!next) throw new AppError("order", `The ${side} may not send "${message}" while a transfer is ${this.state}`);
    this.state = next;
  }

  get isOver(): boolean {
    return this.state === "finished";
  }
}
