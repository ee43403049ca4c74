/** `app` from source, encrypted: the server has a key, which the client remembers from its first connection on. */
import { ServerProcess, startApp } from "../../support/program.ts";
import { type PeerKind, removeIfThere, targets } from "./peer.ts";

export const appTls: PeerKind = {
  name: "app (encrypted)",
  programs: [],
  async start(yard) {
    const { path } = yard;
    const server = await ServerProcess.start(`${path}/served`, ["--log", "off", "--identity", `${path}/identity.pem`]);
    const { got, stored } = targets(yard);
    const app = async (...args: string[]) => {
      const child = startApp(args, { cwd: `${path}/local`, env: { XDG_STATE_HOME: `${path}/state` } });
      const [{ code, stderr }] = await Promise.all([child.output(), child.stdin.close()]);
      if (code !== 0) throw new Error(`app ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
    };
    return {
      get: {
        name: appTls.name,
        prepare: () => removeIfThere(got),
        run: () => app("get", "127.0.0.1", server.port, "big.bin", "--output", "got.bin"),
      },
      put: {
        name: appTls.name,
        prepare: () => removeIfThere(stored),
        run: () => app("put", "127.0.0.1", server.port, "big.bin", "--as", "put.bin"),
      },
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
};
