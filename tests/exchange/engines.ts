/** Two sessions wired to each other in memory, and transfers between them, put or got. */
import { AppError } from "../../protocol/errors.ts";
import type { ByteStream } from "../../protocol/exchange/byte_stream.ts";
import { receiveFile, type ReceiveOptions } from "../../protocol/exchange/receiver.ts";
import { type Outgoing, sendFile, type SendOptions } from "../../protocol/exchange/sender.ts";
import { Session } from "../../protocol/exchange/session.ts";
import { endsSession, peerError, type TransferResult } from "../../protocol/exchange/transfer.ts";
import { BODY_BYTES_MAX } from "../../protocol/limits.ts";
import type { MessageOf } from "../../protocol/wire/messages/mod.ts";
import { assert, assertEquals, assertInstanceOf } from "../support/assert.ts";
import { memoryPair } from "../support/streams.ts";
import { MemoryDraft, MemorySource } from "./memory_files.ts";

export interface Wire {
  readonly client: Session;
  readonly server: Session;
}

export interface WireOptions {
  /** Put around the stream of that side. */
  readonly clientStream?: (stream: ByteStream) => ByteStream;
  readonly serverStream?: (stream: ByteStream) => ByteStream;
  /** What both sides take in one frame. */
  readonly dataBytesMax?: number;
}

const asItIs = (stream: ByteStream) => stream;

/** A client and a server behind their opening lines. */
export function openWire(options: WireOptions = {}): Wire {
  const { clientStream = asItIs, serverStream = asItIs, dataBytesMax = BODY_BYTES_MAX } = options;
  const [one, two] = memoryPair();
  const early = new Uint8Array();
  return {
    client: new Session(clientStream(one), { early, dataBytesMax, requestsAheadMax: 0 }),
    server: new Session(serverStream(two), { early, dataBytesMax, requestsAheadMax: 4 }),
  };
}

/** One transfer. What is not said is benign. */
export interface Job {
  readonly source: MemorySource;
  readonly draft: MemoryDraft;
  /** Instead of what the source and `isEager` say. */
  readonly offer?: Partial<MessageOf<"offer">>;
  readonly isEager?: boolean;
  /** Instead of opening the source. */
  readonly begin?: () => Outgoing;
  /** Instead of opening the draft. */
  readonly create?: () => Promise<MemoryDraft>;
  readonly sending?: SendOptions;
  readonly receiving?: ReceiveOptions;
}

export type End = TransferResult | AppError;
export interface Ends {
  readonly sent: End;
  readonly received: End;
}

export type Direction = "put" | "get";
export const DIRECTIONS = ["put", "get"] as const;

/** Runs the job to its end on both sides; which of them is the client makes the direction. */
export async function transfer(wire: Wire, direction: Direction, job: Job): Promise<Ends> {
  const sender = direction === "put" ? wire.client : wire.server;
  const receiver = direction === "put" ? wire.server : wire.client;
  const [sent, received] = await Promise.all([
    endOf(sender, async () => {
      if (direction === "get") await expectGet(sender);
      return await sendFile(sender, job.begin ?? (() => outgoing(job)), job.sending);
    }),
    endOf(receiver, async () => {
      if (direction === "get") receiver.send({ type: "get", name: "file" });
      const offer = direction === "get" ? await receiver.receive() : await receiver.nextRequest();
      if (!offer) throw new AppError("lost", "The connection ended before a request");
      if (offer.type === "error") throw peerError(offer);
      assert(offer.type === "offer", offer.type);
      return await receiveFile(receiver, offer, job.create ?? (() => Promise.resolve(job.draft)), job.receiving);
    }),
  ]);
  return { sent, received };
}

export function outgoing({ source, offer, isEager }: Job): Outgoing {
  const plain = { type: "offer", name: "file", sizeBytes: source.content.length, mtimeMs: 1_000 } as const;
  return { source, offer: { ...plain, ...(isEager ? { eager: true } : {}), ...offer } };
}

async function expectGet(session: Session): Promise<void> {
  const request = await session.nextRequest();
  if (!request) throw new AppError("lost", "The connection ended before a request");
  assertEquals(request.type, "get");
}

/** What came of `work`; the session ends as a server ends it, and anything but an `AppError` fails the test. */
async function endOf(session: Session, work: () => Promise<TransferResult>): Promise<End> {
  try {
    const result = await work();
    await session.flush();
    return result;
  } catch (error) {
    assertInstanceOf(error, AppError);
    await session.flush().catch(() => {}); // the error tells more
    if (endsSession(error)) {
      if (error.code !== "lost") await session.end(error);
      session.close();
    }
    return error;
  }
}

export function codeOf(end: End): string {
  return end instanceof AppError ? end.code : "done";
}

/** Both sides ended with these codes ("done" for no error). */
export function assertEnds({ sent, received }: Ends, expectedSent: string, expectedReceived = expectedSent): void {
  assertEquals({ sent: codeOf(sent), received: codeOf(received) }, {
    sent: expectedSent,
    received: expectedReceived,
  }, [sent, received].map(String).join("; "));
}

/** Transfers a small file on a session that must be usable still. */
export async function assertUsable(wire: Wire, direction: Direction): Promise<void> {
  const content = new TextEncoder().encode("the next file");
  const job = { source: new MemorySource(content), draft: new MemoryDraft(), isEager: direction === "put" };
  assertEnds(await transfer(wire, direction, job), "done");
  assertEquals(job.draft.state, "published");
  assertEquals(job.draft.content, content);
}
