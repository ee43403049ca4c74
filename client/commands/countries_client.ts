/** What the commands for countries and heartbeats share: they speak our own format, or the old one called `packet`. */
import type { CommandInput } from "../../protocol/cli/command.ts";
import { clientFor, clientOptionsFor, type COMMON_OPTIONS, wireOption } from "../options.ts";
import { PacketClient } from "../old/packet.ts";
import type { CountryRecord } from "../records.ts";
import type { Report } from "../report.ts";
import type { Target } from "../target.ts";

export const PACKET_OPTION = wireOption("packet");

/** What both kinds of clients can do. */
export interface Countries {
  capital(country: string): Promise<string>;
  population(country: string): Promise<number | undefined>;
  add(record: CountryRecord): Promise<void>;
  ping(): Promise<number>;
}

/** Runs `work` with a client of the format that the options say. */
export async function withCountries<T>(
  input: CommandInput<readonly [typeof PACKET_OPTION, ...typeof COMMON_OPTIONS]>,
  target: Target,
  report: Report,
  work: (countries: Countries) => Promise<T>,
): Promise<T> {
  if (input.options.wire === "packet") {
    const onSizes = (direction: string, sizes: string) => report.note(`${direction} ${sizes}`);
    using client = new PacketClient(target, { ...clientOptionsFor(input, report), onSizes });
    return await work(client);
  }
  await using client = clientFor(target, input, report);
  return await work(client);
}
