/** What a handler of one request gets, and what it leaves for the log. */
import type { ErrorName } from "../../protocol/errors.ts";
import type { Session } from "../../protocol/exchange/session.ts";
import type { FileTree } from "../../protocol/files/tree.ts";
import type { ServerLimits } from "../../protocol/limits.ts";
import type { MessageOf, RequestType } from "../../protocol/wire/messages/mod.ts";
import type { ConnectionState, Gauge } from "../../protocol/wire/messages/status.ts";
import type { RecordStore } from "../records/record_store.ts";
import type { Action, Principal } from "../policy.ts";

/** How a server is. */
export interface ServerStatus {
  readonly agent: string;
  readonly uptimeMs: number;
  readonly gauges: readonly Gauge[];
  readonly connections: readonly ConnectionState[];
}

export interface RequestContext {
  readonly session: Session;
  readonly tree: FileTree;
  readonly records: RecordStore;
  readonly principal: Principal;
  readonly limits: ServerLimits;
  /** Throws unless the principal may do that. Call it before anything is looked at. */
  authorize(action: Action, name: string): void;
  isAuthorized(action: Action, name: string): boolean;
  /** Told of each get that was stored by the client. */
  onDelivered(): void;
  status(): Promise<ServerStatus>;
  /** For a request without an end of its own: rejected when the server is to stop. */
  untilStopped(): Promise<never>;
}

/** What the log tells of a request that went well. */
export interface Outcome {
  /** Under which name it ended, where that is not the one that was asked for. */
  readonly name?: string;
  /** File bytes that went over the wire, where they are not those of a session. */
  readonly bytes?: number;
  /** What was said to the peer instead of a result, where that is part of the answer and was not thrown. @default "done" */
  readonly result?: ErrorName;
  /** What else the log should say. */
  readonly detail?: string;
}

/** Answers one request. What it throws is sent as its error. */
export type Handler<T extends RequestType> = (request: MessageOf<T>, context: RequestContext) => Promise<Outcome>;
