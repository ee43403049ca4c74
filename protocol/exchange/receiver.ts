/**
 * The one receiver: it answers an offer, tells what it holds already, takes the rest, and makes the file visible. What
 * did not change in a file that is replaced it takes from there (`comparison.ts`).
 *
 * The same for a client that gets and a server that is given. Invariant: nothing is published whose length and checksum
 * are not those that the sender ended with, and nothing is acknowledged that is not published.
 */
import { breathe, breatheLong } from "../breathe.ts";
import { AppError, toAppError } from "../errors.ts";
import type { Draft } from "../files/tree.ts";
import { BLOCK_BYTES } from "../limits.ts";
import { hasSha256Instructions } from "../processor.ts";
import type { Crc32 } from "../wire/crc32.ts";
import type { Message, MessageOf } from "../wire/messages/mod.ts";
import { type BlockDigest, crc32For, loadBlockDigest } from "./checksum.ts";
import { comparableBlocks, OldBlocks } from "./comparison.ts";
import { BlockReader, concatBytes } from "./proof.ts";
import type { Session } from "./session.ts";
import {
  endsSession,
  errorMessage,
  TransferLink,
  type TransferOptions,
  type TransferProgress,
  type TransferResult,
} from "./transfer.ts";

/** How many digests go into one message: what is known is sent while the next is computed. */
const DIGESTS_PER_MESSAGE = 16;

export interface ReceiveOptions extends TransferOptions {
  /** The largest file to take; none without it. */
  sizeBytesMax?: number;
}

/**
 * Receives the file of `offer`. `begin` opens the draft, or throws what the offer is refused for. Throws what either
 * side said no for; then nothing is visible, and the session stays usable unless `endsSession` says otherwise.
 */
export async function receiveFile(
  session: Session,
  offer: MessageOf<"offer">,
  begin: () => Promise<Draft>,
  options: ReceiveOptions = {},
): Promise<TransferResult> {
  const link = new TransferLink(session, "receiver");
  link.order.advance("sender", offer.eager ? "eager offer" : "offer");
  let draft: Draft | undefined;
  using _breathing = breatheLong();
  try {
    draft = await begin();
    return await new Receiving(link, offer, draft, options).run();
  } catch (cause) {
    const error = toAppError(cause, "Cannot receive the file");
    await leave(draft, error);
    await objectTo(link, error);
    throw error;
  }
}

/** What has come so far, from its beginning on. */
interface Received {
  readonly offset: number;
  readonly crc: number;
}

class Receiving {
  readonly #link: TransferLink;
  readonly #offer: MessageOf<"offer">;
  readonly #draft: Draft;
  readonly #options: ReceiveOptions;
  /** Absent where nothing is compared. */
  #old: OldBlocks | undefined;
  #reusedBytes = 0;

  constructor(link: TransferLink, offer: MessageOf<"offer">, draft: Draft, options: ReceiveOptions) {
    this.#link = link;
    this.#offer = offer;
    this.#draft = draft;
    this.#options = options;
  }

  async run(): Promise<TransferResult> {
    const crc32 = await crc32For(this.#offer.sizeBytes);
    this.#link.session.useCrc32(crc32);
    this.#verifyLength(this.#offer.sizeBytes ?? 0);
    if (this.#draft.restarted) this.#options.onRestart?.();
    const start = this.#offer.eager ? { offset: 0, crc: 0 } : await this.#agreeOnStart(crc32);
    await this.#draft.startAt(start.offset);
    const { offset: sizeBytes, crc } = await this.#receiveData(start, crc32);
    this.#report("flushing", sizeBytes);
    const name = await this.#draft.publish();
    this.#link.send({ type: "stored", sizeBytes, crc, ...(name === this.#offer.name ? {} : { name }) });
    return { name, sizeBytes, crc, resumedBytes: start.offset, reusedBytes: this.#reusedBytes };
  }

  /** Tells what is held, and learns how much of it the sender found to be the file as it is now. */
  async #agreeOnStart(crc32: Crc32): Promise<Received> {
    const held = this.#draft.heldBlocks;
    const oldBlocks = this.#oldBlocks();
    const hasDigests = held > 0 || oldBlocks > 0;
    const sha256 = hasDigests && this.#offer.sha256 && (this.#options.isFastAtSha256 ?? hasSha256Instructions());
    const compared = oldBlocks > 0 ? { oldBlocks } : {};
    this.#link.send({ type: "accept", blocks: held, restarted: this.#draft.restarted, ...compared, sha256 });
    if (hasDigests) await this.#link.session.flush(); // digests are loaded meanwhile, on both sides
    const digest = hasDigests ? await loadBlockDigest(sha256 ? "sha256" : "blake2b512") : undefined;
    const blocks = held > 0 ? await this.#sendDigests(held, digest!, crc32) : undefined;
    if (held === 0) await this.#compareFrom(0, oldBlocks, digest);
    const { offset } = await this.#link.receive() as MessageOf<"from">;
    if (offset > held * BLOCK_BYTES) {
      throw new AppError("order", `The sender would go on at ${offset}, behind what is held`);
    }
    const crc = blocks?.crcOf(offset) ?? 0;
    if (held > 0) await this.#compareFrom(offset, oldBlocks, digest);
    return { offset, crc };
  }

  #oldBlocks(): number {
    const { old } = this.#draft;
    const { compares, sizeBytes = 0 } = this.#offer;
    return old && compares ? comparableBlocks(old.entry.sizeBytes, sizeBytes) : 0;
  }

  /** Tells of the first blocks of the old file at once: the sender waits for them. */
  async #compareFrom(offset: number, end: number, digest: BlockDigest | undefined): Promise<void> {
    const first = offset / BLOCK_BYTES;
    if (end <= first) return;
    this.#old = new OldBlocks(this.#draft.old!, digest!, first, end);
    while (await this.#compareNext(offset));
  }

  /** Whether there was something to tell. */
  async #compareNext(offset: number): Promise<boolean> {
    const told = await this.#old?.next(offset);
    if (!told) return false;
    this.#link.send(told);
    await this.#link.session.flush();
    await breathe();
    return true;
  }

  async #sendDigests(held: number, digestOf: BlockDigest, crc32: Crc32): Promise<BlockReader> {
    const blocks = new BlockReader(this.#draft, digestOf, crc32);
    for (let index = 0; index < held;) {
      const group: Uint8Array[] = [];
      for (; index < held && group.length < DIGESTS_PER_MESSAGE; index++) {
        const digest = await blocks.next();
        if (!digest) throw new AppError("failed", "Cannot read what was received earlier");
        group.push(digest);
        this.#report("verifying", (index + 1) * BLOCK_BYTES);
      }
      this.#link.send({ type: "digests", digests: concatBytes(group) });
      await this.#link.session.flush();
    }
    return blocks;
  }

  async #receiveData(start: Received, crc32: Crc32): Promise<Received> {
    let received = start;
    this.#report("moving", received.offset);
    for (;;) {
      const message = await this.#next(received.offset);
      if (message.type === "end") {
        this.#verifyEnd(message, received);
        return received;
      }
      if (message.type === "data") received = await this.#store(message.bytes, received, crc32);
      else if (message.type === "same" && this.#old) received = await this.#reuse(this.#old, message, received, crc32);
      else throw new AppError("order", `"${message.type}" came instead of data`);
    }
  }

  /** The next message of the sender; while there is none, blocks are compared. */
  async #next(offset: number): Promise<Message> {
    if (!this.#old) return await this.#link.receive();
    for (;;) {
      const message = this.#link.poll();
      if (message) return message;
      if (!await this.#compareNext(offset)) return await this.#link.receive();
    }
  }

  async #store(bytes: Uint8Array, { offset, crc }: Received, crc32: Crc32): Promise<Received> {
    const received = { offset: offset + bytes.length, crc: crc32(bytes, crc) };
    this.#verifyLength(received.offset);
    await this.#draft.write(bytes);
    this.#report("moving", received.offset);
    await breathe();
    return received;
  }

  async #reuse(old: OldBlocks, same: MessageOf<"same">, start: Received, crc32: Crc32): Promise<Received> {
    let received = start;
    for await (const block of old.take(start.offset, same)) {
      received = await this.#store(block, received, crc32);
      this.#link.session.dataBytesReused += block.length;
      this.#reusedBytes += block.length;
    }
    return received;
  }

  #verifyLength(offset: number): void {
    const { sizeBytes = Infinity } = this.#offer;
    if (offset > sizeBytes) {
      throw new AppError("mismatch", `The sender sent more than the ${sizeBytes} bytes that it offered`);
    }
    const { sizeBytesMax = Infinity } = this.#options;
    if (offset > sizeBytesMax) {
      throw new AppError("too_large", `Cannot take the file: it is larger than the ${sizeBytesMax} bytes allowed`);
    }
  }

  #verifyEnd(end: MessageOf<"end">, { offset, crc }: Received): void {
    const { sizeBytes = offset } = this.#offer;
    if (end.sizeBytes !== offset || offset !== sizeBytes) {
      const told = `${sizeBytes} bytes were offered, ${end.sizeBytes} sent`;
      throw new AppError("mismatch", `The length is wrong: ${told}, and ${offset} arrived`);
    }
    if (end.crc !== crc) throw new AppError("mismatch", "The checksum of the whole file is wrong");
  }

  #report(phase: TransferProgress["phase"], bytes: number): void {
    this.#options.onProgress?.({ phase, bytes, sizeBytes: this.#offer.sizeBytes });
  }
}

/**
 * What was proven wrong is removed; everything else is kept for the next attempt. Whatever fails in that, the first
 * error is the one to tell, and it must be told: a sender waits for it. The rest is swept later.
 */
async function leave(draft: Draft | undefined, error: AppError): Promise<void> {
  try {
    if (error.code === "mismatch" || error.code === "source_changed") await draft?.discard();
    else await draft?.suspend();
  } catch (failure) {
    error.cause ??= failure;
  }
}

/** Tells the sender no, and passes over what it still sends, up to its last word. */
async function objectTo(link: TransferLink, error: AppError): Promise<void> {
  if (endsSession(error) || link.order.isOver || link.session.hasEnded) return;
  try {
    link.send(errorMessage(error));
    await link.untilOver();
  } catch (failure) {
    link.abandon(failure);
  }
}
