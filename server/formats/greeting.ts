/** The format `greeting`, served: one answer, and the connection ends. */
import { AppError, forPeer, toAppError } from "../../protocol/errors.ts";
import { formatGreetingReply, type Greeting as ClientGreeting, parseGreeting } from "../../protocol/wire/greeting.ts";
import type { QuietReader } from "../../protocol/exchange/quiet_reader.ts";
import type { Outcome } from "../handlers/handler.ts";
import type { FormatContext, Greeting } from "./format.ts";

/** A number outside of these stops the server, if it is told to let it. */
const NUMBER_MIN = 1n;
const NUMBER_MAX = 100n;

export async function serveGreeting(context: FormatContext): Promise<void> {
  const { stream } = context;
  let client: ClientGreeting;
  try {
    client = takeGreeting(stream);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return await context.logged("greet", "", () => refuse(stream, error));
  }
  await context.logged("greet", client.name, () => greet(client, context));
}

async function refuse(stream: QuietReader, error: AppError): Promise<never> {
  await say(stream, `Cannot greet: ${forPeer(error).text}`);
  throw error;
}

/** A request that fills the whole buffer may go on behind it: a number that was cut off would be another one. */
function takeGreeting(stream: QuietReader): ClientGreeting {
  const isWhole = !stream.isFull;
  const bytes = stream.take();
  if (!isWhole) throw new AppError("limit", `A greeting has less than ${bytes.length} bytes`);
  return parseGreeting(bytes);
}

async function greet(client: ClientGreeting, context: FormatContext): Promise<Outcome> {
  const { stream, greeting, stopServer } = context;
  try {
    context.authorize("greet", "");
  } catch (error) {
    return await refuse(stream, toAppError(error, "Cannot greet"));
  }
  const isInRange = client.number >= NUMBER_MIN && client.number <= NUMBER_MAX;
  const isClosing = !isInRange && greeting.closeOnOutOfRange;
  await say(stream, formatGreetingReply({ ...greeting, isClosing }));
  if (isClosing) stopServer();
  return { detail: describe(client, greeting, isInRange) };
}

function describe(client: ClientGreeting, server: Greeting, isInRange: boolean): string {
  const numbers = `Server number: ${server.number}, client number: ${client.number}, combined number: ${
    server.number + client.number
  }`;
  const what = `${client.name} has connected to Server of ${server.name}. ${numbers}`;
  if (isInRange) return what;
  const range = `The number is not from ${NUMBER_MIN} to ${NUMBER_MAX}`;
  return server.closeOnOutOfRange
    ? `${what}. ${range}: server closing`
    : `${what}. ${range}, but the server goes on: it was started without --close-on-out-of-range`;
}

async function say(stream: QuietReader, text: string): Promise<void> {
  await stream.write(new TextEncoder().encode(text));
  await stream.closeWrite();
}
