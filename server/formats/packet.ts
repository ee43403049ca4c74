/**
 * The format `packet`, served: capitals, populations, additions and heartbeats, as the old program answered them.
 *
 * Answers stay below the 1,024 bytes that an old client reads at once.
 */
import { AppError, forPeer, toAppError } from "../../protocol/errors.ts";
import { type InflatedPacket, PacketReader, writePacket } from "../../protocol/exchange/packet_stream.ts";
import {
  decodePacket,
  formatAdded,
  formatSaving,
  type Packet,
  PACKET_ANSWERS,
  PACKET_COMMANDS,
  parseEntry,
} from "../../protocol/wire/packet.ts";
import { sayLastWords } from "../refusal.ts";
import type { FormatContext } from "./format.ts";

/** What a request came to: the answer, and the error that the log tells of, if it is one. */
interface Answer {
  readonly text: string;
  readonly error?: AppError;
}

const INVALID: Answer = {
  text: PACKET_ANSWERS.invalid,
  error: new AppError("malformed", "The packet has no command that is known"),
};

/** Letters of names that are told back or logged; a longer one is no country. */
const NAME_LENGTH_MAX = 200;

export async function servePacket(context: FormatContext): Promise<void> {
  const reader = new PacketReader(context.stream, context.limits.quietMs);
  for (;;) {
    const packet = await nextPacket(reader, context);
    if (!packet) return;
    await serveOne(packet, context);
  }
}

/** What cannot be read is answered too, but where the next packet begins is not known any more. */
async function nextPacket(reader: PacketReader, context: FormatContext): Promise<InflatedPacket | undefined> {
  try {
    return await reader.next();
  } catch (error) {
    const isUnreadable = error instanceof AppError && (error.code === "malformed" || error.code === "limit");
    if (isUnreadable) await sayLastWords(context.stream, async () => void await say(INVALID.text, context));
    throw error;
  }
}

async function serveOne(inflated: InflatedPacket, context: FormatContext): Promise<void> {
  const packet = readPacket(inflated.bytes);
  const name = packet?.contents.slice(0, NAME_LENGTH_MAX) ?? "";
  await context.logged(nameOf(packet), name, async () => {
    const { text, error } = packet ? await answer(packet, context) : INVALID;
    const sent = await say(text, context);
    const sizes = `received ${formatSaving(inflated.bytes.length, inflated.compressedBytes)}, sent ${sent}`;
    return error ? { result: error.code, detail: `${error.message}; ${sizes}` } : { detail: sizes };
  });
}

function readPacket(bytes: Uint8Array): Packet | undefined {
  try {
    return decodePacket(bytes);
  } catch {
    return undefined; // it is answered as any other that is not understood
  }
}

function nameOf(packet: Packet | undefined): string {
  const known = Object.entries(PACKET_COMMANDS).find(([, letter]) => letter === packet?.command);
  return known?.[0] ?? "unknown";
}

async function answer(packet: Packet, context: FormatContext): Promise<Answer> {
  try {
    return await answerOrThrow(packet, context);
  } catch (cause) {
    const error = toAppError(cause, "Cannot answer a packet");
    if (error.code === "malformed") return { text: PACKET_ANSWERS.invalid, error };
    if (error.code === "exists") return { text: PACKET_ANSWERS.exists, error };
    return { text: forPeer(error).text, error };
  }
}

async function answerOrThrow({ command, contents }: Packet, context: FormatContext): Promise<Answer> {
  switch (command) {
    case PACKET_COMMANDS.capital:
    case PACKET_COMMANDS.population:
      return await look(command, contents, context);
    case PACKET_COMMANDS.add: {
      const entry = parseEntry(contents);
      context.authorize("add", entry.country);
      await context.records.add(entry);
      return { text: formatAdded(entry) };
    }
    case PACKET_COMMANDS.ping:
      return { text: PACKET_ANSWERS.beat };
    default:
      return INVALID;
  }
}

async function look(command: "c" | "p", country: string, { authorize, records }: FormatContext): Promise<Answer> {
  authorize("find", country);
  const record = await records.find(country);
  const isCapital = command === PACKET_COMMANDS.capital;
  if (!record) {
    const text = isCapital ? PACKET_ANSWERS.noCapital : PACKET_ANSWERS.noPopulation;
    return { text, error: new AppError("not_found", "No country found.") };
  }
  if (isCapital) return { text: record.capital };
  return record.population === undefined
    ? { text: PACKET_ANSWERS.noPopulation, error: new AppError("not_found", "The population is not known.") }
    : { text: String(record.population) };
}

/** Sends an answer; its sizes, for the log. */
function say(text: string, { stream }: FormatContext): Promise<string> {
  return writePacket(stream, { command: "", contents: text });
}
