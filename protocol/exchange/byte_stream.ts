/**
 * What the exchange speaks over: bytes both ways, and nothing about how they travel.
 *
 * `TcpStream` is the one over a connection of the system, plain or encrypted. Tests hand in streams that cut, stall or lie.
 */
import { AppError } from "../errors.ts";

export interface ByteStream {
  /** Who is at the other end, for logs: address and port. */
  readonly peer: string;
  /** Bytes so far. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Whether a write is under way. */
  readonly isWriting: boolean;
  /** Whether it waits for nothing but its own limit of speed: then a silence is not the peer's. */
  readonly isHeldBack?: boolean;
  /** Reads at least one byte into `into`; their number, or `null` at the end of the peer's side. */
  read(into: Uint8Array): Promise<number | null>;
  /** Writes all of `bytes`, which may be used again afterwards. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends our side; the peer's may go on. */
  closeWrite(): Promise<void>;
  /** Ends both sides. Reads and writes under way, and later ones, throw `reason`. A second call does nothing. */
  close(reason?: AppError): void;
}

/** A stream over a TCP connection, plain or with TLS. All its errors are `AppError`s: `lost`, or the reason it was closed for. */
export class TcpStream implements ByteStream, Disposable {
  readonly peer: string;
  #bytesRead = 0;
  #bytesWritten = 0;
  readonly #conn: Deno.Conn;
  readonly #carrier: ByteStream | undefined;
  #closedFor: AppError | undefined;
  /** Ends the write under way: on Deno 2.5 closing alone does not. */
  #endWrite: ((reason: AppError) => void) | undefined;

  /** `carrier` is what the connection goes over, where that is another one, and knows who is at its end. */
  constructor(conn: Deno.Conn, carrier?: ByteStream) {
    this.#conn = conn;
    this.#carrier = carrier;
    this.peer = carrier?.peer ?? peerOf(conn);
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  get isWriting(): boolean {
    return this.#endWrite !== undefined;
  }

  get isHeldBack(): boolean {
    return this.#carrier?.isHeldBack ?? false;
  }

  async read(into: Uint8Array): Promise<number | null> {
    try {
      const count = await this.#conn.read(into);
      this.#bytesRead += count ?? 0;
      return count;
    } catch (error) {
      throw this.#reason(error);
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) at += await this.#writeSome(at === 0 ? bytes : bytes.subarray(at));
    } catch (error) {
      throw this.#reason(error);
    }
  }

  async closeWrite(): Promise<void> {
    try {
      await this.#conn.closeWrite();
    } catch (error) {
      throw this.#reason(error);
    }
  }

  close(reason = new AppError("lost", "The connection was closed")): void {
    if (this.#closedFor) return;
    this.#closedFor = reason;
    this.#endWrite?.(reason);
    this.#conn.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #writeSome(bytes: Uint8Array): Promise<number> {
    const written = this.#conn.write(bytes);
    try {
      const count = await new Promise<number>((resolve, reject) => {
        this.#endWrite = reject;
        written.then(resolve, reject);
      });
      this.#bytesWritten += count;
      return count;
    } finally {
      this.#endWrite = undefined;
    }
  }

  #reason(error: unknown): AppError {
    if (this.#closedFor) return this.#closedFor;
    return new AppError("lost", `The connection to ${this.peer} broke off: ${detailOf(error)}`, { cause: error });
  }
}

function detailOf(error: unknown): string {
  if (error instanceof Deno.errors.UnexpectedEof) return "it ended without the last word of TLS";
  return error instanceof Error ? error.message.replace(/ \(os error \d+\)$/, "") : String(error);
}

function peerOf({ remoteAddr }: Deno.Conn): string {
  const { hostname, port } = remoteAddr as Deno.NetAddr;
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/** Closes `stream` when `signal` aborts: the only thing that interrupts a read. Dispose what it returns at the end. */
export function closeOnAbort(stream: ByteStream, signal: AbortSignal | undefined): Disposable {
  const onAbort = () => {
    const reason = signal!.reason;
    stream.close(reason instanceof AppError ? reason : new AppError("interrupted", "Interrupted", { cause: reason }));
  };
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort);
  return { [Symbol.dispose]: () => signal?.removeEventListener("abort", onAbort) };
}
