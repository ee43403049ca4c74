/**
 * A mixed load for a server process: what honest clients do, in our own format and the old ones, and beside it what goes
 * wrong: transfers that break off, resets, silence, junk. Nobody waits for a moment to pass; everything waits for words.
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
  putFile,
  putOldFile,
  type Target,
} from "../../client/mod.ts";
import { greet } from "../../client/old/greeting.ts";
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import { HarmfulProxy } from "../support/proxy.ts";
import { temporaryDirectory } from "../support/program.ts";
import { Random } from "../support/random.ts";

export const SMALL = new Random(11).bytes(20_000);
/** Three blocks and a bit, so that there is something to go on with. */
export const LARGE = new Random(12).bytes(3 * BLOCK_BYTES + 17);

/** Where one piece of load is done: with which server, in which directory, under names of whose own. */
export interface Work {
  readonly target: Target;
  readonly here: string;
  readonly own: string;
  readonly random: Random;
}

const QUICKLY = { retries: 0, timeoutMs: 20_000 };

const withClient = (work: (client: Client, at: Work) => Promise<unknown>) => async (at: Work) => {
  await using client = new Client(at.target, QUICKLY);
  await work(client, at);
};

/** Puts `bytes` under the own name, looks at what arrived, and takes it away again. */
async function putAndRemove(client: Client, { here, own }: Work, bytes: Uint8Array): Promise<void> {
  Deno.writeFileSync(`${here}/source`, bytes);
  await putFile(client, `${here}/source`, own);
  const { sizeBytes } = await client.digest(own);
  if (sizeBytes !== bytes.length) throw new Error(`${own} has ${sizeBytes} bytes`);
  await client.remove(own);
}

async function get(client: Client, { here }: Work, name: string, bytes: Uint8Array): Promise<void> {
  await getFile(client, name, intoTree(new LocalTree(here), name, "replace"));
  if (Deno.readFileSync(`${here}/${name}`).some((byte, at) => byte !== bytes[at])) throw new Error(`${name} is wrong`);
}

/** A put that is cut in the midst of its data and goes on where it was, over another connection. */
async function putResumed(at: Work): Promise<void> {
  const offset = BLOCK_BYTES + at.random.below(2 * BLOCK_BYTES);
  Deno.writeFileSync(`${at.here}/source`, LARGE);
  await using proxy = new HarmfulProxy(at.target.port, { direction: "to server", offset, kind: "cut" });
  const target = { host: "127.0.0.1", port: Number(proxy.port) };
  await using client = new Client(target, { retries: 20, retryWaitMs: 1, retryWaitMaxMs: 20, timeoutMs: 20_000 });
  await putFile(client, `${at.here}/source`, at.own);
  await client.remove(at.own);
}

/** A put of less than a block that is cut and never goes on: nothing of it may stay. */
async function putCut(at: Work): Promise<void> {
  const offset = 300 + at.random.below(SMALL.length - 300);
  Deno.writeFileSync(`${at.here}/source`, SMALL);
  await using proxy = new HarmfulProxy(at.target.port, { direction: "to server", offset, kind: "cut" });
  await using client = new Client({ host: "127.0.0.1", port: Number(proxy.port) }, QUICKLY);
  await putFile(client, `${at.here}/source`, at.own).catch(onlyLost);
}

/** A connection that begins as it should and is left without a word. */
async function abandon(at: Work): Promise<void> {
  const beginning = at.random.pick(["APP/1 agent=x\n", "APP/1 agent=x", "get,small", "put,", "\x78\x9c", "small", ""]);
  using conn = await Deno.connect({ hostname: at.target.host, port: at.target.port });
  await conn.write(new TextEncoder().encode(beginning));
  // What is unread at our end makes a reset of it.
  if (beginning.endsWith("\n")) await conn.read(new Uint8Array(1));
}

async function sayJunk(at: Work): Promise<void> {
  using conn = await Deno.connect({ hostname: at.target.host, port: at.target.port });
  try {
    await conn.write(at.random.bytes(1 + at.random.below(5_000)));
    await conn.closeWrite();
    const sink = new Uint8Array(10_000);
    while (await conn.read(sink) !== null);
  } catch {
    // It had enough of it.
  }
}

/** A get that its client leaves in the midst of the data. */
async function getCut(at: Work): Promise<void> {
  const offset = 1_000 + at.random.below(2 * BLOCK_BYTES);
  await using proxy = new HarmfulProxy(at.target.port, { direction: "to client", offset, kind: "cut" });
  await using client = new Client({ host: "127.0.0.1", port: Number(proxy.port) }, QUICKLY);
  using here = temporaryDirectory();
  await getFile(client, "large", intoTree(new LocalTree(here.path), "large", "error")).catch(onlyLost);
}

function onlyLost(error: unknown): void {
  if (!(error instanceof AppError) || !error.retriable) throw error;
}

/** Everything that is done, each about as often. */
export const LOAD: readonly ((at: Work) => Promise<unknown>)[] = [
  withClient((client, at) => get(client, at, "small", SMALL)),
  withClient((client, at) => get(client, at, "large", LARGE)),
  withClient((client, at) => putAndRemove(client, at, SMALL)),
  withClient((client, at) => putAndRemove(client, at, LARGE)),
  withClient(async (client) => {
    await Array.fromAsync(client.list(""));
    await client.stat("small");
    await client.digest("large");
    await client.ping();
  }),
  withClient(async (client) => {
    await client.capital("France");
    await client.capital("Nowhere").catch(() => {});
    await client.stat("nothing").catch(() => {});
  }),
  putResumed,
  putCut,
  getCut,
  abandon,
  sayJunk,
  ({ target, here }) => {
    const into = intoTree(new LocalTree(here), "small", "replace");
    return getOldFile(new OldServer(target, QUICKLY), "share", "small", into);
  },
  async (at) => {
    Deno.writeFileSync(`${at.here}/source`, SMALL);
    await putOldFile(new OldServer(at.target, QUICKLY), `${at.here}/source`, at.own);
    await using client = new Client(at.target, QUICKLY);
    await client.remove(at.own);
  },
  ({ target }) => listOldServer(new OldServer(target, QUICKLY)),
  async ({ target }) => {
    using client = new PacketClient(target, QUICKLY);
    await client.capital("Peru");
    await client.ping();
  },
  ({ target }) => greet(new OldServer(target, QUICKLY), { name: "soak", number: 7n }),
  ({ target, here }) => {
    const into = intoTree(new LocalTree(here), "small", "replace");
    return getOldFile(new OldServer(target, QUICKLY), "image", "small", into);
  },
];
