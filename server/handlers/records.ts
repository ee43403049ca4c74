/**
 * `find` and `add`: the table of countries.
 *
 * A new request about records also has a place in `server/words.ts`, in `server/formats/packet.ts` and
 * `client/old/packet.ts` if the old format has it, in `client/records.ts`, and in `client/commands/countries.ts`.
 */
import { AppError } from "../../protocol/errors.ts";
import type { MessageOf } from "../../protocol/wire/messages/mod.ts";
import type { CountryRecord, RecordStore } from "../records/record_store.ts";
import type { Outcome, RequestContext } from "./handler.ts";

export async function handleFind(request: MessageOf<"find">, context: RequestContext): Promise<Outcome> {
  context.authorize("find", request.country);
  context.session.send({ type: "record", ...await findRecord(context.records, request.country) });
  return {};
}

export async function handleAdd(request: MessageOf<"add">, context: RequestContext): Promise<Outcome> {
  const { country, capital, population } = request;
  context.authorize("add", country);
  await context.records.add({ country, capital, ...(population === undefined ? {} : { population }) });
  context.session.send({ type: "done" });
  return {};
}

/** The record of `country`. Throws `not_found`, with names that may have been meant. */
export async function findRecord(records: RecordStore, country: string): Promise<CountryRecord> {
  const record = await records.find(country);
  if (record) return record;
  const near = await records.suggest(country);
  const question = near.length > 0 ? ` Did you mean ${near.join(" or ")}?` : "";
  throw new AppError("not_found", `No country found.${question}`);
}
