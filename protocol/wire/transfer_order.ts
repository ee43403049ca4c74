/**
 * The legal orders of one transfer, as a table: in which state who may send which message, and what comes of it.
 *
 * A transfer is over when both have said their last word: the sender `end`, `error` or `cancel`, the receiver `stored`
 * or `error`. So messages that cross on their way do no harm, and the next request begins on clean ground.
 *
 * Both engines, `exchange/sender.ts` and `exchange/receiver.ts`, advance one of these with every message that they send
 * or get, so that neither can go astray unseen, and an error says whose fault it is. The specification has the table.
 */
import { AppError } from "../errors.ts";

export type Side = "sender" | "receiver";

export type TransferState =
  | "start"
  | "offered"
  | "proving"
  | "sending"
  /** The sender has said all; the receiver's answer is awaited. */
  | "answering"
  /** The receiver has said no; the sender's last word is awaited. */
  | "declined"
  /** The sender has taken its offer back; the receiver's last word is awaited. */
  | "withdrawn"
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
  | "compare"
  | "same"
  | "error"
  | "cancel";

type Row = readonly [state: TransferState, side: Side, message: TransferMessage, next: TransferState];

/** Every legal step; what is not here is an error of who sent it. */
export const TRANSFER_ORDER: readonly Row[] = [
  ["start", "sender", "offer", "offered"],
  ["start", "sender", "eager offer", "sending"],
  ["start", "sender", "error", "finished"],
  ["offered", "receiver", "accept", "proving"],
  ["offered", "receiver", "error", "declined"],
  ["offered", "sender", "error", "withdrawn"],
  ["offered", "sender", "cancel", "withdrawn"],
  ["proving", "receiver", "digests", "proving"],
  ["proving", "receiver", "compare", "proving"],
  ["proving", "sender", "from", "sending"],
  ["proving", "receiver", "error", "declined"],
  ["proving", "sender", "error", "withdrawn"],
  ["proving", "sender", "cancel", "withdrawn"],
  ["sending", "receiver", "compare", "sending"],
  ["sending", "sender", "same", "sending"],
  ["sending", "sender", "data", "sending"],
  ["sending", "sender", "end", "answering"],
  ["sending", "sender", "error", "withdrawn"],
  ["sending", "sender", "cancel", "withdrawn"],
  ["sending", "receiver", "error", "declined"],
  ["answering", "receiver", "stored", "finished"],
  ["answering", "receiver", "error", "finished"],
  // What the sender had said before it heard the receiver's no, up to its last word.
  ["declined", "sender", "from", "declined"],
  ["declined", "sender", "same", "declined"],
  ["declined", "sender", "data", "declined"],
  ["declined", "sender", "end", "finished"],
  ["declined", "sender", "error", "finished"],
  ["declined", "sender", "cancel", "finished"],
  // What the receiver had said before it heard that the offer was taken back, up to its last word.
  ["withdrawn", "receiver", "accept", "withdrawn"],
  ["withdrawn", "receiver", "digests", "withdrawn"],
  ["withdrawn", "receiver", "compare", "withdrawn"],
  ["withdrawn", "receiver", "error", "finished"],
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
