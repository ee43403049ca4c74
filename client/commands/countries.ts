/** `app capital`, `app population` and `app add`: the table of countries on a server. */
import { type CommandInput, defineCommand } from "../../protocol/cli/command.ts";
import { usageError } from "../../protocol/cli/parse.ts";
import { AppError } from "../../protocol/errors.ts";
import { LOOK_OPTIONS, reportFor, targetFor } from "../options.ts";
import type { CountryRecord } from "../records.ts";
import { askFor } from "../target.ts";
import { PACKET_OPTION, withCountries } from "./countries_client.ts";

const OPTIONS = [PACKET_OPTION, ...LOOK_OPTIONS] as const;
type Input = CommandInput<typeof OPTIONS>;

export const capitalCommand = defineCommand({
  name: "capital",
  summary: "Show the capital of a country",
  words: "HOST PORT COUNTRY",
  wordsMax: Infinity,
  options: OPTIONS,
  run: (input) => look(input, "capital"),
});

export const populationCommand = defineCommand({
  name: "population",
  summary: "Show how many people live in a country",
  words: "HOST PORT COUNTRY",
  wordsMax: Infinity,
  options: OPTIONS,
  run: (input) => look(input, "population"),
});

/** Names of several words need no quotes here: all words are the country. */
async function look(input: Input, fact: "capital" | "population"): Promise<number> {
  const { target, rest } = targetFor(input);
  const country = rest.join(" ") || askFor("COUNTRY", "Enter country --> ", input.terminal);
  const report = reportFor(input);
  const answer = await withCountries<string | number | undefined>(
    input,
    target,
    report,
    async (countries) => await countries[fact](country),
  );
  if (answer === undefined) {
    throw new AppError("not_found", `The population of ${country} is not known`, {
      advice: "The server's table has none for it",
    });
  }
  report.answer(report.shown(String(answer)), { event: "record", country, [fact]: answer });
  return 0;
}

export const addCommand = defineCommand({
  name: "add",
  summary: "Add a country to the server's table",
  words: "HOST PORT COUNTRY CAPITAL [POPULATION]",
  wordsMax: 5,
  options: OPTIONS,
  notes: ["Put a name of several words in quotes."],
  run: add,
});

async function add(input: Input): Promise<number> {
  const { target, rest } = targetFor(input);
  if (rest.length > 3) throw new AppError("usage", `Unexpected ${JSON.stringify(rest[3])}: put names in quotes`);
  const country = rest[0] ?? askFor("COUNTRY", "Enter country --> ", input.terminal);
  const capital = rest[1] ?? askFor("CAPITAL", "Enter capital --> ", input.terminal);
  const record: CountryRecord = { country, capital, ...populationOf(rest[2], input) };
  const report = reportFor(input);
  await withCountries(input, target, report, (countries) => countries.add(record));
  const line = `${report.shown(country)} and ${report.shown(capital)} successfully added to database`;
  report.result(line, { event: "done", name: country, ...record });
  return 0;
}

function populationOf(text: string | undefined, { options }: Input): Pick<CountryRecord, "population"> {
  if (text === undefined) return {};
  if (options.wire === "packet") {
    throw usageError(
      addCommand,
      "The format packet has no place for a population",
      "Leave out the population, or --wire packet",
    );
  }
  const digits = text.replaceAll(/[,_' ]/g, "");
  if (/^\d{1,15}$/.test(digits)) return { population: Number(digits) };
  throw usageError(addCommand, `${JSON.stringify(text)} is no population: it must be a whole number`);
}
