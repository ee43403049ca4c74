/**
 * Who may do what, written by hand from "Links and rights" of the specification, and the requests that are tried.
 *
 * `Y`: it is done. `-`: it is refused, with `not_allowed` for who shows a link and with `link_needed` for who shows none.
 */
import { deflateSync, inflateSync } from "node:zlib";
import { type Client, getFile, LocalTree, pullTree, pushTree, putPipe, undoPush } from "../../client/mod.ts";
import { MemoryDestination } from "../../client/image/memory.ts";
import { PipeSource } from "../../client/mod.ts";
import { expect } from "../../client/replies.ts";
import { peerError } from "../../protocol/exchange/transfer.ts";
import type { OldFormat } from "../../protocol/wire/detect.ts";
import type { RequestType } from "../../protocol/wire/messages/mod.ts";
import type { Right, StrangerRights } from "../../server/policy.ts";
import { exchange, RawConnection } from "../server/served.ts";
import { temporaryDirectory } from "../support/program.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

export type Column = Right | StrangerRights;
export const RIGHT_COLUMNS: readonly Right[] = ["read", "drop", "write", "admin"];
export const STRANGER_COLUMNS: readonly StrangerRights[] = ["none", "public", "public-write", "open"];

/** What is on the server when a request is tried: in a directory inside, and in one outside of what links are for. */
export const FILES = {
  "in/b.txt": "inside",
  "in/sub/c.txt": "deeper",
  "out/b.txt": "outside",
  "out/sub/c.txt": "deeper",
  "inside.txt": "begins alike",
};

interface Row {
  readonly type: RequestType | "ping";
  /** For people. */
  readonly what: string;
  /** Below read, drop, write, admin; none, public, public-write, open. */
  readonly cells: string;
  /** Whether doing it changes what is on the disk. */
  readonly changes: boolean;
  /** What of it a link for a directory is asked about: a name in it, the whole server, or nothing. */
  readonly about: "name" | "server" | "nothing";
  /** Does it with names in `directory`. */
  run(client: Client, directory: string): Promise<unknown>;
}

/** Requests of our own format. */
export const ROWS: readonly Row[] = [
  //  read drop write admin   none public public-write open
  row("get", "a file", "   Y - Y Y   - Y Y Y", "name", (client, at) => get(client, `${at}/b.txt`)),
  row("list", "a directory", "Y - Y Y   - Y Y Y", "name", (client, at) => list(client, at)),
  row("stat", "a file", "  Y - Y Y   - Y Y Y", "name", (client, at) => client.stat(`${at}/b.txt`)),
  row("digest", "a file", "Y - Y Y   - Y Y Y", "name", (client, at) => client.digest(`${at}/b.txt`)),
  row("find", "a country", "Y - Y Y  - Y Y Y", "server", (client) => client.capital("Peru")),
  row("status", "", "      - - - Y   - - - Y", "server", (client) => client.status()),
  row("ping", "", "        Y Y Y Y   Y Y Y Y", "nothing", (client) => client.ping()),
  changing("offer", "a new name", "      - Y Y Y   - - Y Y", "name", (client, at) => put(client, `${at}/new.txt`)),
  changing("offer", "with parents", "    - Y Y Y   - - Y Y", "name", (client, at) => put(client, `${at}/x/y.txt`)),
  changing(
    "offer",
    "aside",
    "           - Y Y Y   - - Y Y",
    "name",
    (client, at) => put(client, `${at}/b.txt`, "rename"),
  ),
  changing(
    "offer",
    "over another",
    "    - - Y Y   - - - Y",
    "name",
    (client, at) => put(client, `${at}/b.txt`, "replace"),
  ),
  changing("mkdir", "a directory", "     - Y Y Y   - - Y Y", "name", (client, at) => client.makeDirectory(`${at}/d/e`)),
  changing(
    "move",
    "to a new name",
    "   - - Y Y   - - - Y",
    "name",
    (client, at) => client.move(`${at}/b.txt`, `${at}/m`),
  ),
  changing(
    "move",
    "over another",
    "    - - Y Y   - - - Y",
    "name",
    (client, at) => client.move(`${at}/b.txt`, `${at}/sub/c.txt`, "replace"),
  ),
  changing("remove", "a file", "         - - Y Y   - - - Y", "name", (client, at) => client.remove(`${at}/b.txt`)),
  row("pull", "a directory", "Y - Y Y   - Y Y Y", "name", (client, at) => pull(client, at)),
  row("watch", "a directory", "Y - Y Y  - Y Y Y", "name", (client, at) => watch(client, at)),
  changing("push", "new names", "      - - Y Y   - - Y Y", "name", (client, at) => push(client, `${at}/t`)),
  changing("undo", "of a push", "      - - Y Y   - - - Y", "name", (client, at) => undo(client, at)),
  changing(
    "add",
    "a country",
    "         - - Y Y   - - Y Y",
    "server",
    (client) => client.add({ country: `Land ${crypto.randomUUID()}`, capital: "Town" }),
  ),
];

interface OldRow {
  readonly format: OldFormat | "words";
  readonly what: string;
  /** Below none, public, public-write, open: old formats show no link. */
  readonly cells: string;
  readonly changes: boolean;
  /** Whether it was done. */
  run(port: number): Promise<boolean>;
}

/** Requests of the old formats, and those in words. */
export const OLD_ROWS: readonly OldRow[] = [
  old("words", "ping", "      Y Y Y Y", async (port) => isOk(await exchange(port, "APP/1 ping\n"))),
  old("words", "list", "      - Y Y Y", async (port) => isOk(await exchange(port, "APP/1 list\n"))),
  old("words", "capital", "   - Y Y Y", async (port) => isOk(await exchange(port, "APP/1 capital Peru\n"))),
  old("words", "population", "- Y Y Y", async (port) => isOk(await exchange(port, "APP/1 population Peru\n"))),
  old("share", "get", "       - Y Y Y", async (port) => (await exchange(port, "get,inside.txt")).startsWith("pass")),
  old("share", "list", "      - Y Y Y", async (port) => (await exchange(port, "list")).includes("inside.txt")),
  old("share", "put", "       - - Y Y", putShare),
  old("image", "get", "       - Y Y Y", async (port) => (await exchange(port, "inside.txt")).startsWith("file-exists")),
  old("packet", "c", "        - Y Y Y", async (port) => await packet(port, "c|Peru") === "|Lima"),
  old("packet", "p", "        - Y Y Y", async (port) => await packet(port, "p|Peru") === "|34"),
  old(
    "packet",
    "a",
    "        - - Y Y",
    async (port) => (await packet(port, `a|Land ${crypto.randomUUID()},Town`)).includes("successfully"),
  ),
  old("packet", "h", "        Y Y Y Y", async (port) => await packet(port, "h|") === "|beat"),
  old(
    "greeting",
    "greet",
    "  - Y Y Y",
    async (port) => (await exchange(port, "Client of x: 7")).startsWith("Server of"),
  ),
];

/** Reads all of it, and stores nothing. */
async function pull(client: Client, directory: string): Promise<void> {
  await pullTree(client, directory, new LocalTree(ROOT), { isDryRun: true, into: "not-there" });
}

/** Hears that it is watched, and has heard enough. */
async function watch(client: Client, directory: string): Promise<void> {
  await client.attempt(async ({ session }) => {
    session.send({ type: "watch", name: directory });
    const message = await session.receive();
    if (message.type === "error") throw peerError(message);
    session.send({ type: "cancel" });
    await expect(session, "done");
  });
}

async function push(client: Client, directory: string): Promise<void> {
  await pushTree(client, new LocalTree(`${ROOT}/fixtures/wire`), directory);
}

/** Takes a push back, if one could be made: it replaces a file. */
async function undo(client: Client, directory: string): Promise<void> {
  using local = temporaryDirectory();
  Deno.writeTextFileSync(`${local.path}/b.txt`, "replaced");
  const options = { ifDifferent: "replace", trash: "on" } as const;
  await pushTree(client, new LocalTree(local.path), directory, options).catch(() => {});
  await undoPush(client, directory);
}

/** Whether the table says that it is done. */
export function isDone({ cells }: { readonly cells: string }, columns: readonly Column[], column: Column): boolean {
  return cells.trim().split(/\s+/).slice(-columns.length)[columns.indexOf(column)] === "Y";
}

/** The same for who shows a link: those columns come first. */
export function isDoneWith({ cells }: Row, right: Right): boolean {
  return cells.trim().split(/\s+/)[RIGHT_COLUMNS.indexOf(right)] === "Y";
}

function row(type: Row["type"], what: string, cells: string, about: Row["about"], run: Row["run"]): Row {
  return { type, what, cells, about, run, changes: false };
}

function changing(type: RequestType, what: string, cells: string, about: Row["about"], run: Row["run"]): Row {
  return { type, what, cells, about, run, changes: true };
}

function old(format: OldRow["format"], what: string, cells: string, run: OldRow["run"]): OldRow {
  return { format, what, cells, run, changes: ["put", "a"].includes(what) };
}

async function get(client: Client, name: string): Promise<void> {
  await getFile(client, name, new MemoryDestination());
}

async function list(client: Client, directory: string): Promise<void> {
  for await (const _ of client.list(directory));
}

function put(client: Client, name: string, ifExists: "error" | "rename" | "replace" = "error"): Promise<unknown> {
  const pieces = [new TextEncoder().encode("new content")];
  const read = (into: Uint8Array) => {
    const piece = pieces.shift();
    if (piece) into.set(piece);
    return Promise.resolve(piece?.length ?? null);
  };
  return putPipe(client, new PipeSource({ read }), name, { ifExists });
}

function isOk(answer: string): boolean {
  return answer.startsWith("APP/1 ok\n");
}

async function putShare(port: number): Promise<boolean> {
  using conn = await RawConnection.open(port);
  await conn.write("put,new.txt");
  if (new TextDecoder().decode(await conn.readExactly(4)) !== "pass") return false;
  await conn.write("new content");
  await conn.end();
  await conn.readBytes();
  return true;
}

async function packet(port: number, text: string): Promise<string> {
  using conn = await RawConnection.open(port);
  await conn.write(deflateSync(text));
  await conn.end();
  return new TextDecoder().decode(inflateSync(await conn.readBytes()));
}
