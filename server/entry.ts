/**
 * How a connection comes in: its first bytes, TLS if that is what they are, and the time that it may take for it.
 *
 * Ends when it is known what the peer wants, and who it is; until then it may be dropped for somebody else.
 */
import { AppError } from "../protocol/errors.ts";
import type { ByteStream } from "../protocol/exchange/byte_stream.ts";
import { type FirstBytes, readFirstBytes } from "../protocol/exchange/opening.ts";
import { QuietReader } from "../protocol/exchange/quiet_reader.ts";
import type { ServerLimits } from "../protocol/limits.ts";
import type { ServedFormat } from "../protocol/wire/detect.ts";
import type { Pass } from "./limits/gate.ts";
import type { TlsFront } from "./tls_front.ts";

export interface EntryOptions {
  /** The formats that are served. */
  readonly formats: readonly ServedFormat[];
  readonly limits: Pick<ServerLimits, "openingTimeoutMs" | "quietMs">;
  /** Absent where TLS is not spoken. */
  readonly tls: { readonly front: TlsFront } | undefined;
}

export class Entry implements AsyncDisposable {
  #stream: ByteStream;
  #reader: QuietReader | undefined;
  #tls: "none" | "beginning" | "secured" = "none";
  #endedFor: AppError | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #options: EntryOptions;
  readonly #pass: Pass;
  /** Ends what carries the stream inside TLS. */
  readonly #carriers = new AsyncDisposableStack();

  constructor(stream: ByteStream, options: EntryOptions, pass: Pass) {
    this.#stream = stream;
    this.#options = options;
    this.#pass = pass;
  }

  /** The one inside TLS, from when that has begun. */
  get stream(): ByteStream {
    return this.#stream;
  }

  /** Has what came, the opening line of our own format left out. */
  get reader(): QuietReader {
    return this.#reader!;
  }

  get tls(): "none" | "beginning" | "secured" {
    return this.#tls;
  }

  /** Why we ended it; a handshake that this interrupts fails for what looks like another reason. */
  get endedFor(): AppError | undefined {
    return this.#endedFor;
  }

  /** The first bytes, those inside TLS where that comes first. Throws as `readFirstBytes`, and what `TlsFront` throws. */
  async readFirstBytes(): Promise<FirstBytes | undefined> {
    const { openingTimeoutMs } = this.#options.limits;
    const reason = () => new AppError("idle", `No opening came within ${openingTimeoutMs} ms`);
    this.#timer = setTimeout(() => this.end(reason()), openingTimeoutMs);
    const first = await this.#read();
    this.#pass.spoke();
    if (first?.format !== "tls" || !this.#options.tls) return first;
    await this.#secure(this.#options.tls.front);
    return await this.#read();
  }

  /** What the peer wants is known, and who it is: it has its place. */
  opened(): void {
    clearTimeout(this.#timer);
    this.#pass.opened();
  }

  /** Ends it before its opening is over. */
  end(reason: AppError): void {
    this.#endedFor = reason;
    this.#stream.close(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.opened();
    this.#stream.close();
    await this.#carriers.disposeAsync();
  }

  #read(): Promise<FirstBytes | undefined> {
    const { formats, limits: { quietMs } } = this.#options;
    this.#reader = new QuietReader(this.#stream);
    return readFirstBytes(this.#reader, { accepted: formats, quietMs });
  }

  async #secure(front: TlsFront): Promise<void> {
    this.#tls = "beginning";
    const { stream, finish } = await front.secure(this.reader);
    this.#carriers.defer(finish);
    this.#stream = stream;
    this.#tls = "secured";
  }
}
