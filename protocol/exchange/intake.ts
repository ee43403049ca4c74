/**
 * What becomes of each message that came on a session. Those that stand outside of exchanges (heartbeats, goodbyes,
 * requests that are answered on the spot) are dealt with here, requests out of turn are put aside, and a bulk exchange
 * takes its own as they come. What is left is for whoever waits for a message.
 */
import { AppError, errorNameOf } from "../errors.ts";
import { decodeMessage, type Message, roleOf } from "../wire/messages/mod.ts";
import type { Inbox } from "./inbox.ts";
import type { Outbox } from "./outbox.ts";
import { type Request, RequestsAhead } from "./requests_ahead.ts";

/** How an exchange of many messages both ways wants them. */
export interface BulkOptions {
  /**
   * Handed each message as it is decoded, even while something is sent; whether it took it. What comes behind the last
   * one belongs to the next exchange.
   */
  readonly takes?: (message: Message) => boolean | "last";
  /** Offers belong to the exchange; otherwise they are requests. */
  readonly hasOffers?: boolean;
}

export interface IntakeOptions {
  readonly peer: string;
  /** Requests that may wait for their turn; 0 where none come. */
  readonly requestsAheadMax: number;
  /** Told of file data that came. */
  readonly onData: (bytes: number) => void;
}

/** Gives the frame that is the whole reply to a request, or leaves it to who serves requests. */
export type AnswerAtOnce = (body: Uint8Array) => Uint8Array | undefined;

export class Intake {
  /** Nothing is under way, so a request that comes may be answered on the spot. */
  isBetween = false;
  /** Whole messages that came so far. */
  heard = 0;
  /** Of the last pong. */
  pongId = 0;
  readonly #inbox: Inbox;
  readonly #outbox: Outbox;
  readonly #options: IntakeOptions;
  /** Absent where no requests come. */
  readonly #requestsAhead: RequestsAhead | undefined;
  #hasGoodbye = false;
  #quick: { readonly type: number; readonly answer: AnswerAtOnce } | undefined;
  #bulk: BulkOptions | undefined;
  #isBulkOver = false;
  #held: Message | undefined;
  #lastBodyBytes = 0;

  constructor(inbox: Inbox, outbox: Outbox, options: IntakeOptions) {
    this.#inbox = inbox;
    this.#outbox = outbox;
    this.#options = options;
    this.#requestsAhead = options.requestsAheadMax > 0 ? new RequestsAhead(options.requestsAheadMax) : undefined;
  }

  /** Whether the peer has said that it ends. */
  get hasGoodbye(): boolean {
    return this.#hasGoodbye;
  }

  /** Whether a bulk exchange takes messages as they come. */
  get isTaking(): boolean {
    return this.#bulk?.takes !== undefined;
  }

  /** The last message of a bulk exchange was taken: no more is decoded before its end. */
  get isBulkOver(): boolean {
    return this.#isBulkOver;
  }

  /** Whether something came while we sent that is for who receives next; until then nothing more is taken. */
  get isHolding(): boolean {
    return this.#held !== undefined;
  }

  /** Requests of the type with that number are handed to `answer` as bytes, while none is under way. */
  answerQuickly(type: number, answer: AnswerAtOnce): void {
    this.#quick = { type, answer };
  }

  startBulk(options: BulkOptions): void {
    this.#bulk = options;
  }

  endBulk(): void {
    this.#bulk = undefined;
    this.#isBulkOver = false;
  }

  /** Keeps a message for who receives next. */
  hold(message: Message): void {
    this.#held = message;
  }

  /** The next message that somebody waits for, of what has come. Throws what the peer ended with. */
  next(): Message | undefined {
    if (this.#held) {
      const held = this.#held;
      this.#held = undefined;
      return held;
    }
    while (!this.#hasGoodbye && !this.#isBulkOver) {
      const frame = this.#inbox.next();
      if (!frame) return;
      this.heard++;
      if (this.isBetween && frame.type === this.#quick?.type && this.#answeredQuickly(frame.body)) continue;
      const message = decodeMessage(frame);
      this.#lastBodyBytes = frame.body.length;
      if (!message || this.#handledAnytime(message)) continue;
      if (message.type === "data") this.#options.onData(message.bytes.length);
      const taken = this.#bulk?.takes?.(message) ?? false;
      this.#isBulkOver = taken === "last";
      if (taken) continue;
      return message;
    }
  }

  /** Whether `message` is no part of the exchange under way: then it was put aside. Throws `limit`. */
  keptForLater(message: Message): boolean {
    if (roleOf(message.type) !== "request" || message.type === "offer" && this.#bulk?.hasOffers) return false;
    this.#requestsAhead?.push(message as Request, this.#lastBodyBytes);
    return this.#requestsAhead !== undefined;
  }

  /** The first request that was put aside. */
  nextAhead(): Request | undefined {
    return this.#requestsAhead?.shift();
  }

  #answeredQuickly(body: Uint8Array): boolean {
    const answer = this.#quick!.answer(body);
    if (answer) this.#outbox.addFrame(answer);
    return answer !== undefined;
  }

  #handledAnytime(message: Message): boolean {
    switch (message.type) {
      case "ping":
        this.#outbox.add({ type: "pong", id: message.id });
        return true;
      case "pong":
        this.pongId = message.id;
        return true;
      case "goodbye":
        this.#hasGoodbye = true;
        if (message.code === undefined) return true;
        throw new AppError(
          errorNameOf(message.code) ?? "lost",
          message.text ?? `${this.#options.peer} closed the connection`,
          { by: "peer" },
        );
      default:
        return false;
    }
  }
}
