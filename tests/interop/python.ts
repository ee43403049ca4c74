/** What the tests with Python share: a server of their own, and programs in Python that speak with it. */
import { ServerProcess, temporaryDirectory } from "../support/program.ts";
import { HAS_PYTHON } from "../support/python.ts";
import { type Random, withSeed } from "../support/random.ts";

const HERE = new URL(".", import.meta.url).pathname;

/** How a program in Python ended, and all that it wrote to stdout and stderr, without the last line feed. */
export interface Ending {
  readonly code: number;
  readonly said: string;
}

export interface Place {
  /** The shared directory. */
  readonly shared: string;
  /** Where the client's files are. */
  readonly local: string;
  readonly random: Random;
  /** Runs client.py. */
  client(...args: string[]): Promise<Ending>;
  /** Runs a program that begins with raw_frames.py; what it said. */
  script(text: string): Promise<string>;
}

/** A test with a server; it is passed over where there is no Python. */
export function test(name: string, body: (place: Place) => Promise<void>): void {
  const fn = () =>
    withSeed(async (random) => {
      using shared = temporaryDirectory();
      using local = temporaryDirectory();
      await using server = await ServerProcess.start(shared.path);
      const python = async (...args: string[]) => {
        const { code, stdout, stderr } = await new Deno.Command("python3", {
          args: ["-B", ...args],
          env: { PYTHONPATH: HERE, PYTHONUTF8: "1" },
        }).output();
        return { code, said: (new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr)).trimEnd() };
      };
      const client = (...args: string[]) => python(`${HERE}client.py`, "127.0.0.1", server.port, ...args);
      const script = async (text: string) =>
        (await python("-c", `from raw_frames import *\n${text}`, server.port)).said;
      await body({ shared: shared.path, local: local.path, random, client, script });
    });
  Deno.test({ name, ignore: !HAS_PYTHON, fn });
}

/** The time of what `write` writes. */
export const MTIME = new Date(1_700_000_000_123);

/** Writes `bytes` under `path`, with a time that is not now. */
export async function write(path: string, bytes: Uint8Array): Promise<void> {
  await Deno.writeFile(path, bytes);
  await Deno.utime(path, MTIME, MTIME);
}
