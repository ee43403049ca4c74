/** The runtime's own TLS, client and server, with the same files and yields as `app`, and nothing else. */
import { openIdentity } from "../../../server/identity.ts";
import { freePort, type PeerKind, removeIfThere, run, startServer, targets } from "./peer.ts";

const PROGRAM = new URL("bare_tls_program.ts", import.meta.url).pathname;

export const bareTls: PeerKind = {
  name: "bare listenTls, startTls",
  programs: [],
  async start(yard) {
    const { path } = yard;
    const port = freePort();
    const identityFile = `${path}/bare.pem`;
    const { key } = await openIdentity(identityFile);
    const program = ["run", "--quiet", "-A", PROGRAM];
    const server = await startServer(
      Deno.execPath(),
      [...program, "serve", `${port}`, `${path}/served`, identityFile],
      port,
    );
    const { got, stored } = targets(yard);
    return {
      get: {
        name: bareTls.name,
        prepare: () => removeIfThere(got),
        run: () => run(Deno.execPath(), [...program, "get", `${port}`, got, key]),
      },
      put: {
        name: bareTls.name,
        prepare: () => removeIfThere(stored),
        run: () => run(Deno.execPath(), [...program, "put", `${port}`, `${path}/local/big.bin`, key]),
      },
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
};
