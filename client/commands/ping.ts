/** `app ping`: whether a server lives, and how long an answer takes. */
import { type CommandInput, defineCommand } from "../../protocol/cli/command.ts";
import { formatCount } from "../../protocol/cli/format.ts";
import { AppError } from "../../protocol/errors.ts";
import { LOOK_OPTIONS, reportFor, targetFor } from "../options.ts";
import { PACKET_OPTION, withCountries } from "./countries_client.ts";

const OPTIONS = [
  PACKET_OPTION,
  {
    name: "count",
    kind: "count",
    value: "N",
    default: 1,
    min: 1,
    max: 1_000_000,
    help: "How many, one behind the other",
  },
  ...LOOK_OPTIONS,
] as const;

export const pingCommand = defineCommand({
  name: "ping",
  summary: "Ask a server for a heartbeat, and show how long it takes",
  words: "HOST PORT",
  wordsMax: 2,
  options: OPTIONS,
  run,
});

async function run(input: CommandInput<typeof OPTIONS>): Promise<number> {
  const { target, rest } = targetFor(input);
  if (rest.length > 0) throw new AppError("usage", `Unexpected ${JSON.stringify(rest[0])}: ping takes HOST PORT`);
  const report = reportFor(input);
  const { count } = input.options;
  const times: number[] = [];
  await withCountries(input, target, report, async (countries) => {
    while (times.length < count) {
      times.push(await countries.ping());
      report.answer("beat", { event: "beat", number: times.length, roundTripMs: rounded(times.at(-1)!) });
    }
  });
  const { minMs, averageMs, maxMs } = summary(times);
  const line = `${formatCount(count, "heartbeat")}: min ${shown(minMs)}, avg ${shown(averageMs)}, max ${
    shown(maxMs)
  } ms`;
  report.note(line, { event: "done", count, minMs, averageMs, maxMs });
  return 0;
}

function summary(times: readonly number[]): { minMs: number; averageMs: number; maxMs: number } {
  let [min, max] = [Infinity, 0];
  for (const time of times) [min, max] = [Math.min(min, time), Math.max(max, time)];
  const averageMs = times.reduce((sum, time) => sum + time, 0) / times.length;
  return { minMs: rounded(min), averageMs: rounded(averageMs), maxMs: rounded(max) };
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** With all its digits, so that lines below one another can be compared. */
function shown(ms: number): string {
  return ms.toFixed(3);
}
