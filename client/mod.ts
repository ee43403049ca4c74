/**
 * The client as a library: what the commands can do, a program can do.
 *
 *     import { Client, getFile, intoTree, LocalTree } from "./client/mod.ts";
 *     await using client = new Client({ host: "127.0.0.1", port: 6000 });
 *     await getFile(client, "img.jpg", intoTree(new LocalTree("."), "img.jpg", "error"));
 *
 * While a call of a `LocalTree` runs, the working directory of the process is another one; no call leaves it so, and none
 * waits in between. Only what runs on other threads could see it: give workers, and asynchronous calls of the file
 * system, paths from the top.
 */
export { Client, type ClientOptions } from "./client.ts";
export type { CountryRecord } from "./records.ts";
export { PacketClient } from "./old/packet.ts";
export type { Checksum, Listing, Status } from "./replies.ts";
export { type Destination, getFile, type GetOptions, intoTree } from "./get.ts";
export { PipeDestination, PipeSource } from "./pipe.ts";
export { nameOfPath, putFile, type PutOptions, putPipe } from "./put.ts";
export { pullTree, pushTree, type TreeOptions, type TreeResult } from "./tree.ts";
export { type UndoneRun, undoPull, undoPush, type UndoTreeOptions } from "./undo.ts";
export { listOldServer } from "./old/list.ts";
export { getOldFile, type OldFileFormat, putOldFile } from "./old/files.ts";
export { OldServer } from "./old/old_server.ts";
export type { Trust } from "./dial.ts";
export { type KnownHosts, KnownHostsFile, type KnownHostsFileOptions } from "./known_hosts.ts";
export type { KnownKey } from "./tls.ts";
export { formatTarget, type Target } from "./target.ts";
export { formatLink, type Link, parseLink } from "../protocol/wire/link.ts";
export { AppError, type ErrorName } from "../protocol/errors.ts";
export { LocalTree } from "../protocol/files/local_tree.ts";
export type { TransferProgress, TransferResult } from "../protocol/exchange/transfer.ts";
