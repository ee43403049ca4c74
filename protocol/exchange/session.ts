/**
 * A session: one connection after both opening lines. Messages in, messages out, in order.
 *
 * `inbox.ts` has what came, `intake.ts` says what becomes of it, `outbox.ts` has what waits to be sent; here is who waits
 * for what. Knows nothing of what the messages are for. Small messages wait until `flush`, `receive` or `sendData`, so
 * that what belongs together travels together.
 */
import { AppError, forPeer } from "../errors.ts";
import { HEARTBEAT_MS } from "../limits.ts";
import { every } from "../timers.ts";
import type { Crc32 } from "../wire/crc32.ts";
import { FRAME_HEADER_BYTES, FRAME_TRAILER_BYTES, sealFrame } from "../wire/frame.ts";
import { type FieldMessage, type Message, type MessageOf, roleOf } from "../wire/messages/mod.ts";
import { DATA_TYPE } from "../wire/messages/transfer.ts";
import type { ByteStream } from "./byte_stream.ts";
import { endedTooEarly, Inbox } from "./inbox.ts";
import { type AnswerAtOnce, type BulkOptions, Intake } from "./intake.ts";
import { Outbox } from "./outbox.ts";
import type { Request } from "./requests_ahead.ts";

/** What stands around the data in a buffer that is handed to `sendData`. */
export const DATA_OFFSET = FRAME_HEADER_BYTES;
export const DATA_OVERHEAD = FRAME_HEADER_BYTES + FRAME_TRAILER_BYTES;

export interface SessionOptions {
  /** Bytes that were read behind the opening line. */
  readonly early: Uint8Array;
  /** The largest body that the peer takes. */
  readonly dataBytesMax: number;
  /** Requests that may wait for their turn; 0 for a client, which gets none. */
  readonly requestsAheadMax: number;
}

export class Session {
  readonly dataBytesMax: number;
  /** File data that was sent and received so far. */
  dataBytesMoved = 0;
  /** Bytes of files that were found to be there already, instead of being moved. */
  dataBytesReused = 0;
  readonly #stream: ByteStream;
  readonly #inbox: Inbox;
  readonly #intake: Intake;
  readonly #outbox: Outbox;
  #isWaiting = false;
  #isSendingData = false;
  #onEnd: ((reason: AppError) => void) | undefined;
  #pingId = 0;

  constructor(stream: ByteStream, { early, dataBytesMax, requestsAheadMax }: SessionOptions) {
    this.#stream = stream;
    this.#inbox = new Inbox(stream, early, {
      // Who takes data must still be able to say that it is stored: a write to it may wait forever.
      mayEnd: () => !this.#isSendingData && !this.#onEnd,
      onFailed: (error) => {
        this.#onEnd?.(error);
        if (this.#isSendingData) stream.close(error);
      },
    });
    this.#outbox = new Outbox(stream);
    this.#intake = new Intake(this.#inbox, this.#outbox, {
      peer: stream.peer,
      requestsAheadMax,
      onData: (bytes) => this.dataBytesMoved += bytes,
    });
    this.dataBytesMax = dataBytesMax;
  }

  get peer(): string {
    return this.#stream.peer;
  }

  /** Changes to a faster checksum, for large transfers. */
  useCrc32(faster: Crc32): void {
    this.#inbox.crc32 = this.#outbox.crc32 = faster;
  }

  /**
   * Requests of the type with that number are handed to `answer` as bytes, while none is under way: it gives the frame
   * that is the whole reply, or leaves the request to `nextRequest`. Requests that came together are answered together.
   */
  answerQuickly(type: number, answer: AnswerAtOnce): void {
    this.#intake.answerQuickly(type, answer);
  }

  /** Begins an exchange of many small messages. Dispose what it returns at its end. */
  startBulk(options: BulkOptions): Disposable {
    this.#intake.startBulk(options);
    this.#outbox.expectMuch();
    this.#inbox.expectMuch();
    return {
      [Symbol.dispose]: () => {
        this.#intake.endBulk();
        this.#outbox.shrink();
      },
    };
  }

  /** Bytes that went over the connection so far, both ways. */
  get bytesOnWire(): number {
    return this.#stream.bytesRead + this.#stream.bytesWritten;
  }

  /** Whole messages that came so far. */
  get messagesHeard(): number {
    return this.#intake.heard;
  }

  /** Bytes that are queued. */
  get queuedBytes(): number {
    return this.#outbox.queuedBytes;
  }

  /** Queues a message. */
  send(message: FieldMessage): void {
    this.#outbox.add(message);
  }

  /** Sends what is queued. */
  flush(): Promise<void> {
    return this.#outbox.flush();
  }

  /**
   * Sends `count` bytes of file data, which stand in `buffer` from `DATA_OFFSET` on; the buffer must have room for
   * `DATA_OVERHEAD` more bytes than the data. The last piece is only queued, so that it goes along with what follows.
   */
  async sendData(buffer: Uint8Array, count: number, isLast = false): Promise<void> {
    const frame = sealFrame(buffer, 0, DATA_TYPE, count, this.#inbox.crc32);
    const check = () => {
      if (this.hasEnded) throw endedTooEarly(this.peer);
    };
    this.#isSendingData = true;
    try {
      if (isLast) {
        check();
        this.#outbox.addFrame(frame);
      } else await this.#whileTaking(this.#outbox.write(frame, check));
      this.dataBytesMoved += count;
    } finally {
      this.#isSendingData = false;
    }
  }

  /** As `flush`, in an exchange with messages both ways: the peer never waits for us to read while we wait for it. */
  async flushBulk(): Promise<void> {
    this.#isSendingData = true;
    try {
      await this.#whileTaking(this.#outbox.flush());
    } finally {
      this.#isSendingData = false;
    }
  }

  /** As `receive`; `undefined` as soon as it is enough without a message, since one was taken aside. */
  async receiveUnless(isEnough: () => boolean): Promise<Message | undefined> {
    for (;;) {
      const message = await this.#next(isEnough);
      if (!message && isEnough()) return;
      if (!message) throw endedTooEarly(this.peer);
      if (!this.#intake.keptForLater(message)) return message;
    }
  }

  /** The next request: one that came ahead of its turn, or a new one. `undefined` when the peer has ended the session. */
  async nextRequest(): Promise<Request | undefined> {
    const ahead = this.#intake.nextAhead();
    if (ahead) return ahead;
    this.#inbox.shrink();
    for (;;) {
      this.#intake.isBetween = true;
      const message = await this.#next().finally(() => this.#intake.isBetween = false);
      if (!message) return;
      if (roleOf(message.type) === "request") return message as Request;
      // A `cancel` may have crossed the end of the reply.
      if (message.type !== "cancel") throw new AppError("order", `"${message.type}" came outside of a request`);
    }
  }

  /** The next message, whatever it is. */
  async receiveAny(): Promise<Message> {
    const message = await this.#next();
    if (!message) throw endedTooEarly(this.peer);
    return message;
  }

  /** The next message of the exchange under way. Requests that come in between wait for their turn. */
  async receive(): Promise<Message> {
    for (;;) {
      const message = await this.receiveAny();
      if (!this.#intake.keptForLater(message)) return message;
    }
  }

  /** As `receive`, for what has already come; `undefined` instead of waiting. Call it now and then while sending. */
  poll(): Message | undefined {
    for (;;) {
      const message = this.#intake.next();
      if (!message) break;
      if (!this.#intake.keptForLater(message)) return message;
    }
    if (this.#inbox.error) throw this.#inbox.error;
    if (!this.hasEnded) this.#inbox.read();
  }

  /** Whether the peer has called off the reply under way. Throws `order` for anything else that it says meanwhile. */
  isCancelled(): boolean {
    const message = this.poll();
    if (message && message.type !== "cancel") throw new AppError("order", `"${message.type}" came during a reply`);
    return message !== undefined;
  }

  /** Waits for `work`, which is not ours, but no longer than the session lives: its end is thrown. */
  async whileAlive<T>(work: Promise<T>): Promise<T> {
    this.poll();
    try {
      return await new Promise<T>((resolve, reject) => {
        this.#onEnd = reject;
        work.then(resolve, reject);
      });
    } finally {
      this.#onEnd = undefined;
    }
  }

  /**
   * Waits for `work`, which is not ours, and meanwhile for the peer, too, who may say nothing but heartbeats: any number
   * of them, unlike `whileAlive`. The end of the session is thrown. Nothing may be asked before it is over.
   */
  async whileIdle<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const listen = async (): Promise<never> => {
      while (!isOver) {
        const message = this.poll();
        if (message) throw new AppError("order", `"${message.type}" came outside of a request`);
        if (this.hasEnded) break;
        await this.flush();
        await this.#inbox.read();
      }
      throw new AppError("lost", `${this.peer} closed the connection`);
    };
    this.#isWaiting = true;
    try {
      return await Promise.race([work, listen()]);
    } finally {
      isOver = true;
      this.#isWaiting = false;
    }
  }

  /**
   * Waits for `work`, which is not ours, and meanwhile for a message of the exchange under way: that, if it comes first.
   * The end of the session (see `hasEnded`) ends it, too. Throws what `work` throws.
   */
  async receiveDuring(work: Promise<unknown>): Promise<Message | undefined> {
    let isOver = false;
    const over = work.finally(() => isOver = true);
    over.catch(() => {}); // thrown below, unless something else comes first
    this.#isWaiting = true;
    try {
      for (;;) {
        const message = this.poll();
        if (message) return message;
        if (this.hasEnded) return;
        await this.flush();
        await Promise.race([over, this.#inbox.read()]);
        if (isOver) return;
      }
    } finally {
      this.#isWaiting = false;
    }
  }

  /** Sends a ping and waits for its pong. For when no request is under way. */
  async ping(): Promise<void> {
    const id = ++this.#pingId;
    this.send({ type: "ping", id });
    const message = await this.#next(() => this.#intake.pongId >= id);
    if (message) throw new AppError("order", `"${message.type}" came instead of a pong`);
    if (this.#intake.pongId < id) throw endedTooEarly(this.peer);
  }

  /** Whether the peer has closed its side. */
  get hasEnded(): boolean {
    return this.#inbox.hasEnded || this.#intake.hasGoodbye;
  }

  /** Whether something came while we sent that is for who receives next; until then nothing more is taken. */
  get isHolding(): boolean {
    return this.#intake.isHolding;
  }

  /** Whether we wait for the peer to say something. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** Sends a ping whenever nothing else was sent for a while, so that the peer knows that we live. Dispose it. */
  keepAlive(heartbeatMs = HEARTBEAT_MS): Disposable {
    return every(heartbeatMs / 5, () => {
      if (this.#stream.isWriting || performance.now() - this.#outbox.sentAt < heartbeatMs) return;
      this.send({ type: "ping", id: ++this.#pingId });
      this.flush().catch(() => {}); // whoever uses the session next gets the same error
    });
  }

  close(reason?: AppError): void {
    this.#stream.close(reason);
  }

  /** Says goodbye, as far as the peer still listens, and ends our side. */
  async end(error?: AppError): Promise<void> {
    try {
      if (!this.#intake.hasGoodbye) this.send(goodbyeFor(error));
      await this.flush();
      await this.#stream.closeWrite();
    } catch (failure) {
      if (!(failure instanceof AppError)) throw failure; // a peer that has gone needs no goodbye
    }
  }

  /** The next message that somebody waits for; `undefined` at the end, or once it is enough without one. */
  async #next(isEnough = () => false): Promise<Message | undefined> {
    for (;;) {
      await this.#flushForNext();
      const message = this.#intake.next();
      // A ping that was decoded just now is answered before anything else is waited for.
      const hasAnswers = !this.#outbox.isEmpty;
      if (hasAnswers) await this.#flushForNext();
      if (message || isEnough()) return message;
      if (hasAnswers) continue; // more may have come while we wrote: looked for before the next read, which would wait
      if (this.#inbox.error) throw this.#inbox.error;
      if (this.hasEnded) return;
      this.#isWaiting = true;
      await this.#inbox.read();
      this.#isWaiting = false;
    }
  }

  #flushForNext(): Promise<void> {
    return this.#intake.isTaking ? this.flushBulk() : this.flush();
  }

  /** Waits for a write under way, and in a bulk exchange takes what comes meanwhile, up to what is not taken aside. */
  async #whileTaking(writing: Promise<void>): Promise<void> {
    if (this.#intake.isTaking && !this.isHolding) await this.#takeUntil(writing);
    await writing;
  }

  async #takeUntil(writing: Promise<void>): Promise<void> {
    let isOver = false;
    const over = writing.finally(() => isOver = true).catch(() => {}); // thrown where `writing` is awaited
    await Promise.resolve();
    while (!isOver && !this.#intake.isBulkOver && !this.#inbox.error && !this.hasEnded) {
      const message = this.#intake.next();
      if (message) return this.#intake.hold(message);
      await Promise.race([over, this.#inbox.read()]);
    }
  }
}

function goodbyeFor(error: AppError | undefined): MessageOf<"goodbye"> {
  if (!error) return { type: "goodbye" };
  const { number, text } = forPeer(error);
  return { type: "goodbye", code: number, text };
}
