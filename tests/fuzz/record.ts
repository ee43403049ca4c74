/** Records every session with a real server: `deno task record` writes them anew to `fixtures/sessions/`. */
import { assumeSha256Instructions } from "../../protocol/processor.ts";
import { CsvStore, serve } from "../../server/mod.ts";
import { temporaryDirectory } from "../support/program.ts";
import type { Side } from "../exchange/transcript.ts";
import { leavePartial, type Play, SESSIONS, writeShared } from "./sessions.ts";
import { Recorder, type Unit, writeSession } from "./transcripts.ts";

const PATIENCE_MS = 30_000;

/** Plays one session with a server over TCP, through somebody who listens. */
export async function record(name: string, play: Play): Promise<readonly Unit[]> {
  using _same = onAnyProcessor();
  using shared = temporaryDirectory();
  using here = temporaryDirectory();
  writeShared(shared.path);
  await leavePartial(shared.path, "partial.bin");
  await using server = serve({
    root: shared.path,
    port: 0,
    agent: "app/0.1.0",
    allowOverwrite: true,
    allowRemove: true,
    records: new CsvStore({ file: `${here.path}/countries.csv`, isBuiltIn: true }),
  });
  const recorder = new Recorder(!/^(share|packet|greeting|image)/.test(name));
  await using between = new Listener(server.port, (side, bytes) => recorder.heard(side, bytes));
  const place = { target: { host: "127.0.0.1", port: between.port }, here: here.path, timeoutMs: PATIENCE_MS };
  await play(place).catch((error) => {
    if (error?.by !== "peer") throw error;
  });
  await between.ended;
  return recorder.units;
}

/** Until it is disposed of, both sides say what they would say without instructions for SHA-256. */
function onAnyProcessor(): Disposable {
  assumeSha256Instructions(false);
  return { [Symbol.dispose]: () => assumeSha256Instructions(undefined) };
}

/** Hands one connection on to a server, and tells of everything that is said. */
class Listener implements AsyncDisposable {
  readonly port: number;
  /** Resolved when both sides have ended. */
  readonly ended: Promise<void>;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });

  constructor(serverPort: number, hear: (side: Side, bytes: Uint8Array) => void) {
    this.port = this.#listener.addr.port;
    this.ended = this.#run(serverPort, hear);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.ended.catch(() => {});
  }

  async #run(serverPort: number, hear: (side: Side, bytes: Uint8Array) => void): Promise<void> {
    using client = await this.#listener.accept();
    using server = await Deno.connect({ hostname: "127.0.0.1", port: serverPort });
    await Promise.all([
      pump(client, server, (bytes) => hear("client", bytes)),
      pump(server, client, (bytes) => hear("server", bytes)),
    ]);
  }
}

async function pump(from: Deno.Conn, to: Deno.TcpConn, hear: (bytes: Uint8Array) => void): Promise<void> {
  const buffer = new Uint8Array(65_536);
  try {
    for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
      hear(buffer.subarray(0, count));
      for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
    }
    await to.closeWrite();
  } catch (error) {
    // Who has all that it wants closes without waiting for the other.
    const gone = [Deno.errors.ConnectionReset, Deno.errors.BrokenPipe, Deno.errors.NotConnected];
    if (!gone.some((type) => error instanceof type)) throw error;
  }
}

if (import.meta.main) {
  for (const [name, play] of Object.entries(SESSIONS)) writeSession(name, await record(name, play));
}
