/**
 * The server as a library: share a directory, or any `FileTree`, over TCP.
 *
 *     import { serve } from "./server/mod.ts";
 *     await using server = serve({ root: "photos", port: 0 });
 *     console.log(`Sharing on port ${server.port}`);
 *     await server.finished;
 *
 * While a call of a `LocalTree` runs, the working directory of the process is another one; no call leaves it so, and none
 * waits in between. Only what runs on other threads could see it: give workers, and asynchronous calls of the file
 * system, paths from the top.
 */
export { serve, SERVED_TRASHES, type ServedTrash, type ServeOptions, Server } from "./server.ts";
export type { ServerLimits } from "../protocol/limits.ts";
export type { ServerStatus } from "./handlers/handler.ts";
export type { ConnectionState, Gauge } from "../protocol/wire/messages/status.ts";
export { Links, type LinksOptions } from "./access/links.ts";
export { addLink, type LinkPlan, revokeLinks } from "./access/make_link.ts";
export { type Identity, openIdentity } from "./identity.ts";
export { createLog, type Log, LOG_KINDS, type LogKind, type LogRecord } from "./log.ts";
export { SERVED_FORMATS, type ServedFormat } from "../protocol/wire/detect.ts";
export { CsvStore, type CsvStoreOptions } from "./records/csv_store.ts";
export type { CountryRecord, RecordStore } from "./records/record_store.ts";
export { AppError, type ErrorName } from "../protocol/errors.ts";
export { LocalTree } from "../protocol/files/local_tree.ts";
export type { Batch, Draft, Entry, FileFacts, FileTree, Source, Space, Usage } from "../protocol/files/tree.ts";
