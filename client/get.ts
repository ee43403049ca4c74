/** Getting one file: from a name on the server to a name in a local tree, or into a pipe. */
import { AppError } from "../protocol/errors.ts";
import { receiveFile, type ReceiveOptions } from "../protocol/exchange/receiver.ts";
import type { TransferProgress, TransferResult } from "../protocol/exchange/transfer.ts";
import type { Draft, FileFacts, IfTaken } from "../protocol/files/tree.ts";
import type { LocalTree } from "../protocol/files/local_tree.ts";
import { BLOCK_BYTES } from "../protocol/limits.ts";
import { quoteName } from "../protocol/escape.ts";
import { validateName } from "../protocol/names.ts";
import type { Attempt, Client } from "./client.ts";
import { expect } from "./replies.ts";

/** Where a file that is got goes. */
export interface Destination {
  /** Whether there is nothing of it yet, nor of an older one, so that the data may come at once. */
  isFresh(): boolean;
  create(facts: FileFacts): Promise<Draft>;
}

export interface GetOptions {
  onProgress?: ReceiveOptions["onProgress"];
  onRestart?: ReceiveOptions["onRestart"];
}

/** A file of `tree`. Throws `exists` at once when the name is taken and may not be. */
export function intoTree(tree: LocalTree, name: string, ifTaken: IfTaken): Destination {
  if (ifTaken === "error" && tree.has(name)) {
    throw new AppError("exists", `Cannot get ${quoteName(name)}: the name is taken here`, {
      advice: "Say --output to choose another, or --if-exists skip, rename or replace",
    });
  }
  return {
    // Where the partial of a file lies that steps aside depends on its size and time, which are not known yet.
    isFresh: () =>
      ifTaken !== "rename" && tree.partialOf(name) === undefined &&
      !(ifTaken === "replace" && tree.hasComparable(name)),
    create: (facts) => tree.create(name, facts, ifTaken),
  };
}

/** Gets the file `name`; what it came to, with the local name. Goes on where an earlier attempt stopped. */
export async function getFile(
  client: Client,
  name: string,
  destination: Destination,
  options: GetOptions = {},
): Promise<TransferResult> {
  validateName(name);
  return await client.attempt(async ({ session, progressed }) => {
    session.send({ type: "get", name, eager: destination.isFresh() });
    const offer = await expect(session, "offer");
    const result = await receiveFile(
      session,
      offer,
      () => destination.create({ ...offer, comparesOld: offer.compares }),
      {
        ...options,
        onProgress: watchProgress(options.onProgress, progressed),
      },
    );
    await session.flush().catch(() => {}); // the file is ours: a server that does not hear of it changes nothing
    return result;
  });
}

/** Tells `progressed` once a whole block has moved, and hands everything on. */
export function watchProgress(
  onProgress: ((progress: TransferProgress) => void) | undefined,
  progressed: Attempt["progressed"],
): (progress: TransferProgress) => void {
  let start: number | undefined;
  return (progress) => {
    if (progress.phase === "moving") {
      start ??= progress.bytes;
      if (progress.bytes - start >= BLOCK_BYTES) progressed();
    }
    onProgress?.(progress);
  };
}
