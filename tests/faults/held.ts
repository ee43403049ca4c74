/** Transfers of one large file between a server and clients in this process, held in their middle by a proxy. */
import {
  Client,
  type ClientOptions,
  getFile,
  intoTree,
  LocalTree,
  putFile,
  type TransferResult,
} from "../../client/mod.ts";
import type { IfExists } from "../../protocol/wire/messages/transfer.ts";
import type { IfTaken } from "../../protocol/files/tree.ts";
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import { temporaryDirectory } from "../support/program.ts";
import { type Harm, HarmfulProxy } from "../support/proxy.ts";
import { type Served, startServed } from "../server/served.ts";

export type Direction = "get" | "put";

/** So much that a sender whose bytes are held behind the first block cannot have read to the end: buffers take less. */
export const LARGE_BYTES = 16 * BLOCK_BYTES + 12_345;

export interface RunOptions {
  /** @default "file" */
  readonly name?: string;
  /** What is put. @default the file of that name */
  readonly path?: string;
  readonly ifExists?: IfExists & IfTaken;
  readonly onRestart?: () => void;
}

/** A server, a local directory, and a proxy between them that does one harm; "held" until told otherwise. */
export class HeldTransfer implements AsyncDisposable {
  readonly served: Served;
  readonly proxy: HarmfulProxy;
  readonly #here = temporaryDirectory();
  readonly #direction: Direction;
  readonly #clients: Client[] = [];

  constructor(direction: Direction, harm: Partial<Harm> = {}) {
    this.#direction = direction;
    this.served = startServed({}, { allowOverwrite: true, allowRemove: true });
    const counted = direction === "get" ? "to client" : "to server";
    this.proxy = new HarmfulProxy(this.served.port, {
      direction: counted,
      offset: BLOCK_BYTES,
      kind: "hold",
      ...harm,
    });
  }

  /** The directory of the sender. */
  get from(): string {
    return this.#direction === "get" ? this.served.root : this.#here.path;
  }

  /** The directory of the receiver. */
  get to(): string {
    return this.#direction === "get" ? this.#here.path : this.served.root;
  }

  /** A client, of the proxy or of the server itself, that tries only once, unless `options` say otherwise. */
  client(by: "proxy" | "server", options: ClientOptions = {}): Client {
    const port = by === "proxy" ? Number(this.proxy.port) : this.served.port;
    const client = new Client({ host: "127.0.0.1", port }, { retries: 0, retryWaitMs: 0, ...options });
    this.#clients.push(client);
    return client;
  }

  /** Transfers it. */
  run(
    client: Client,
    { name = "file", path, ifExists = "error", onRestart }: RunOptions = {},
  ): Promise<TransferResult> {
    return this.#direction === "get"
      ? getFile(client, name, intoTree(new LocalTree(this.to), name, ifExists), { onRestart })
      : putFile(client, path ?? `${this.from}/${name}`, name, { ifExists, onRestart });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.proxy.release();
    for (const client of this.#clients) await client[Symbol.asyncDispose]();
    await this.proxy[Symbol.asyncDispose]();
    await this.served[Symbol.asyncDispose]();
    this.#here[Symbol.dispose]();
  }
}
