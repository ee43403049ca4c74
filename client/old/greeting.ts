/** Greeting a server, in the format `greeting`: the old one, which may answer in pieces, or ours. */
import { AppError } from "../../protocol/errors.ts";
import type { ByteStream } from "../../protocol/exchange/byte_stream.ts";
import type { QuietReader } from "../../protocol/exchange/quiet_reader.ts";
import { formatGreeting, type Greeting, type GreetingReply, parseGreetingReply } from "../../protocol/wire/greeting.ts";
import type { OldServer } from "./old_server.ts";

/** What the old server, and ours, read of a greeting. */
export const GREETING_BYTES_MAX = 1_023;

const REPLY_BYTES_MAX = 65_536;
const SHOWN_LENGTH_MAX = 200;

/** Throws what `OldServer.ask` throws, and `not_app` for an answer that is none to a greeting. */
export async function greet(server: OldServer, greeting: Greeting): Promise<GreetingReply> {
  return await server.ask(new TextEncoder().encode(formatGreeting(greeting)), async (reader) => {
    await reader.closeWrite(); // it says that all of it is there, so that a server need not wait for a silence
    const bytes = await readToEnd(reader);
    if (bytes.length === 0) throw new AppError("lost", `${reader.peer} closed the connection before it answered`);
    return readReply(bytes, reader);
  });
}

function readReply(bytes: Uint8Array, { peer }: QuietReader): GreetingReply {
  try {
    return parseGreetingReply(bytes);
  } catch (cause) {
    const shown = new TextDecoder().decode(bytes.subarray(0, SHOWN_LENGTH_MAX)).trim();
    throw new AppError("not_app", `What answers at ${peer} does not speak the format greeting: "${shown}"`, {
      cause,
      advice: "Check the port, and on the server: app serve --wire app,greeting",
    });
  }
}

/** The reply has no other mark of its end than that of the stream. */
async function readToEnd(stream: ByteStream): Promise<Uint8Array> {
  const bytes = new Uint8Array(REPLY_BYTES_MAX);
  let length = 0;
  for (;;) {
    const count = await stream.read(bytes.subarray(length));
    if (count === null) return bytes.slice(0, length);
    length += count;
    if (length === bytes.length) throw new AppError("not_app", "The answer is longer than any to a greeting");
  }
}
