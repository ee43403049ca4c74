/** The opening over a stream: reading the first bytes, saying our line, and what comes of it: a session. */
import { type Compression, COMPRESSIONS } from "../compressions.ts";
import { AppError, ERRORS } from "../errors.ts";
import type { ErrorName } from "../errors.ts";
import { BODY_BYTES_MAX } from "../limits.ts";
import { detectFormat, type ServedFormat, type WireFormat } from "../wire/detect.ts";
import { type Abilities, formatAbilities, OPENING_START, parseOpening } from "../wire/opening.ts";
import type { ByteStream } from "./byte_stream.ts";
import { PackedStream } from "./packed_stream.ts";
import { type More, QuietReader } from "./quiet_reader.ts";
import { Session } from "./session.ts";

const LINE_FEED = 10;

/** What a connection began with. */
export interface FirstBytes {
  readonly format: WireFormat;
  /** The opening line of our own format; "" for all others. */
  readonly line: string;
  /** What came behind the line; of all other formats what came, which the reader still has. */
  readonly early: Uint8Array;
}

export interface FirstBytesOptions {
  /** The formats that are served. @default only ours */
  readonly accepted?: readonly ServedFormat[];
  /** How long a sender of an old format is silent when its request is complete. @default it never is */
  readonly quietMs?: number;
}

/**
 * Reads until the format is known and, if it is ours, its opening line is whole; that is taken out of `reader`.
 * `undefined` when the peer ended its side without a byte. Throws `malformed` for a line without an end.
 */
export async function readFirstBytes(
  reader: QuietReader,
  { accepted = ["app"], quietMs = Infinity }: FirstBytesOptions = {},
): Promise<FirstBytes | undefined> {
  for (let sender: More = "more";;) {
    // Before the first byte nobody is silent yet, and who was silent once has no other news but more bytes.
    sender = await reader.more(reader.buffered.length > 0 && sender === "more" ? quietMs : Infinity);
    const bytes = reader.buffered;
    if (bytes.length === 0) return undefined;
    const isComplete = sender === "more" && reader.isFull;
    const format = detectFormat(bytes, isComplete ? "quiet" : sender === "more" ? "sending" : sender, accepted);
    if (format && format !== "app") return { format, line: "", early: bytes };
    if (format === "app" && bytes.includes(LINE_FEED)) {
      const line = reader.take(bytes.indexOf(LINE_FEED) + 1);
      return { format, line: decodeLine(line.subarray(0, -1)), early: reader.take() };
    }
    if (sender === "ended") throw new AppError("lost", "The connection ended inside the opening line");
    if (reader.isFull) throw new AppError("malformed", `The opening line is longer than ${bytes.length} bytes`);
  }
}

function decodeLine(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new AppError("malformed", "The opening line is not UTF-8", { cause });
  }
}

/** Both opening lines as a client has them, and what the server says of itself in its own. */
export interface ClientOpening {
  readonly sent: string;
  readonly first: FirstBytes;
  readonly abilities: Abilities;
  /** What the server chose of what we offered. */
  readonly compression: Compression | undefined;
}

/** Begins a session as the client: our line, the server's line, and both again in the first frame. */
export async function openAsClient(
  stream: ByteStream,
  agent: string,
  compress?: string,
): Promise<{ session: Session; abilities: Abilities }> {
  const opening = await exchangeOpenings(stream, { agent, ...(compress === undefined ? {} : { compress }) });
  return { session: beginSession(stream, opening), abilities: opening.abilities };
}

/** Says our line and hears the server's, which may be that it refuses. A secret is only for a stream inside TLS. */
export async function exchangeOpenings(
  stream: ByteStream,
  ours: Pick<Abilities, "agent" | "compress" | "secret">,
): Promise<ClientOpening> {
  const sent = formatAbilities({ ...ours, dataBytesMax: BODY_BYTES_MAX });
  await stream.write(new TextEncoder().encode(sent + "\n"));
  const first = await readFirstBytes(new QuietReader(stream));
  if (!first) throw new AppError("lost", `${stream.peer} closed the connection before it said anything`);
  if (first.format !== "app") throw notOurs(first, stream.peer);
  const opening = parseOpening(first.line);
  if (opening.kind !== "abilities") {
    throw new AppError("malformed", `The server's opening has no abilities: ${first.line}`);
  }
  return { sent, first, abilities: opening.abilities, compression: chosenBy(opening.abilities, ours.compress) };
}

/** Throws `malformed` for what was not offered. */
function chosenBy({ compress }: Abilities, offered = ""): Compression | undefined {
  const chosen = COMPRESSIONS.find((name) => name === compress && offered.split(",").includes(name));
  if (chosen || compress === undefined) return chosen;
  throw new AppError("malformed", "The server chose a compression that was not offered to it");
}

/** The session behind both lines. Throws what the server refused. */
export function beginSession(stream: ByteStream, { sent, first, abilities, compression }: ClientOpening): Session {
  if (abilities.refused) throw refusal(abilities.refused);
  const { early, over } = layered(stream, first.early, compression);
  const session = new Session(over, {
    early,
    dataBytesMax: abilities.dataBytesMax,
    requestsAheadMax: 0,
  });
  session.send({ type: "hello", sent, received: first.line });
  return session;
}

/** What the session speaks over, and what of it was read already. */
function layered(stream: ByteStream, early: Uint8Array, compression: Compression | undefined) {
  if (!compression) return { early, over: stream };
  return { early: new Uint8Array(), over: new PackedStream(stream, compression, early) };
}

/** A line that was cut within its first word may still have been ours. */
function notOurs({ early }: FirstBytes, peer: string): AppError {
  if (OPENING_START.startsWith(String.fromCharCode(...early))) {
    return new AppError("lost", `The connection to ${peer} ended inside the opening line`);
  }
  return new AppError("not_app", `What answers at ${peer} is not app`);
}

export interface ServerOpeningOptions {
  readonly agent: string;
  readonly requestsAheadMax: number;
  /** Chosen from what the client offered. @default none */
  readonly compression?: Compression | undefined;
}

/** Begins a session as the server, behind the client's line. Then call `hello`, before anything else is received. */
export async function openAsServer(
  stream: ByteStream,
  first: FirstBytes,
  client: Abilities,
  { agent, requestsAheadMax, compression }: ServerOpeningOptions,
): Promise<{ session: Session; hello: () => Promise<void> }> {
  const sent = formatAbilities({
    agent,
    dataBytesMax: BODY_BYTES_MAX,
    ...(compression ? { compress: compression } : {}),
  });
  await stream.write(new TextEncoder().encode(sent + "\n"));
  const { early, over } = layered(stream, first.early, compression);
  const session = new Session(over, { early, dataBytesMax: client.dataBytesMax, requestsAheadMax });
  return { session, hello: () => receiveHello(session, sent, first.line) };
}

/** Throws `damaged` if an opening line changed on its way. */
async function receiveHello(session: Session, sent: string, received: string): Promise<void> {
  const hello = await session.receiveAny();
  if (hello.type !== "hello") throw new AppError("order", `"${hello.type}" came instead of "hello"`);
  if (hello.sent !== received || hello.received !== sent) {
    throw new AppError("damaged", "The opening lines were damaged on their way");
  }
}

function refusal(name: string): AppError {
  const code: ErrorName = Object.hasOwn(ERRORS, name) ? name as ErrorName : "internal";
  if (code === "unsupported") {
    const advice = "Its owner can allow it with --wire; a command speaks an old format with --wire, too";
    return new AppError(code, "The server does not speak our own format there", { by: "peer", advice });
  }
  return new AppError(code, `The server refused the connection: ${ERRORS[code].meaning}`, { by: "peer" });
}
