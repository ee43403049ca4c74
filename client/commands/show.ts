/** `app show`: a picture of the server, drawn on this terminal, and no file left behind. */
import { type CommandInput, defineCommand } from "../../protocol/cli/command.ts";
import { AppError } from "../../protocol/errors.ts";
import { validateName } from "../../protocol/names.ts";
import { getFile } from "../get.ts";
import { drawImage } from "../image/draw.ts";
import { MemoryDestination } from "../image/memory.ts";
import { requireImageScreen } from "../image/screen.ts";
import { encodeGet, getOldFile } from "../old/files.ts";
import { clientFor, LOOK_OPTIONS, oldServerFor, reportFor, targetFor, wireOption } from "../options.ts";
import { askFor, namesOf } from "../target.ts";

const OPTIONS = [wireOption("share", "image"), ...LOOK_OPTIONS] as const;

export const showCommand = defineCommand({
  name: "show",
  summary: "Draw a picture on this terminal, and keep no file",
  words: "HOST PORT NAME",
  wordsMax: 3,
  options: OPTIONS,
  notes: [
    "Terminals with kitty's protocol draw PNG; those with sixel also JPEG and GIF; those with iTerm2's also WebP.",
    "Others say so; app get HOST PORT NAME keeps the file.",
  ],
  run,
});

async function run(input: CommandInput<typeof OPTIONS>): Promise<number> {
  const { options, terminal } = input;
  const taken = targetFor(input);
  const [given, ...more] = namesOf(taken);
  if (more.length > 0) throw new AppError("usage", `Unexpected ${JSON.stringify(more[0])}: show draws one picture`);
  const name = given ?? askFor("NAME", "Enter file name on server --> ", terminal);
  validateName(name);
  if (options.wire !== "app") encodeGet(options.wire, name);
  if (options.json) {
    throw new AppError("usage", "A picture has no form as JSON", { advice: "Leave --json out, or say app get --json" });
  }
  const screen = await requireImageScreen(terminal, Deno.env.get);
  const { target } = taken;
  const report = reportFor(input);
  await using client = clientFor(target, input, report);
  const destination = new MemoryDestination();
  if (options.wire === "app") await getFile(client, name, destination);
  else await getOldFile(await oldServerFor(target, input, report), options.wire, name, destination);
  await drawImage(terminal, screen, await destination.bytes());
  return 0;
}
