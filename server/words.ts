/**
 * Requests in words: `APP/1 ping`, `APP/1 list [DIR]`, `APP/1 capital COUNTRY` and `APP/1 population COUNTRY` on the
 * opening line, answered in text, for a person with `nc`. The answer begins with `APP/1 ok` or `APP/1 refused=CODE`, and ends with the connection.
 */
import { AppError, ERRORS, forPeer, toAppError } from "../protocol/errors.ts";
import type { ByteStream } from "../protocol/exchange/byte_stream.ts";
import type { FileTree } from "../protocol/files/tree.ts";
import { escapeName } from "../protocol/escape.ts";
import { OPENING_START } from "../protocol/wire/opening.ts";
import { findRecord } from "./handlers/records.ts";
import type { RecordStore } from "./records/record_store.ts";
import type { Action } from "./policy.ts";

export interface WordsContext {
  readonly tree: FileTree;
  readonly records: RecordStore;
  authorize(action: Action, name: string): void;
}

/** Answers and ends our side. Throws what it refused, after having said so. */
export async function answerWords(stream: ByteStream, words: readonly string[], context: WordsContext): Promise<void> {
  const [verb, ...rest] = words;
  const write = (text: string) => stream.write(new TextEncoder().encode(text));
  try {
    if (verb === "ping") await write(`${OPENING_START} ok\nbeat\n`);
    else if (verb === "list") await writeList(write, rest.join(" "), context);
    else if (verb === "capital" || verb === "population") await writeFact(write, verb, rest.join(" "), context);
    else throw new AppError("unsupported", `Unknown request "${escapeName(verb ?? "")}"`);
  } catch (cause) {
    const error = toAppError(cause, "Cannot answer");
    const { name, text } = forPeer(error);
    const advice = name === "link_needed" ? `${ERRORS[name].advice}\n` : "";
    await write(`${OPENING_START} refused=${name}\n${text}\n${advice}`);
    throw error;
  } finally {
    await stream.closeWrite();
  }
}

async function writeList(write: (text: string) => Promise<void>, name: string, context: WordsContext): Promise<void> {
  context.authorize("list", name);
  let head = `${OPENING_START} ok\n`;
  for await (const { entries } of context.tree.list(name, { all: false })) {
    const lines = entries.map((entry) => escapeName(entry.name) + (entry.kind === "directory" ? "/" : "") + "\n");
    await write(head + lines.join(""));
    head = "";
  }
  if (head) await write(head);
}

async function writeFact(
  write: (text: string) => Promise<void>,
  fact: "capital" | "population",
  country: string,
  { authorize, records }: WordsContext,
): Promise<void> {
  authorize("find", country);
  const answer = (await findRecord(records, country))[fact];
  if (answer === undefined) throw new AppError("not_found", "The population is not known.");
  await write(`${OPENING_START} ok\n${escapeName(String(answer))}\n`);
}
