/**
 * The loop of `app shell`: a line, its command, the next line. What a command does is the command's business; here it
 * only gets HOST PORT, the options of the shell, the connection that all share, and an interruption of its own.
 */
import type { Command, CommandInput, Interruption } from "../../protocol/cli/command.ts";
import { formatCommandHelp } from "../../protocol/cli/help.ts";
import { parseLine } from "../../protocol/cli/parse.ts";
import { didYouMean } from "../../protocol/cli/suggest.ts";
import { ClosedPipe, withoutQuestions } from "../../protocol/cli/terminal.ts";
import { AppError, toAppError } from "../../protocol/errors.ts";
import { HEARTBEAT_MS } from "../../protocol/limits.ts";
import { Client } from "../client.ts";
import type { SessionHolder } from "../session_holder.ts";
import { type LOOK_OPTIONS, trustFor } from "../options.ts";
import { Report } from "../report.ts";
import { formatLink } from "../../protocol/wire/link.ts";
import type { Target } from "../target.ts";
import { complete, type Completion } from "./completion.ts";
import type { Input, Lines } from "./lines.ts";
import { OLD_NAMES, translateOld } from "./old_names.ts";
import { splitWords } from "./words.ts";

const END_WORDS = ["exit", "quit"];
const OWN_WORDS = ["help", ...END_WORDS];

/** A server that does not answer so many heartbeats is gone. */
const HEARTBEATS_MISSED_MAX = 3;
/** A completion that takes longer is given up. */
const COMPLETION_MAX_MS = 3_000;

export interface ShellOptions {
  readonly commands: readonly Command[];
  readonly input: CommandInput<typeof LOOK_OPTIONS>;
  readonly target: Target;
  /** Where a link leads. @default "", everywhere */
  readonly path?: string;
  readonly holder: SessionHolder;
  readonly report: Report;
  /** How often an idle connection is tried. */
  readonly heartbeatMs?: number;
}

export class Shell {
  readonly #commands: readonly Command[];
  readonly #input: CommandInput<typeof LOOK_OPTIONS>;
  readonly #target: Target;
  /** The directory that names are in, with "/" at its end, or "". */
  readonly #directory: string;
  readonly #holder: SessionHolder;
  readonly #report: Report;
  readonly #heartbeatMs: number;
  #running: AbortController | undefined;
  #exit = 0;

  constructor({ commands, input, target, path = "", holder, report, heartbeatMs = HEARTBEAT_MS }: ShellOptions) {
    this.#commands = commands;
    this.#input = input;
    this.#target = target;
    this.#directory = path.endsWith("/") ? path : "";
    this.#holder = holder;
    this.#report = report;
    this.#heartbeatMs = heartbeatMs;
  }

  /** Runs what `lines` say up to their end; the exit code of the last command that failed. Throws what `signal` says. */
  async run(lines: Lines, signal: AbortSignal): Promise<number> {
    const aborted = Promise.withResolvers<never>();
    aborted.promise.catch(() => {}); // there may be nobody who waits
    const onAbort = () => {
      this.#running?.abort(signal.reason);
      aborted.reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      for (;;) {
        const input = await Promise.race([this.#wait(lines), aborted.promise]);
        if (input.kind === "end") return this.#exit;
        if (input.kind === "complete") input.answer(await this.#complete(input.line));
        else if (await this.#runLine(input.text) === "end") return this.#exit;
        signal.throwIfAborted();
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Ends the command that runs. */
  interrupt(): void {
    this.#running?.abort(new AppError("interrupted", "Interrupted"));
  }

  /** The next input; meanwhile the connection is kept alive, and its end is told. */
  async #wait(lines: Lines): Promise<Input> {
    const next = lines.next();
    const session = this.#holder.current;
    if (!session) return await next;
    this.#holder.handTo({ timeoutMs: this.#heartbeatMs * HEARTBEATS_MISSED_MAX });
    using _alive = session.keepAlive(this.#heartbeatMs);
    try {
      return await session.whileIdle(next);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      this.#holder.drop();
      lines.tell(() => this.#report.note(`${error.message}; the next command connects to the server again`));
      return await next;
    }
  }

  async #runLine(line: string): Promise<"end" | undefined> {
    const isJson = this.#input.options.json || /\s--json\b/.test(line);
    let name: string | undefined;
    try {
      const [first, ...words] = translateOld(splitWords(line));
      name = first;
      if (name === undefined) return;
      if (END_WORDS.includes(name)) return "end";
      const exit = name === "help"
        ? this.#help(translateOld(words)[0])
        : await this.#runCommand(this.#find(name), words);
      if (exit !== 0) this.#exit = exit;
    } catch (cause) {
      if (cause instanceof ClosedPipe) throw cause;
      const error = toAppError(cause, "A defect of app");
      error.advice = error.advice.replace(/^Run: app (\w+ )?--help$/, `Enter: help ${name ?? ""}`.trimEnd());
      new Report(this.#input.terminal, { json: isJson, quiet: false }).error(error);
      if (error.code === "internal" && error.by === "us") {
        this.#input.terminal.note(`${(cause as Error).stack ?? cause}\n`);
      }
      this.#exit = error.exit;
    }
  }

  async #runCommand(command: Command, args: readonly string[]): Promise<number> {
    const { terminal, version } = this.#input;
    const { words, options, wantsHelp } = parseLine(command, [...this.#ownOptions(), ...this.#place(), ...args]);
    if (wantsHelp) return this.#help(command.name);
    if (command.name === "put" && words.includes("-")) {
      throw new AppError("usage", "In a shell, stdin has the commands", { advice: "Put a file, or run: app put" });
    }
    const running = this.#running = new AbortController();
    const interruption: Interruption = { signal: () => running.signal, isAborted: () => running.signal.aborted };
    // A question would take what is typed away from the prompt: what is missing is a mistake here.
    const silent = withoutQuestions(terminal);
    try {
      const input = { words, options: options as never, terminal: silent, version, interruption, holder: this.#holder };
      return await command.run(input);
    } catch (error) {
      throw running.signal.aborted ? running.signal.reason : error;
    } finally {
      if (running.signal.aborted) this.#holder.drop();
      this.#running = undefined;
    }
  }

  #ownOptions(): string[] {
    const { timeout, retries, strict, json, quiet } = this.#input.options;
    const flags = Object.entries({ strict, json, quiet }).map(([name, value]) => `--${name}=${value}`);
    return [`--timeout=${timeout}`, `--retries=${retries}`, ...flags];
  }

  #place(): string[] {
    const { host, port, key } = this.#target;
    if (key === undefined) return [host, String(port)];
    return [formatLink({ ...this.#target, key, path: this.#directory })];
  }

  #find(name: string): Command {
    const command = this.#commands.find((one) => one.name === name);
    if (command) return command;
    const known = [...this.#commands.map((one) => one.name), ...OWN_WORDS];
    const advice = "Enter: help";
    throw new AppError("usage", `Unknown command ${JSON.stringify(name)}${didYouMean(name, known)}`, { advice });
  }

  #help(name: string | undefined): number {
    const { terminal } = this.#input;
    if (name === undefined) terminal.result(formatShellHelp(this.#commands));
    else terminal.result(formatInnerHelp(this.#find(name)));
    return 0;
  }

  async #complete(line: string): Promise<Completion> {
    const { version } = this.#input;
    const list = async (directory: string) => {
      const signal = AbortSignal.timeout(COMPLETION_MAX_MS);
      const options = {
        timeoutMs: COMPLETION_MAX_MS,
        retries: 0,
        signal,
        agent: `app/${version}`,
        holder: this.#holder,
        ...trustFor(this.#input, this.#report),
      };
      await using client = new Client(this.#target, options);
      const names: string[] = [];
      for await (const { entries } of client.list((this.#directory + directory).replace(/\/$/, ""))) {
        names.push(...entries.map((entry) => entry.name + (entry.kind === "directory" ? "/" : "")));
      }
      return names;
    };
    try {
      return await complete(line, { commands: this.#commands, ownWords: OWN_WORDS, list });
    } catch {
      return [[], line]; // whatever keeps the names away is told by the next command
    }
  }
}

function formatInnerHelp(command: Command): string {
  return formatCommandHelp({ ...command, words: innerWords(command) }).replaceAll(`app ${command.name}`, command.name);
}

function formatShellHelp(commands: readonly Command[]): string {
  const rows = commands.map((command) =>
    [`${command.name} ${innerWords(command)}`.trimEnd(), command.summary] as const
  );
  rows.push(["help [COMMAND]", "Show this, or the options of a command"], ["exit", "End, as Ctrl-D does"]);
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  const old = Object.entries(OLD_NAMES).map(([name, ours]) => `${name} (${ours})`).join(", ");
  return [...rows.map(([left, right]) => left.padEnd(width) + right), "", `Old names: ${old}`].join("\n");
}

function innerWords({ words }: Command): string {
  return words.replace(/^HOST PORT ?/, "");
}
