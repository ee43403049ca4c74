/**
 * What people use instead, set up to move the same file in the same directories: rsync's daemon, nginx with curl, cp.
 * Each says whether it is there; servers listen on 127.0.0.1 only, on a port that was free a moment ago.
 */
import { ServerProcess, startApp } from "../support/program.ts";
import type { Contender } from "./measure.ts";

/** Where a bench works: `served/big.bin` is what is got, `local/big.bin` what is put. */
export interface Yard {
  readonly path: string;
}

export interface Peer extends AsyncDisposable {
  readonly name: string;
  readonly get: Contender;
  /** Absent where the tool, as it is set up here, takes nothing. */
  readonly put?: Contender;
}

export async function startAppPeer({ path }: Yard): Promise<Peer> {
  const server = await ServerProcess.start(`${path}/served`, ["--log", "off"]);
  const app = async (...args: string[]) => {
    const child = startApp(args, { cwd: `${path}/local` });
    const [{ code, stderr }] = await Promise.all([child.output(), child.stdin.close()]);
    if (code !== 0) throw new Error(`app ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  };
  return {
    name: "app",
    get: {
      name: "app",
      prepare: () => removeAll(`${path}/local/got.bin`),
      run: () => app("get", "127.0.0.1", server.port, "big.bin", "--output", "got.bin"),
    },
    put: {
      name: "app",
      prepare: () => removeAll(`${path}/served/put.bin`),
      run: () => app("put", "127.0.0.1", server.port, "big.bin", "--as", "put.bin"),
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

export async function startRsyncPeer({ path }: Yard): Promise<Peer> {
  const port = freePort();
  const config = `${path}/rsyncd.conf`;
  Deno.writeTextFileSync(
    config,
    `address = 127.0.0.1\nport = ${port}\nuse chroot = no\n[served]\npath = ${path}/served\nread only = no\nuid = ${Deno.uid()}\ngid = ${Deno.gid()}\n`,
  );
  const daemon = spawnQuiet("rsync", ["--daemon", "--no-detach", `--config=${config}`]);
  await untilListening(port);
  const url = `rsync://127.0.0.1:${port}/served`;
  return {
    name: "rsync daemon -W",
    get: {
      name: "rsync daemon -W",
      prepare: () => removeAll(`${path}/local/got.bin`),
      run: () => run("rsync", ["-W", `${url}/big.bin`, `${path}/local/got.bin`]),
    },
    put: {
      name: "rsync daemon -W",
      prepare: () => removeAll(`${path}/served/put.bin`),
      run: () => run("rsync", ["-W", `${path}/local/big.bin`, `${url}/put.bin`]),
    },
    [Symbol.asyncDispose]: () => stop(daemon),
  };
}

export async function startNginxPeer({ path }: Yard): Promise<Peer> {
  const port = freePort();
  const config = `${path}/nginx.conf`;
  Deno.mkdirSync(`${path}/nginx`);
  Deno.writeTextFileSync(
    config,
    `daemon off; master_process off; pid ${path}/nginx/pid; error_log ${path}/nginx/error.log;
     events {} http { access_log off; sendfile on; client_max_body_size 0; client_body_temp_path ${path}/nginx/body;
     proxy_temp_path ${path}/nginx/p; fastcgi_temp_path ${path}/nginx/f; uwsgi_temp_path ${path}/nginx/u; scgi_temp_path ${path}/nginx/s;
     server { listen 127.0.0.1:${port}; root ${path}/served; } }`,
  );
  const server = spawnQuiet("nginx", ["-p", path, "-c", config]);
  await untilListening(port);
  return {
    name: "nginx + curl (verifies nothing)",
    get: {
      name: "nginx + curl (verifies nothing)",
      prepare: () => removeAll(`${path}/local/got.bin`),
      run: () => run("curl", ["-sS", "-o", `${path}/local/got.bin`, `http://127.0.0.1:${port}/big.bin`]),
    },
    [Symbol.asyncDispose]: () => stop(server),
  };
}

export function cpPeer({ path }: Yard): Peer {
  const contender = (from: string, to: string): Contender => ({
    name: "cp",
    prepare: () => removeAll(to),
    run: () => run("cp", [from, to]),
  });
  return {
    name: "cp",
    get: contender(`${path}/served/big.bin`, `${path}/local/got.bin`),
    put: contender(`${path}/local/big.bin`, `${path}/served/put.bin`),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Whether the programs are on this machine. */
export function areThere(...programs: readonly string[]): boolean {
  const folders = (Deno.env.get("PATH") ?? "").split(":").concat("/usr/sbin");
  return programs.every((program) => folders.some((folder) => exists(`${folder}/${program}`)));
}

export function removeAll(path: string): void {
  if (exists(path)) Deno.removeSync(path, { recursive: true });
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args: [...args], stdout: "null" }).output();
  if (!success) throw new Error(`${command} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

function spawnQuiet(command: string, args: readonly string[]): Deno.ChildProcess {
  const path = areThere(command) && exists(`/usr/sbin/${command}`) ? `/usr/sbin/${command}` : command;
  return new Deno.Command(path, { args: [...args], stdin: "null", stdout: "null", stderr: "null" }).spawn();
}

async function stop(child: Deno.ChildProcess): Promise<void> {
  child.kill("SIGTERM");
  await child.status;
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function untilListening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50)); // it is still starting
    }
  }
  throw new Error(`Nothing listens on port ${port}`);
}
