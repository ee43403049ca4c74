/** `app` itself, from source. */
import { ServerProcess, startApp } from "../../support/program.ts";
import { type PeerKind, removeIfThere, targets } from "./peer.ts";

export const app: PeerKind = {
  name: "app",
  programs: [],
  async start(yard) {
    const server = await ServerProcess.start(`${yard.path}/served`, ["--log", "off"]);
    const { got, stored } = targets(yard);
    return {
      get: {
        name: "app",
        prepare: () => removeIfThere(got),
        run: () => runApp(yard.path, ["get", "127.0.0.1", server.port, "big.bin", "--output", "got.bin"]),
      },
      put: {
        name: "app",
        prepare: () => removeIfThere(stored),
        run: () => runApp(yard.path, ["put", "127.0.0.1", server.port, "big.bin", "--as", "put.bin"]),
      },
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
};

/** Runs a client in the yard's local directory; throws what it said when that was not success. */
export async function runApp(path: string, args: readonly string[], env: Record<string, string> = {}): Promise<void> {
  const child = startApp(args, { cwd: `${path}/local`, env });
  const [{ code, stderr }] = await Promise.all([child.output(), child.stdin.close()]);
  if (code !== 0) throw new Error(`app ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}
