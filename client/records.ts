/** Records as a client asks for them, and hears of them. */
import { AppError, type ErrorName, hasCode } from "../protocol/errors.ts";
import type { Session } from "../protocol/exchange/session.ts";
import type { MessageOf } from "../protocol/wire/messages/mod.ts";
import { expect } from "./replies.ts";

/** What is known of a country. */
export interface CountryRecord {
  readonly country: string;
  readonly capital: string;
  /** Absent when the server does not know it. */
  readonly population?: number | undefined;
}

export async function requestRecord(session: Session, country: string): Promise<MessageOf<"record">> {
  requireSendable(country);
  session.send({ type: "find", country });
  try {
    return printable(await expect(session, "record"));
  } catch (error) {
    throw withAdvice(error, "not_found", UNKNOWN_ADVICE);
  }
}

/** What is printed as it is, for programs that read it, can have no control characters. Throws `malformed`. */
function printable(record: MessageOf<"record">): MessageOf<"record"> {
  // deno-lint-ignore no-control-regex -- finding control characters is the point
  if (!/[\u0000-\u001f\u007f-\u009f]/.test(record.country + record.capital)) return record;
  throw new AppError("malformed", "The server tells of a country with control characters in its names", { by: "peer" });
}

/** More than this no message has room for. */
const NAME_BYTES_MAX = 65_535;

/** Throws `bad_record` for names that cannot be sent. */
export function requireSendable(...names: readonly string[]): void {
  for (const name of names) {
    const { length } = new TextEncoder().encode(name);
    if (length <= NAME_BYTES_MAX) continue;
    throw new AppError("bad_record", `A name of ${length} bytes is none of a country or a capital`, {
      advice: "Shorten it",
    });
  }
}

/** What to do about a country that is not known. */
export const UNKNOWN_ADVICE = "Check the spelling, or add it with: app add HOST PORT COUNTRY CAPITAL";

/** `error`, with that advice if it has that code: the table of errors speaks of files. */
export function withAdvice(error: unknown, code: ErrorName, advice: string): unknown {
  if (hasCode(error, code)) error.advice = advice;
  return error;
}
