/**
 * What a client can want of a server, once for every request and every old format. Each is recorded with a real server
 * (`fixtures/sessions/`), and played with servers that lie.
 */
import {
  AppError,
  Client,
  getFile,
  getOldFile,
  intoTree,
  listOldServer,
  LocalTree,
  OldServer,
  PacketClient,
  PipeSource,
  putFile,
  putOldFile,
  putPipe,
  type Target,
} from "../../client/mod.ts";
import { greet } from "../../client/old/greeting.ts";
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import { Random } from "../support/random.ts";

/** Where one session is played: with which server, in which directory of the client, and how patiently. */
export interface Place {
  readonly target: Target;
  readonly here: string;
  readonly timeoutMs: number;
}

export type Play = (place: Place) => Promise<unknown>;

const SMALL = new TextEncoder().encode("content\n");
/** A block and a bit: what can be resumed. */
export const LARGE = new Random(7).bytes(BLOCK_BYTES + 5);
const MTIME_MS = 1_700_000_000_000;

/** What the server shares. */
export const SHARED: Readonly<Record<string, Uint8Array>> = {
  "a.txt": SMALL,
  "empty": new Uint8Array(),
  "large.bin": LARGE,
  "some.bin": new Random(8).bytes(600),
  "dir/b.txt": SMALL,
  "dir/.dot": SMALL,
  "Grüße.txt": SMALL,
};

/** Writes the files with the same time and mode everywhere. */
export function writeShared(root: string): void {
  for (const [name, bytes] of Object.entries(SHARED)) writeFile(`${root}/${name}`, bytes);
  for (const path of [`${root}/dir`, root]) Deno.utimeSync(path, MTIME_MS / 1000, MTIME_MS / 1000);
}

function writeFile(path: string, bytes: Uint8Array): void {
  Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  Deno.writeFileSync(path, bytes);
  Deno.chmodSync(path, 0o644);
  Deno.utimeSync(path, MTIME_MS / 1000, MTIME_MS / 1000);
}

/** Leaves the first block of `LARGE` in `root`, as a transfer does that broke off behind it. */
export async function leavePartial(root: string, name: string): Promise<void> {
  const draft = await new LocalTree(root).create(name, { sizeBytes: LARGE.length, mtimeMs: MTIME_MS }, "error");
  await draft.startAt(0);
  await draft.write(LARGE.subarray(0, BLOCK_BYTES));
  await draft.suspend();
}

const asClient = (work: (client: Client, place: Place) => Promise<unknown>): Play => async (place) => {
  await using client = new Client(place.target, { agent: "doc", retries: 0, timeoutMs: place.timeoutMs });
  await work(client, place);
};

const asOldClient = (work: (server: OldServer, place: Place) => Promise<unknown>): Play => async (place) => {
  await work(new OldServer(place.target, { retries: 0, timeoutMs: place.timeoutMs }), place);
};

const asPacketClient = (work: (client: PacketClient) => Promise<unknown>): Play => async ({ target, timeoutMs }) => {
  using client = new PacketClient(target, { retries: 0, timeoutMs });
  await work(client);
};

const getting = (name: string): Play =>
  asClient((client, { here }) => getFile(client, name, intoTree(new LocalTree(here), name, "error")));

const putting = (bytes: Uint8Array, name: string, ifExists?: "rename" | "replace"): Play =>
  asClient(async (client, { here }) => {
    writeFile(`${here}/source`, bytes);
    await putFile(client, `${here}/source`, name, { ...(ifExists ? { ifExists } : {}) });
  });

function pipeOf(bytes: Uint8Array) {
  let rest = bytes;
  return {
    read(into: Uint8Array): Promise<number | null> {
      const piece = rest.subarray(0, into.length);
      into.set(piece);
      rest = rest.subarray(piece.length);
      return Promise.resolve(piece.length || null);
    },
  };
}

/** Refusals are part of what is recorded. */
async function refused(work: Promise<unknown>): Promise<void> {
  await work.catch((error) => {
    if (!(error instanceof AppError) || error.by !== "peer") throw error;
  });
}

/** The name that each session that gets a file stores it under. */
export const GOTTEN: Readonly<Record<string, string>> = {
  get: "a.txt",
  get_some: "some.bin",
  get_empty: "empty",
  get_missing: "nothing",
  get_resumed: "large.bin",
  share_get: "a.txt",
  image_get: "a.txt",
  image_missing: "nothing",
};

export const SESSIONS: Readonly<Record<string, Play>> = {
  ping: asClient(async (client) => {
    await client.ping();
    await client.ping();
  }),
  get: getting("a.txt"),
  get_some: getting("some.bin"),
  get_empty: getting("empty"),
  get_missing: getting("nothing"),
  get_resumed: async (place) => {
    await leavePartial(place.here, "large.bin");
    await getting("large.bin")(place);
  },
  put: putting(SMALL, "new/put.txt"),
  put_taken: putting(LARGE, "a.txt"), // a small one is sent at once, and its end may cross the refusal
  put_renamed: putting(SMALL, "a.txt", "rename"),
  put_replaced: putting(SMALL, "some.bin", "replace"),
  put_resumed: putting(LARGE, "partial.bin"),
  put_pipe: asClient((client) => putPipe(client, new PipeSource(pipeOf(SMALL)), "piped.txt")),
  list: asClient(async (client) => {
    await Array.fromAsync(client.list(""));
    await Array.fromAsync(client.list("dir", { all: true }));
    await refused(Array.fromAsync(client.list("nowhere")));
  }),
  stat: asClient(async (client) => {
    await client.stat("dir/b.txt");
    await client.stat("dir");
  }),
  change: asClient(async (client) => {
    await client.makeDirectory("made/here");
    await client.move("dir/b.txt", "made/c.txt");
    await client.move("made/c.txt", "a.txt", "rename");
    await client.remove("made/here");
    await refused(client.remove("dir"));
  }),
  digest: asClient(async (client) => {
    await client.digest("a.txt");
    await refused(client.digest("dir"));
  }),
  countries: asClient(async (client) => {
    await client.record("france");
    await refused(client.record("Frnace"));
    await client.add({ country: "Atlantis", capital: "Poseidonia", population: 12 });
    await refused(client.add({ country: "Mu", capital: 'a "b"' }));
  }),
  share_get: asOldClient((server, { here }) =>
    getOldFile(server, "share", "a.txt", intoTree(new LocalTree(here), "a.txt", "error"))
  ),
  share_put: asOldClient((server, { here }) => {
    writeFile(`${here}/source`, SMALL);
    return putOldFile(server, `${here}/source`, "shared.txt");
  }),
  share_taken: asOldClient(async (server, { here }) => {
    writeFile(`${here}/source`, SMALL);
    await refused(putOldFile(server, `${here}/source`, "a.txt"));
  }),
  share_list: asOldClient((server) => listOldServer(server)),
  packet: asPacketClient(async (client) => {
    await client.capital("France");
    await client.population("Peru");
    await client.add({ country: "Lemuria", capital: "Ganga" });
    await client.ping();
  }),
  packet_refused: asPacketClient(async (client) => {
    await client.capital("Frnace").catch(onlyNotFound);
  }),
  greeting: asOldClient((server) => greet(server, { name: "doc", number: 7n })),
  image_get: asOldClient((server, { here }) =>
    getOldFile(server, "image", "a.txt", intoTree(new LocalTree(here), "a.txt", "error"))
  ),
  image_missing: asOldClient((server, { here }) =>
    refused(getOldFile(server, "image", "nothing", intoTree(new LocalTree(here), "nothing", "error")))
  ),
};

function onlyNotFound(error: unknown): void {
  if (!(error instanceof AppError) || error.code !== "not_found") throw error;
}
