/** The opening over a stream: reading the first bytes, saying our line, and what comes of it: a session. */
import { AppError, ERRORS } from "../errors.ts";
import type { ErrorName } from "../errors.ts";
import { BODY_BYTES_MAX, OPENING_BYTES_MAX } from "../limits.ts";
import { detectFormat, type WireFormat } from "../wire/detect.ts";
import { type Abilities, formatAbilities, OPENING_START, parseOpening } from "../wire/opening.ts";
import type { ByteStream } from "./byte_stream.ts";
import { Session } from "./session.ts";

const LINE_FEED = 10;

/** What a connection began with. `line` is there for our own format only. */
export interface FirstBytes {
  readonly format: WireFormat;
  readonly line: string;
  /** What came behind the line. */
  readonly early: Uint8Array;
}

/**
 * Reads until the format is known and, if it is ours, its opening line is whole. `undefined` when the peer ended its
 * side without a byte. Throws `malformed` for a line without an end.
 */
export async function readFirstBytes(stream: ByteStream): Promise<FirstBytes | undefined> {
  const buffer = new Uint8Array(OPENING_BYTES_MAX);
  for (let length = 0;;) {
    const count = await stream.read(buffer.subarray(length));
    if (count === null) return length === 0 ? undefined : ended(buffer.subarray(0, length));
    length += count;
    const format = detectFormat(buffer.subarray(0, length));
    if (format && format !== "app") return { format, line: "", early: buffer.subarray(0, length) };
    const end = buffer.subarray(0, length).indexOf(LINE_FEED);
    if (end >= 0) {
      return { format: "app", line: decodeLine(buffer.subarray(0, end)), early: buffer.slice(end + 1, length) };
    }
    if (length === buffer.length) throw new AppError("malformed", `The opening line is longer than ${length} bytes`);
  }
}

function ended(bytes: Uint8Array): FirstBytes {
  if (detectFormat(bytes) === "app") throw new AppError("lost", "The connection ended inside the opening line");
  return { format: "unknown", line: "", early: bytes };
}

function decodeLine(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new AppError("malformed", "The opening line is not UTF-8", { cause });
  }
}

/** Begins a session as the client: our line, the server's line, and both again in the first frame. */
export async function openAsClient(
  stream: ByteStream,
  agent: string,
): Promise<{ session: Session; abilities: Abilities }> {
  const sent = formatAbilities({ agent, dataBytesMax: BODY_BYTES_MAX });
  await stream.write(new TextEncoder().encode(sent + "\n"));
  const first = await readFirstBytes(stream);
  if (!first) throw new AppError("lost", `${stream.peer} closed the connection before it said anything`);
  if (first.format !== "app") throw notOurs(first, stream.peer);
  const opening = parseOpening(first.line);
  if (opening.kind !== "abilities") {
    throw new AppError("malformed", `The server's opening has no abilities: ${first.line}`);
  }
  if (opening.abilities.refused) throw refusal(opening.abilities.refused);
  const session = new Session(stream, {
    early: first.early,
    dataBytesMax: opening.abilities.dataBytesMax,
    requestsAheadMax: 0,
  });
  session.send({ type: "hello", sent, received: first.line });
  return { session, abilities: opening.abilities };
}

/** A line that was cut within its first word may still have been ours. */
function notOurs({ early }: FirstBytes, peer: string): AppError {
  if (OPENING_START.startsWith(String.fromCharCode(...early))) {
    return new AppError("lost", `The connection to ${peer} ended inside the opening line`);
  }
  return new AppError("not_app", `What answers at ${peer} is not app`);
}

/** Begins a session as the server, behind the client's line. Then call `hello`, before anything else is received. */
export async function openAsServer(
  stream: ByteStream,
  first: FirstBytes,
  client: Abilities,
  { agent, requestsAheadMax }: { agent: string; requestsAheadMax: number },
): Promise<{ session: Session; hello: () => Promise<void> }> {
  const sent = formatAbilities({ agent, dataBytesMax: BODY_BYTES_MAX });
  await stream.write(new TextEncoder().encode(sent + "\n"));
  const session = new Session(stream, { early: first.early, dataBytesMax: client.dataBytesMax, requestsAheadMax });
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
  return new AppError(code, `The server refused the connection: ${ERRORS[code].meaning}`, { by: "peer" });
}
