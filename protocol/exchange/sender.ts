/**
 * The one sender: it offers an open file, proves how much of it the receiver already has, and sends the rest but for
 * what the receiver can take from the file that it replaces (`comparison.ts`).
 *
 * The same for a client that puts and a server that is asked. Its legal orders are `wire/transfer_order.ts`. It never
 * says `end` for a file that changed while it was read.
 */
import { breathe, breatheLong } from "../breathe.ts";
import { AppError, toAppError } from "../errors.ts";
import type { Source } from "../files/tree.ts";
import { BLOCK_BYTES, BODY_BYTES_MAX } from "../limits.ts";
import { hasSha256Instructions } from "../processor.ts";
import type { Crc32 } from "../wire/crc32.ts";
import type { Message, MessageOf } from "../wire/messages/mod.ts";
import { type BlockDigest, crc32For, loadBlockDigest } from "./checksum.ts";
import { ToldBlocks } from "./comparison.ts";
import { BlockReader, equalBytes, readFully, splitDigests } from "./proof.ts";
import { DATA_OFFSET, DATA_OVERHEAD, type Session } from "./session.ts";
import { endsSession, errorMessage, TransferLink, type TransferOptions, type TransferResult } from "./transfer.ts";

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
  readonly #offersSha256: boolean;
  /** Absent where nothing is compared. */
  #told: ToldBlocks | undefined;
  #digest: BlockDigest | undefined;
  #reusedBytes = 0;

  constructor(link: TransferLink, outgoing: Outgoing, options: SendOptions) {
    this.#link = link;
    this.#outgoing = outgoing;
    this.#options = options;
    this.#offersSha256 = !outgoing.offer.eager && (options.isFastAtSha256 ?? hasSha256Instructions());
  }

  async run(): Promise<TransferResult> {
    const { offer, source } = this.#outgoing;
    const crc32 = await crc32For(offer.sizeBytes);
    this.#link.session.useCrc32(crc32);
    this.#link.send({ ...offer, sha256: this.#offersSha256 });
    const start = offer.eager ? { offset: 0, crc: 0 } : await this.#agreeOnStart(crc32);
    const { sizeBytes, crc } = await this.#sendData(start, crc32);
    await source.verifyUnchanged();
    const sent = { name: offer.name, sizeBytes, crc, resumedBytes: start.offset, reusedBytes: this.#reusedBytes };
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
    this.#verifyBlocks(accept.blocks);
    if (accept.sha256 && !this.#offersSha256) {
      throw new AppError("order", "The receiver takes digests that were not offered");
    }
    const digest = accept.blocks > 0 || accept.oldBlocks
      ? await loadBlockDigest(accept.sha256 ? "sha256" : "blake2b512")
      : undefined;
    const blocks = accept.blocks > 0 ? new BlockReader(this.#outgoing.source, digest!, crc32) : undefined;
    let same = 0;
    for (let told = 0; told < accept.blocks;) {
      const message = await this.#link.receive();
      if (message.type !== "digests") throw new AppError("order", `"${message.type}" came instead of digests`);
      for (const digest of splitDigests(message.digests)) {
        const own = same === told ? await blocks!.next() : undefined;
        if (own && equalBytes(own, digest)) same++;
        told++;
        this.#report("verifying", same * BLOCK_BYTES);
      }
      if (told > accept.blocks) throw new AppError("order", "The receiver sent more digests than it said");
    }
    const offset = same * BLOCK_BYTES;
    this.#link.send({ type: "from", offset });
    if (accept.oldBlocks) this.#compareFrom(same, accept.oldBlocks, digest!);
    return { offset, crc: blocks?.crcOf(offset) ?? 0 };
  }

  #verifyBlocks(blocks: number): void {
    if (blocks * BLOCK_BYTES <= (this.#outgoing.offer.sizeBytes ?? 0)) return;
    throw new AppError("order", `The receiver claims to hold ${blocks} blocks, more than the file has`);
  }

  #compareFrom(first: number, oldBlocks: number, digest: BlockDigest): void {
    this.#verifyBlocks(oldBlocks);
    if (!this.#outgoing.offer.compares) throw new AppError("order", "The receiver compares what cannot be left out");
    this.#told = new ToldBlocks(first, oldBlocks);
    this.#digest = digest;
  }

  async #sendData(start: Start, crc32: Crc32): Promise<{ sizeBytes: number; crc: number }> {
    const { offer } = this.#outgoing;
    const sizeMax = offer.sizeBytes ?? Infinity;
    const frameBytes = Math.min(BODY_BYTES_MAX, this.#link.session.dataBytesMax, Math.max(1, sizeMax - start.offset));
    const buffer = new Uint8Array(frameBytes + DATA_OVERHEAD);
    let { offset, crc } = start;
    const block = new Uint8Array(this.#told ? BLOCK_BYTES : 0);
    this.#report("moving", offset);
    this.#heedReceiver();
    while (offset < sizeMax) {
      let count = 0;
      if (await this.#isSame(offset, block)) {
        crc = crc32(block, crc);
        count = block.length;
      } else {
        const upTo = Math.min(frameBytes, this.#untilCompared(offset), sizeMax - offset);
        const room = buffer.subarray(DATA_OFFSET, DATA_OFFSET + upTo);
        count = await this.#read(offset, room);
        if (count === 0) break;
        crc = crc32(room.subarray(0, count), crc);
        this.#link.order.advance("sender", "data");
        await this.#link.session.sendData(buffer, count, offset + count === offer.sizeBytes);
      }
      offset += count;
      this.#report("moving", offset);
      await breathe();
      this.#heedReceiver();
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

  /** How much may be sent before the receiver has a say in it. */
  #untilCompared(offset: number): number {
    return this.#told ? BLOCK_BYTES - offset % BLOCK_BYTES : Infinity;
  }

  /** Whether the block at `offset`, which is read into `block`, is that of the old file; then the receiver is told so. */
  async #isSame(offset: number, block: Uint8Array): Promise<boolean> {
    const digest = await this.#digestAt(offset);
    if (!digest || await readFully(this.#outgoing.source, offset, block) < block.length) return false;
    if (!equalBytes(this.#digest!(block), digest)) return false;
    this.#link.send({ type: "same", blocks: 1 });
    await this.#link.session.flush();
    this.#link.session.dataBytesReused += block.length;
    this.#reusedBytes += block.length;
    return true;
  }

  /** What the receiver tells of the block that begins at `offset`; `undefined` if nothing. */
  async #digestAt(offset: number): Promise<Uint8Array | undefined> {
    const block = offset / BLOCK_BYTES;
    if (!this.#told?.concerns(block) || !Number.isInteger(block)) return;
    while (!this.#told.knows(block)) this.#takeTold(await this.#link.receive());
    return this.#told.take(block);
  }

  /** Takes what the receiver said while we were sending, and throws what it objected to. */
  #heedReceiver(): void {
    for (let message = this.#link.poll(); message; message = this.#link.poll()) this.#takeTold(message);
    if (this.#link.session.hasEnded) throw new AppError("lost", "The receiver closed the connection");
  }

  #takeTold(message: Message): void {
    if (message.type === "compare" && this.#told) return this.#told.add(message);
    throw new AppError("order", `"${message.type}" came while the file was sent`);
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
