/**
 * What stands before a server that others can reach: the links that were made for its directory, and one more for as
 * long as it runs.
 */
import { toAppError } from "../../protocol/errors.ts";
import type { FileTree } from "../../protocol/files/tree.ts";
import { linkFile } from "./link_file.ts";
import { Links } from "./links.ts";
import { forgetStart, noteStart } from "./make_link.ts";
import type { Identity } from "../identity.ts";
import type { Log } from "../log.ts";
import type { StrangerRights } from "../policy.ts";
import { hostsOf, type ProtectionFacts, type StartFacts } from "../start_lines.ts";

export interface LinkKeeper extends AsyncDisposable {
  readonly links: Links;
  /** Notes where the server is reached, and makes a link for this start if strangers need one and it is wanted. */
  announce(bound: Bound, options: { isPlainAllowed: boolean; wantsLink: boolean }): Promise<ProtectionFacts>;
}

type Bound = Pick<StartFacts, "address" | "port" | "interfaces">;

export interface LinkKeeperOptions {
  readonly tree: FileTree;
  /** The directory that it keeps. */
  readonly root: string;
  readonly strangers: StrangerRights;
  readonly identity: Pick<Identity, "key" | "fingerprint">;
  readonly log: Log;
}

/** Throws what keeps the links from being read. */
export function openLinkKeeper({ tree, root, strangers, identity, log }: LinkKeeperOptions): LinkKeeper {
  const file = linkFile();
  const { key } = identity;
  const realRoot = Deno.realPathSync(root);
  const run = crypto.randomUUID();
  const tell = (cause: unknown) => {
    const { code, message } = toAppError(cause, "Cannot keep the links");
    const record = { time: new Date(), peer: "-", who: "-", request: "links", name: "", bytes: 0, durationMs: 0 };
    log({ ...record, result: code, detail: message });
  };
  let hasLink = false;
  const links = new Links({ file, root: realRoot, run, onFault: tell });
  return {
    links,
    async announce(bound, { isPlainAllowed, wantsLink }) {
      const place = { host: hostsOf(bound)[0]!, port: bound.port, key };
      hasLink = strangers === "none" && wantsLink;
      const isForOthers = strangers !== "open"; // where everybody may do everything, no link is of use
      const secret = isForOthers ? await noteStart(file, realRoot, place, hasLink ? run : undefined) : undefined;
      return { ...identity, strangers, isPlainAllowed, secret, example: await firstFile(tree) };
    },
    async [Symbol.asyncDispose]() {
      links[Symbol.dispose]();
      if (hasLink) await forgetStart(file, run).catch(tell); // it is good for nothing without this server in any case
    },
  };
}

async function firstFile(tree: FileTree): Promise<string | undefined> {
  for await (const { entries } of tree.list("", { all: false })) {
    const file = entries.find(({ kind }) => kind === "file");
    if (file) return file.name;
  }
}
