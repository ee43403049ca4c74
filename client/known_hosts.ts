/**
 * The keys of servers that were met without a link, by host and port, in a text file that a person can edit:
 *
 *     192.168.1.5:6000 uMUaZ1f4IbDQzqSlTLtPKM4KXrLxIyjMGAsjdvsBxFs
 *
 * One server a line; empty lines and those that begin with `#` are passed over. A line that is broken is kept as it is,
 * and told; the server that it names, if it names one, is not spoken to before somebody has mended it.
 */
import { AppError } from "../protocol/errors.ts";
import { quoteName } from "../protocol/escape.ts";
import { stateFile } from "../protocol/files/state_folder.ts";
import { isKey } from "../protocol/tls/key.ts";
import { formatTarget, type Target } from "./target.ts";
import type { KnownKey } from "./tls.ts";

const NAME = "known_hosts";

/** What a client knows of the keys of servers. */
export interface KnownHosts {
  /** The key of that server, if it is known. */
  keyOf(target: Target): Promise<KnownKey | undefined>;
  /** From now on `target` has that key, which it has proven. Throws `wrong_key` if it is known to have another one. */
  remember(target: Target, key: string): Promise<void>;
}

export interface KnownHostsFileOptions {
  /** @default in the folder where the program keeps what it remembers */
  readonly path?: string | undefined;
  /** Told of a server whose key is remembered from now on. */
  readonly onRemembered?: (target: Target, key: string) => void | Promise<void>;
  /** Told of each line that is broken, once. */
  readonly onFault?: (path: string, line: number) => void;
}

/** A line of the file; `key` is absent in one that is broken, `host` where nothing is said of any. */
interface Line {
  readonly text: string;
  readonly number: number;
  readonly host?: string;
  readonly key?: string;
}

export class KnownHostsFile implements KnownHosts {
  readonly #path: string | undefined;
  readonly #options: KnownHostsFileOptions;
  readonly #told = new Set<number>();

  constructor(options: KnownHostsFileOptions = {}) {
    this.#path = options.path ?? stateFile(NAME);
    this.#options = options;
  }

  async keyOf(target: Target): Promise<KnownKey | undefined> {
    if (this.#path === undefined || !isThere(this.#path)) return undefined;
    const { readKept } = await import("../protocol/files/kept_file.ts"); // most people know no hosts
    return this.#find(target, parseLines(readKept(this.#path) ?? ""));
  }

  async remember(target: Target, key: string): Promise<void> {
    await this.#change((lines) => {
      const known = this.#find(target, lines);
      if (known && known.key !== key) throw new AppError("wrong_key", `${formatTarget(target)} has ${known.which}`);
      return known ? undefined : [...lines.map(({ text }) => text), `${hostOf(target)} ${key}`];
    });
    await this.#options.onRemembered?.(target, key);
  }

  /** The keys that were known of that server, and are not any more. */
  async forget(target: Target): Promise<string[]> {
    const forgotten: string[] = [];
    await this.#change((lines) => {
      const [gone, kept] = [lines.filter((line) => line.host === hostOf(target)), lines.filter(isOtherThan(target))];
      forgotten.push(...gone.map(({ key, text }) => key ?? text));
      return gone.length > 0 ? kept.map(({ text }) => text) : undefined;
    });
    return forgotten;
  }

  /** Throws `failed` when the file is not sure of it. */
  #find(target: Target, lines: readonly Line[]): KnownKey | undefined {
    lines.forEach((line) => this.#tellIfBroken(line));
    const [first, ...others] = lines.filter((line) => line.host === hostOf(target));
    if (!first) return undefined;
    const where = `${quoteName(this.#path!)} line ${first.number}`;
    if (first.key === undefined || others.some(({ key }) => key !== first.key)) {
      const reason = first.key === undefined ? "it is broken" : "another line has another key";
      throw new AppError("failed", `Cannot tell the key of ${formatTarget(target)} by ${where}: ${reason}`, {
        advice: "Mend that file; then run the same command again",
      });
    }
    const advice = `Ask its owner whether the key is a new one; only then run: app forget ${formatTarget(target)}`;
    return { key: first.key, which: `the key that is known for it (${where})`, advice };
  }

  #tellIfBroken({ text, number, key }: Line): void {
    if (key !== undefined || isEmpty(text) || this.#told.has(number)) return;
    this.#told.add(number);
    this.#options.onFault?.(this.#path!, number);
  }

  /** `change` gives the new lines, or `undefined` to leave them. */
  async #change(change: (lines: readonly Line[]) => readonly string[] | undefined): Promise<void> {
    if (this.#path === undefined) {
      throw new AppError("failed", "Cannot find where to remember the keys of servers", {
        advice: "Set HOME, or ask the server's owner for a link, which has the key",
      });
    }
    const { changeKept } = await import("../protocol/files/kept_file.ts");
    await changeKept(this.#path, (text = "") => change(parseLines(text))?.map((line) => `${line}\n`).join(""));
  }
}

function parseLines(text: string): Line[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line, index) => {
    const [host, key, ...more] = isEmpty(line) ? [] : line.trim().split(/\s+/);
    return {
      text: line,
      number: index + 1,
      ...(host === undefined ? {} : { host: host.toLowerCase() }),
      ...(key !== undefined && isKey(key) && more.length === 0 ? { key } : {}),
    };
  });
}

function isEmpty(line: string): boolean {
  return line.trim() === "" || line.trim().startsWith("#");
}

function isOtherThan(target: Target): (line: Line) => boolean {
  return ({ host }) => host !== hostOf(target);
}

/** One spelling for each host; a name and its address are two, since nobody can tell that they stay the same. */
function hostOf({ host, port }: Target): string {
  if (!host.includes(":")) return `${host.toLowerCase()}:${port}`;
  const url = `http://[${host}]`;
  return `${URL.canParse(url) ? new URL(url).hostname : `[${host.toLowerCase()}]`}:${port}`;
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}
