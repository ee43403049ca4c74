/**
 * The one sender: it offers an open file, proves how much of it the receiver already has, and sends the rest.
 *
 * The same for a client that puts and a server that is asked. Its legal orders are `wire/transfer_order.ts`. It never
 * says `end` for a file that changed while it was read.
 */
import { breathe, breatheLong } from "../breathe.ts";
import { AppError, toAppError } from "../errors.ts";
import type { Source } from "../files/tree.ts";
import { BLOCK_BYTES, BODY_BYTES_MAX } from "../limits.ts";
import type { Crc32 } from "../wire/crc32.ts";
import type { MessageOf } from "../wire/messages/mod.ts";
import { crc32For, loadBlake2b } from "./checksum.ts";
import { BlockReader, equalBytes, splitDigests } from "./proof.ts";
import { DATA_OFFSET, DATA_OVERHEAD, type Session } from "./session.ts";
import {
  endsSession,
  errorMessage,
  peerError,
  TransferLink,
  type TransferOptions,
  type TransferResult,
} from "./transfer.ts";

/** What is sent: where to read it, and how it is offered. `sizeBytes` of the offer is absent for a stream. */
export interface Outgoing {
  readonly source: Omit<Source, "entry">;
  readonly offer: MessageOf<"offer">;
}

export interface SendOptions extends TransferOptions {
  /** Told when all is sent, before the answer: should that be lost, the file may be stored all the same. */
  onSent?: (sent: TransferResult) => void;
  /** The answer is left to the caller, who gets what was sent as soon as that is all queued. @default false */
  isAnsweredLater?: boolean;
}

/** Where the data begins, and the CRC-32 of what stands before it. */
interface Start {
  readonly offset: number;
  readonly crc: number;
}

/**
 * Sends one file and waits until it is stored. `begin` opens the source, which is closed at the end, or throws what the
 * receiver is told instead. Throws what either side said no for; the session stays usable unless `endsSession` says
 * otherwise.
 */
export async function sendFile(
  session: Session,
  begin: () => Outgoing | Promise<Outgoing>,
  options: SendOptions = {},
): Promise<TransferResult> {
  const link = new TransferLink(session, "sender");
  try {
    const outgoing = await begin();
    using _breathing = breatheLong();
    using _source = outgoing.source;
    return await new Sending(link, outgoing, options).run();
  } catch (cause) {
    const error = toAppError(cause, "Cannot send the file");
    await sayLastWord(link, error);
    throw error;
  }
}

class Sending {
  readonly #link: TransferLink;
  readonly #outgoing: Outgoing;
  readonly #options: SendOptions;

  constructor(link: TransferLink, outgoing: Outgoing, options: SendOptions) {
    this.#link = link;
    this.#outgoing = outgoing;
    this.#options = options;
  }

  async run(): Promise<TransferResult> {
    const { offer, source } = this.#outgoing;
    const crc32 = await crc32For(offer.sizeBytes);
    this.#link.session.useCrc32(crc32);
    this.#link.send(offer);
    const start = offer.eager ? { offset: 0, crc: 0 } : await this.#agreeOnStart(crc32);
    const { sizeBytes, crc } = await this.#sendData(start, crc32);
    await source.verifyUnchanged();
    const sent = { name: offer.name, sizeBytes, crc, resumedBytes: start.offset };
    this.#link.send({ type: "end", sizeBytes, crc });
    this.#options.onSent?.(sent);
    this.#report("flushing", sizeBytes);
    if (this.#options.isAnsweredLater) return sent;
    const stored = await this.#link.receive() as MessageOf<"stored">;
    verifyStored(sent, stored);
    return { ...sent, name: stored.name ?? sent.name };
  }

  /** Compares the digests of what the receiver holds with the blocks of the source, up to the first that differs. */
  async #agreeOnStart(crc32: Crc32): Promise<Start> {
    const accept = await this.#link.receive() as MessageOf<"accept">;
    if (accept.restarted) this.#options.onRestart?.();
    if (accept.blocks * BLOCK_BYTES > (this.#outgoing.offer.sizeBytes ?? 0)) {
      throw new AppError("order", `The receiver claims to hold ${accept.blocks} blocks, more than the file has`);
    }
    const blocks = accept.blocks > 0 ? new BlockReader(this.#outgoing.source, await loadBlake2b(), crc32) : undefined;
    let same = 0;
    for (let told = 0; told < accept.blocks;) {
      const { digests } = await this.#link.receive() as MessageOf<"digests">;
      for (const digest of splitDigests(digests)) {
        const own = same === told ? await blocks!.next() : undefined;
        if (own && equalBytes(own, digest)) same++;
        told++;
        this.#report("verifying", same * BLOCK_BYTES);
      }
      if (told > accept.blocks) throw new AppError("order", "The receiver sent more digests than it said");
    }
    const offset = same * BLOCK_BYTES;
    this.#link.send({ type: "from", offset });
    return { offset, crc: blocks?.crcOf(offset) ?? 0 };
  }

  async #sendData(start: Start, crc32: Crc32): Promise<{ sizeBytes: number; crc: number }> {
    const { offer } = this.#outgoing;
    const sizeMax = offer.sizeBytes ?? Infinity;
    const frameBytes = Math.min(BODY_BYTES_MAX, this.#link.session.dataBytesMax, Math.max(1, sizeMax - start.offset));
    const buffer = new Uint8Array(frameBytes + DATA_OVERHEAD);
    let { offset, crc } = start;
    this.#report("moving", offset);
    this.#heedObjection();
    while (offset < sizeMax) {
      const room = buffer.subarray(DATA_OFFSET, DATA_OFFSET + Math.min(frameBytes, sizeMax - offset));
      const count = await this.#read(offset, room);
      if (count === 0) break;
      crc = crc32(room.subarray(0, count), crc);
      this.#link.order.advance("sender", "data");
      await this.#link.session.sendData(buffer, count, offset + count === offer.sizeBytes);
      offset += count;
      this.#report("moving", offset);
      await breathe();
      this.#heedObjection();
    }
    if (offer.sizeBytes !== undefined) await this.#verifyLength(offset, offer.sizeBytes);
    return { sizeBytes: offset, crc };
  }

  /** A pipe may have nothing to give for long: then the end of the session is noticed all the same. */
  async #read(offset: number, room: Uint8Array): Promise<number> {
    const count = this.#outgoing.source.readAt(offset, room);
    return typeof count === "number" ? count : await this.#link.session.whileAlive(count);
  }

  async #verifyLength(offset: number, sizeBytes: number): Promise<void> {
    const isLonger = offset === sizeBytes && await this.#read(offset, new Uint8Array(1)) > 0;
    if (offset === sizeBytes && !isLonger) return;
    const how = isLonger ? "is longer than it said" : "became shorter while it was read";
    throw new AppError("source_changed", `Cannot send the file: it ${how}`);
  }

  /** Throws what the receiver objected to while we were sending. */
  #heedObjection(): void {
    const message = this.#link.session.poll();
    if (!message && this.#link.session.hasEnded) throw new AppError("lost", "The receiver closed the connection");
    if (!message) return;
    this.#link.order.advance("receiver", message.type);
    if (message.type === "error") throw peerError(message);
  }

  #report(phase: "verifying" | "moving" | "flushing", bytes: number): void {
    this.#options.onProgress?.({ phase, bytes, sizeBytes: this.#outgoing.offer.sizeBytes });
  }
}

/** Throws `mismatch` if something else is stored than was sent. */
export function verifyStored(sent: TransferResult, stored: MessageOf<"stored">): void {
  if (stored.sizeBytes === sent.sizeBytes && stored.crc === sent.crc) return;
  const figures = `${stored.sizeBytes} of ${sent.sizeBytes}`;
  throw new AppError("mismatch", `The receiver stored other bytes than were sent: ${figures}`);
}

/** Brings the transfer to its end in the legal order, so that the session can go on with the next request. */
async function sayLastWord(link: TransferLink, error: AppError): Promise<void> {
  if (endsSession(error) || link.order.isOver || link.session.hasEnded) return;
  try {
    if (link.order.state !== "answering") link.send(error.by === "peer" ? { type: "cancel" } : errorMessage(error));
    await link.untilOver();
  } catch (failure) {
    link.abandon(failure);
  }
}
