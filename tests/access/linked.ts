/** A server in this process that has links, and clients that show them. */
import { dial } from "../../client/dial.ts";
import { Client, type ClientOptions } from "../../client/mod.ts";
import { TcpStream } from "../../protocol/exchange/byte_stream.ts";
import { beginSession, exchangeOpenings } from "../../protocol/exchange/opening.ts";
import { addLink, type LinkPlan } from "../../server/access/make_link.ts";
import { Links, type LinksOptions } from "../../server/access/links.ts";
import type { ServeOptions } from "../../server/mod.ts";
import { assertEquals } from "../support/assert.ts";
import { temporaryDirectory } from "../support/program.ts";
import { type Served, startServed } from "../server/served.ts";
import { newIdentity } from "../server/tls_served.ts";

/** A key that no server has: nothing here asks for it. */
export const KEY = "A".repeat(43);

export interface Linked extends AsyncDisposable {
  readonly served: Served;
  /** The file of the links. */
  readonly file: string;
  readonly root: string;
  readonly faults: Error[];
  /** Makes a link; its secret. */
  link(plan?: Partial<LinkPlan>): Promise<string>;
  /** A client that shows `secret`, or nothing; dispose it. */
  client(secret?: string, options?: ClientOptions): Client;
  /** Waits until the log has that many lines of the request. */
  logged(request: string, count: number): Promise<void>;
}

/** A way from a client to a server. */
export interface Channel {
  readonly name: string;
  /** What a server needs for it. */
  readonly options: Omit<ServeOptions, "root" | "port" | "log">;
  readonly dial: typeof dial;
  /** Whether the server believes a secret that comes this way. */
  readonly takesSecrets: boolean;
}

/** Dials without encryption and shows the secret nevertheless, as no client does: what a server makes of it is tested. */
export const dialShowing: typeof dial = async ({ target, agent }) => {
  const stream = new TcpStream(await Deno.connect({ hostname: target.host, port: target.port }));
  try {
    const { secret } = target;
    const opening = await exchangeOpenings(stream, { agent, ...(secret === undefined ? {} : { secret }) });
    const session = beginSession(stream, opening);
    return { session, handTo() {}, [Symbol.dispose]: () => stream.close() };
  } catch (error) {
    stream.close();
    throw error;
  }
};

const identity = await newIdentity();

/** The first is what tests use that do not say. */
export const CHANNELS: readonly [Channel, ...Channel[]] = [
  {
    name: "TLS",
    options: { identity },
    dial: ({ target, ...options }) => dial({ ...options, target: { ...target, key: identity.key } }),
    takesSecrets: true,
  },
  { name: "plain", options: { identity, plain: true }, dial: dialShowing, takesSecrets: false },
];

/** As `startServed`, for strangers without any rights. */
export function startLinked(
  files: Readonly<Record<string, string | Uint8Array>> = {},
  options: Omit<ServeOptions, "root" | "port" | "log"> = {},
  linksOptions: Partial<LinksOptions> = {},
  channel = CHANNELS[0],
): Linked {
  const state = temporaryDirectory();
  const file = `${state.path}/links.json`;
  const faults: Error[] = [];
  const held: { links?: Links } = {};
  const served = startServed(files, {
    strangers: "none",
    ...channel.options,
    ...options,
    links: { redeem: (secret, peer) => held.links!.redeem(secret, peer) },
  });
  const links = held.links = new Links({
    file,
    root: served.root,
    onFault: (error) => faults.push(error),
    ...linksOptions,
  });
  return {
    served,
    file,
    root: served.root,
    faults,
    async link(plan = {}) {
      return (await addLink(file, { right: "read", path: "", root: served.root, ...plan })).secret;
    },
    client(secret, clientOptions) {
      const target = { host: "127.0.0.1", port: served.port, ...(secret === undefined ? {} : { secret }) };
      return new Client(target, { retries: 0, retryWaitMs: 0, connect: channel.dial, ...clientOptions });
    },
    async logged(request, count) {
      const lines = () => served.records.filter((record) => record.request === request);
      for (const until = performance.now() + 10_000; lines().length < count && performance.now() < until;) {
        await Deno.lstat("/");
      }
      assertEquals(lines().length, count, JSON.stringify(served.records));
    },
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]();
      links[Symbol.dispose]();
      state[Symbol.dispose]();
    },
  };
}
