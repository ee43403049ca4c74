/** `app greet`: two names and two numbers, in the format of an old program. */
import { type CommandInput, defineCommand } from "../../protocol/cli/command.ts";
import { usageError } from "../../protocol/cli/parse.ts";
import { formatGreeting, type Greeting, greetingNameFault, parseInteger } from "../../protocol/wire/greeting.ts";
import { greet, GREETING_BYTES_MAX } from "../old/greeting.ts";
import { LOOK_OPTIONS, oldServerFor, reportFor, targetFor } from "../options.ts";
import { askFor } from "../target.ts";

const OPTIONS = [
  { name: "name", kind: "text", value: "NAME", default: "app", help: "The name to greet with" },
  ...LOOK_OPTIONS,
] as const;

export const greetCommand = defineCommand({
  name: "greet",
  summary: "Tell a server a name and a number, and hear its own",
  words: "HOST PORT NUMBER",
  wordsMax: 3,
  options: OPTIONS,
  notes: ["Speaks the format greeting, of an old server or of app serve. NUMBER is an integer of any size and sign."],
  run,
});

async function run(input: CommandInput<typeof OPTIONS>): Promise<number> {
  const { options, terminal } = input;
  const { target, rest } = targetFor(input);
  const text = rest[0] ?? askFor("NUMBER", "Enter an integer --> ", terminal);
  const greeting = greetingOf(options.name, text);
  const report = reportFor(input);
  const { name, number, isClosing } = await greet(await oldServerFor(target, input, report), greeting);
  const sum = number + greeting.number;
  const lines = [
    `Server of ${report.shown(name)}: ${number}`,
    `Sum: ${sum}`,
    ...isClosing ? ["Server closing..."] : [],
  ];
  // The numbers are text, since they may be larger than programs read numbers.
  report.answer(lines.join("\n"), { event: "greeting", name, number: `${number}`, sum: `${sum}`, isClosing });
  return 0;
}

function greetingOf(name: string, text: string): Greeting {
  const fault = greetingNameFault(name);
  if (fault) throw usageError(greetCommand, `Cannot greet as ${JSON.stringify(name)}: ${fault}`);
  const number = parseInteger(text.trim());
  if (number === undefined) throw usageError(greetCommand, `${JSON.stringify(text)} is no integer`);
  const greeting = { name, number };
  const bytes = new TextEncoder().encode(formatGreeting(greeting)).length;
  if (bytes <= GREETING_BYTES_MAX) return greeting;
  throw usageError(greetCommand, `The greeting is longer than ${GREETING_BYTES_MAX} bytes`, "Shorten NAME or NUMBER");
}
