/**
 * The contexts of a compressed session: bytes in, bytes out, each piece behind the ones before it. A context goes on over
 * all pieces of a direction: of a tree of source code that leaves 17 % less than the same pieces each on its own.
 *
 * `node:zlib` is loaded when the first piece is compressed or inflated. Its work is done on this thread, so pieces are
 * small: 128 KiB take about half a millisecond.
 */
import type { Compression } from "../compressions.ts";
import { AppError } from "../errors.ts";

/**
 * How far back zstd looks, as a power of two, on both sides: it decides how much memory a context takes. With half of it
 * 2 % more is left of source code. Level 5 would leave 9 % less and take twice the time, which is missed where the machine
 * has other things to do.
 */
const ZSTD_WINDOW_LOG = 22;
const ZSTD_LEVEL = 3;
const DEFLATE_LEVEL = 5;
/** The first that counts how often each byte comes. */
const DEFLATE_SAMPLE_LEVEL = 2;
const PIECE_BYTES = 131_072;

/** What of `node:zlib` is used; its types do not know all of it. */
interface Transform {
  write(bytes: Uint8Array, done: (error?: Error | null) => void): boolean;
  read(): Uint8Array | null;
  on(event: "data", listener: (bytes: Uint8Array) => void): void;
  on(event: "error" | "end", listener: (error?: Error) => void): void;
  destroy(): void;
}
type Zlib = Record<string, unknown> & { readonly constants: Record<string, number> };

/** One direction of one kind. Calls one after the other. */
export class CompressionContext {
  readonly #transform: Transform;
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #bytesMax = 0;
  #fail: ((error: Error) => void) | undefined;
  #failure: Error | undefined;

  constructor(transform: Transform) {
    this.#transform = transform;
    transform.on("data", (bytes) => this.#take(bytes));
    transform.on("error", (error) => this.#end(error!));
    transform.on("end", () => this.#end(new Error("the compressed stream has ended")));
  }

  /**
   * What `bytes` come to behind all earlier ones. Throws when that is more than `bytesMax`, before any more is made, and
   * for what cannot be inflated; then the context is of no more use.
   */
  run(bytes: Uint8Array, bytesMax: number): Promise<Uint8Array> {
    if (this.#failure) return Promise.reject(this.#failure);
    this.#pieces = [];
    this.#bytes = 0;
    this.#bytesMax = bytesMax;
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      this.#transform.write(bytes, (error) => {
        if (error) return this.#end(error);
        while (this.#transform.read()); // what waits to be told is told now
        this.#fail = undefined;
        resolve(this.#taken());
      });
    });
  }

  close(): void {
    this.#end(new AppError("lost", "The connection was closed"));
  }

  #take(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    if (this.#bytes > this.#bytesMax) return this.#end(new RangeError(`more than ${this.#bytesMax} bytes`));
    this.#pieces.push(bytes);
  }

  #taken(): Uint8Array {
    if (this.#pieces.length === 1) return this.#pieces[0]!;
    const all = new Uint8Array(this.#bytes);
    let at = 0;
    for (const piece of this.#pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }

  #end(failure: Error): void {
    if (this.#failure) return;
    this.#failure = failure;
    this.#pieces = [];
    this.#transform.destroy();
    this.#fail?.(failure);
  }
}

/** A kind, loaded. */
export interface Codec {
  openCompressor(): CompressionContext;
  openInflater(): CompressionContext;
  /** How many bytes `bytes` take when they are quickly compressed on their own. */
  tryOut(bytes: Uint8Array): number;
}

export async function loadCodec(compression: Compression): Promise<Codec> {
  const zlib = await import("node:zlib") as unknown as Zlib;
  const call = (name: string, ...given: unknown[]) => (zlib[name] as (...given: unknown[]) => never)(...given);
  const { constants } = zlib;
  const open = (name: string, options: unknown) => new CompressionContext(call(name, options));
  if (compression === "deflate") {
    const options = { flush: constants.Z_SYNC_FLUSH, chunkSize: PIECE_BYTES, level: DEFLATE_LEVEL };
    return {
      openCompressor: () => open("createDeflateRaw", options),
      openInflater: () => open("createInflateRaw", options),
      tryOut: (bytes) => (call("deflateRawSync", bytes, { level: DEFLATE_SAMPLE_LEVEL }) as Uint8Array).length,
    };
  }
  const options = (params: Record<string, number>) => ({
    flush: constants.ZSTD_e_flush,
    chunkSize: PIECE_BYTES,
    params: Object.fromEntries(Object.entries(params).map(([name, value]) => [constants[name]!, value])),
  });
  const quick = { params: { [constants.ZSTD_c_compressionLevel!]: 1 } };
  return {
    openCompressor: () =>
      open(
        "createZstdCompress",
        options({ ZSTD_c_compressionLevel: ZSTD_LEVEL, ZSTD_c_windowLog: ZSTD_WINDOW_LOG }),
      ),
    openInflater: () => open("createZstdDecompress", options({ ZSTD_d_windowLogMax: ZSTD_WINDOW_LOG })),
    tryOut: (bytes) => (call("zstdCompressSync", bytes, quick) as Uint8Array).length,
  };
}
