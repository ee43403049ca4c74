/**
 * What a command of the program is: a name, its words, one table of options, and what it does.
 *
 * Parsing, validation, help and the README's tables are derived from this. To add an option, add a row to a table and
 * use its value; to add a command, declare one and name it in `main.ts`.
 */
import type { Terminal } from "./terminal.ts";

interface OptionBase {
  /** Long name without its dashes. */
  readonly name: string;
  readonly short?: string;
  /** One line, without a full stop. The default is added to it. */
  readonly help: string;
  /** Under which heading help shows it, behind all that have none. */
  readonly group?: string;
  /** Not shown in help: an old name that is still taken, or one that changes nothing here. */
  readonly hidden?: boolean;
}

/** Whether it was given. */
export interface FlagOption extends OptionBase {
  readonly kind: "flag";
}
export interface TextOption extends OptionBase {
  readonly kind: "text";
  /** What stands for the value in help. */
  readonly value: string;
  readonly default?: string;
}
/** As text, and may be given any number of times. */
export interface ListOption extends OptionBase {
  readonly kind: "list";
  readonly value: string;
  readonly default?: undefined;
}
/** A whole number; `size` takes K, M, G, T as well, `seconds` takes fractions, `duration` a unit and gives ms. */
export interface NumberOption extends OptionBase {
  readonly kind: "count" | "size" | "seconds" | "duration";
  readonly value: string;
  readonly default?: number;
  readonly min?: number;
  readonly max?: number;
}
export interface ChoiceOption extends OptionBase {
  readonly kind: "choice";
  readonly choices: readonly string[];
  readonly default: string;
}

export type Option = FlagOption | TextOption | ListOption | NumberOption | ChoiceOption;

type ValueOf<O extends Option> = O extends FlagOption ? boolean
  : O extends ChoiceOption ? O["choices"][number]
  : O extends ListOption ? readonly string[]
  : (O extends NumberOption ? number : string) | (O extends { readonly default: unknown } ? never : undefined);

/** The values of a table of options, by their names; all are there, `undefined` without value and default. */
export type OptionValues<T extends readonly Option[]> = {
  readonly [O in T[number] as O["name"]]: ValueOf<O>;
};

/** What becomes of Ctrl-C. */
export interface Interruption {
  /** Aborted when the person interrupts the program; until this is called, that ends the process at once. */
  signal(): AbortSignal;
  isAborted(): boolean;
}

export interface CommandInput<T extends readonly Option[]> {
  /** The words that are no options, in order. */
  readonly words: readonly string[];
  readonly options: OptionValues<T>;
  readonly terminal: Terminal;
  readonly interruption: Interruption;
  /** The version of the program. */
  readonly version: string;
}

export interface Command<T extends readonly Option[] = readonly Option[]> {
  readonly name: string;
  /** One line, without a full stop. */
  readonly summary: string;
  /** The words behind the name, as help shows them. */
  readonly words: string;
  readonly wordsMax: number;
  readonly options: T;
  /** More for `--help`, below the options. */
  readonly notes?: readonly string[];
  /** Does it; resolves to the exit code, or throws. */
  run(input: CommandInput<T>): Promise<number>;
}

/** Declares a command; here so that the types of its options' values are known inside `run`. */
export function defineCommand<const T extends readonly Option[]>(command: Command<T>): Command {
  return command as unknown as Command; // who runs it has parsed the options by its own table
}

/** Commands by name, each loaded when it is wanted: a short command should not pay for the others. */
export type CommandTable = Readonly<Record<string, () => Promise<Command>>>;
