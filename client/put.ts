/** Putting one file: from a local file, or a pipe, to a name on the server. */
import { AppError, hasCode } from "../protocol/errors.ts";
import { type Outgoing, sendFile } from "../protocol/exchange/sender.ts";
import { endsSession, type TransferOptions, type TransferResult } from "../protocol/exchange/transfer.ts";
import { openLocalFile } from "../protocol/files/local_file.ts";
import { BLOCK_BYTES } from "../protocol/limits.ts";
import { quoteName } from "../protocol/escape.ts";
import { numberedName, validateName } from "../protocol/names.ts";
import { IF_EXISTS, type IfExists } from "../protocol/wire/messages/transfer.ts";
import type { Attempt, Client } from "./client.ts";
import { watchProgress } from "./get.ts";
import type { PipeSource } from "./pipe.ts";
import { requestDigest } from "./replies.ts";

export interface PutOptions extends TransferOptions {
  /** What the server is to do when the name is taken. @default "error" */
  ifExists?: IfExists;
}

/** Puts the local file `path` under `name`; what it came to. Goes on where an earlier attempt stopped. */
export async function putFile(
  client: Client,
  path: string,
  name: string,
  options: PutOptions = {},
): Promise<TransferResult> {
  openLocalFile(path)[Symbol.dispose](); // what cannot be opened is said before anybody is called
  return await put(client, name, options, () => {
    const source = openLocalFile(path);
    const { sizeBytes, mtimeMs, mode } = source.entry;
    const eager = sizeBytes < BLOCK_BYTES; // less than a block cannot be resumed, so there is nothing to wait for
    const compares = !eager && options.ifExists === "replace";
    return { source, offer: { ...offerOf(name, options), sizeBytes, mtimeMs, mode, eager, compares } };
  });
}

/** Puts everything that comes out of `pipe` under `name`. */
export async function putPipe(
  client: Client,
  pipe: PipeSource,
  name: string,
  options: PutOptions = {},
): Promise<TransferResult> {
  return await put(client, name, options, () => {
    if (pipe.isUsed) {
      throw new AppError("failed", "The connection broke off, and what came through the pipe cannot be read again", {
        advice: "Run the whole command again, or put a file: a file can be resumed",
      });
    }
    return { source: pipe, offer: offerOf(name, options) };
  });
}

async function put(
  client: Client,
  name: string,
  options: PutOptions,
  begin: () => Outgoing,
): Promise<TransferResult> {
  validateName(name);
  /** What an earlier attempt had sent completely, whose answer was lost. */
  let unanswered: TransferResult | undefined;
  return await client.attempt(async (attempt) => {
    const earlier = unanswered;
    if (earlier && options.ifExists === "rename") {
      const stored = await findStored(earlier, attempt);
      if (stored) return stored;
    }
    const outgoing = begin();
    try {
      const result = await sendFile(attempt.session, () => outgoing, {
        onProgress: watchProgress(options.onProgress, attempt.progressed),
        onRestart: options.onRestart,
        onSent: (sent) => unanswered = sent,
      });
      validateName(result.name);
      return result;
    } catch (error) {
      if (earlier && await isStoredAlready(error, earlier, attempt)) return earlier;
      const isAnswered = error instanceof AppError && !endsSession(error);
      if (isAnswered) unanswered = earlier; // this attempt was not stored: what is found later is not from it
      throw error;
    }
  });
}

function offerOf(name: string, { ifExists = "error" }: PutOptions): Outgoing["offer"] {
  return { type: "offer", name, ifExists: IF_EXISTS.indexOf(ifExists) };
}

/** How many numbered names are looked at for what an earlier attempt may have stored. */
const NUMBERS_MAX = 100;

/** What an earlier attempt stored under its name or a numbered one, if it did. */
async function findStored(sent: TransferResult, attempt: Attempt): Promise<TransferResult | undefined> {
  for (let number = 1; number <= NUMBERS_MAX; number++) {
    const name = number === 1 ? sent.name : numberedName(sent.name, number);
    try {
      if (await hasContent(name, sent, attempt)) return { ...sent, name };
    } catch (error) {
      if (hasCode(error, "not_found")) return;
      throw error;
    }
  }
}

/** When the name is taken now by exactly what an earlier attempt sent, that attempt was stored. */
async function isStoredAlready(error: unknown, sent: TransferResult, attempt: Attempt): Promise<boolean> {
  return hasCode(error, "exists") && await hasContent(sent.name, sent, attempt);
}

async function hasContent(name: string, sent: TransferResult, { session }: Attempt): Promise<boolean> {
  const there = await requestDigest(session, name);
  return there.sizeBytes === sent.sizeBytes && there.crc === sent.crc;
}

/** The name under which a local file is stored when none is given: the last part of its path, in the form NFC. */
export function nameOfPath(path: string): string {
  const name = path.replace(/[/\\]+$/, "").replace(Deno.build.os === "windows" ? /^.*[/\\]/ : /^.*\//, "").normalize();
  if (name === "" || name === "." || name === "..") {
    throw new AppError("bad_name", `Cannot tell a name from ${quoteName(path)}`, { advice: "Say it with --as NAME" });
  }
  return name;
}
