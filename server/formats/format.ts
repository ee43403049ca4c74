/** What a handler of an old format gets. Its connection is its own, to the end. */
import type { QuietReader } from "../../protocol/exchange/quiet_reader.ts";
import type { FileTree } from "../../protocol/files/tree.ts";
import type { ServerLimits } from "../../protocol/limits.ts";
import type { Outcome } from "../handlers/handler.ts";
import type { RecordStore } from "../records/record_store.ts";
import type { Action } from "../policy.ts";

/** What a server says of itself to those who greet it. */
export interface Greeting {
  readonly name: string;
  readonly number: bigint;
  /** Whether a number below 1 or above 100 stops the server, as it did the old one. */
  readonly closeOnOutOfRange: boolean;
}

export interface FormatContext {
  /** At the first byte of the first request, which is still to be taken. */
  readonly stream: QuietReader;
  readonly tree: FileTree;
  readonly records: RecordStore;
  readonly limits: ServerLimits;
  readonly greeting: Greeting;
  /** Throws unless the peer may do that. Call it before anything is looked at. */
  authorize(action: Action, name: string): void;
  isAuthorized(action: Action, name: string): boolean;
  /**
   * Runs one request and logs what came of it. What `run` throws is only logged, unless no more can be said on this
   * connection after it: so tell the peer what it is refused for before you throw it.
   */
  logged(request: string, name: string, run: () => Promise<Outcome>): Promise<void>;
  /** Told of each get whose bytes were all taken. */
  onDelivered(): void;
  /** Stops the whole server, as a person's Ctrl-C does. */
  stopServer(): void;
}

/** Serves one connection to its end. */
export type FormatHandler = (context: FormatContext) => Promise<void>;
