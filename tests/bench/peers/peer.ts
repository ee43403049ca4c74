/**
 * What every tool in the bench has in common: the yard that it works in, and how its programs are started and stopped.
 *
 * All servers listen on 127.0.0.1 only, on a port that was free a moment ago.
 */
import type { Contender } from "../measure.ts";

/** Where a bench works: `served/big.bin` is what is got, `local/big.bin` what is put, each under another name. */
export interface Yard {
  readonly path: string;
}

/** A tool, set up to move the yard's files. `get` or `put` is absent where the tool, as it is set up here, has none. */
export interface Peer extends AsyncDisposable {
  readonly get?: Contender;
  readonly put?: Contender;
}

/** How a tool is set up: the programs that it needs, and its start. */
export interface PeerKind {
  readonly name: string;
  readonly programs: readonly string[];
  start(yard: Yard): Promise<Peer>;
}

/** Where a get stores its file, and a put its own; removed before each run. */
export const targets = ({ path }: Yard) => ({ got: `${path}/local/got.bin`, stored: `${path}/served/put.bin` });

/** Starts those of `kinds` whose programs are on this machine, and says which are not. */
export async function startPeers(kinds: readonly PeerKind[], yard: Yard): Promise<Peer[] & AsyncDisposable> {
  const peers: Peer[] = [];
  for (const { name, programs, start } of kinds) {
    const missing = programs.filter((program) => pathOf(program) === undefined);
    if (missing.length === 0) peers.push(await start(yard));
    else console.log(`missing: ${missing.join(", ")}, so ${name} is left out`);
  }
  return Object.assign(peers, {
    async [Symbol.asyncDispose]() {
      for (const peer of peers) await peer[Symbol.asyncDispose]();
    },
  });
}

/** Runs a program to its end; throws what it said when that was not success. */
export async function run(program: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args: [...args], stdin: "null", stdout: "null" })
    .output();
  if (!success) throw new Error(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

/** Starts a server, behind the words of `through`, and waits until it listens on `port`. */
export async function startServer(
  program: string,
  args: readonly string[],
  port: number,
  through: readonly string[] = [],
): Promise<AsyncDisposable> {
  const path = pathOf(program) ?? program; // sshd insists on its whole path
  const [first, ...words] = [...through, path, ...args];
  const child = new Deno.Command(first!, { args: words, stdin: "null", stdout: "null", stderr: "null" }).spawn();
  await untilListening(port, through);
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}

/** Where a program is, or `undefined` when it is not on this machine. */
export function pathOf(program: string): string | undefined {
  const folders = (Deno.env.get("PATH") ?? "").split(":").concat("/usr/sbin");
  return folders.map((folder) => `${folder}/${program}`).find(exists);
}

export function removeIfThere(path: string): void {
  if (exists(path)) Deno.removeSync(path, { recursive: true });
}

export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Looks instead of connecting, since some servers serve one connection only. */
export async function untilListening(port: number, through: readonly string[] = []): Promise<void> {
  const listening = new RegExp(`:${port.toString(16).toUpperCase().padStart(4, "0")} 00000000:0000 0A `);
  for (let attempt = 0; attempt < 500; attempt++) {
    if (listening.test(await listeners(through))) return;
    await new Promise((resolve) => setTimeout(resolve, 2)); // it is still starting
  }
  throw new Error(`Nothing listens on port ${port}`);
}

/** Those that a program sees which is started behind the words of `through`. */
async function listeners(through: readonly string[]): Promise<string> {
  const [first, ...words] = through;
  if (first === undefined) return Deno.readTextFileSync("/proc/net/tcp");
  const { stdout } = await new Deno.Command(first, { args: [...words, "cat", "/proc/net/tcp"] }).output();
  return new TextDecoder().decode(stdout);
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
