/** rsync's daemon with whole files (-W), which is its fastest on a fast network. It checks content, and flushes nothing. */
import { freePort, type PeerKind, removeIfThere, run, startServer, targets } from "./peer.ts";

export const rsync: PeerKind = {
  name: "rsync daemon -W",
  programs: ["rsync"],
  async start(yard) {
    const { path } = yard;
    const port = freePort();
    const owner = `uid = ${Deno.uid()}\ngid = ${Deno.gid()}`;
    const settings = `address = 127.0.0.1\nport = ${port}\nuse chroot = no\n${owner}\n`;
    Deno.writeTextFileSync(`${path}/rsyncd.conf`, `${settings}[served]\npath = ${path}/served\nread only = no\n`);
    const daemon = await startServer("rsync", ["--daemon", "--no-detach", `--config=${path}/rsyncd.conf`], port);
    const url = `rsync://127.0.0.1:${port}/served`;
    const { got, stored } = targets(yard);
    return {
      get: {
        name: rsync.name,
        prepare: () => removeIfThere(got),
        run: () => run("rsync", ["-W", `${url}/big.bin`, got]),
      },
      put: {
        name: rsync.name,
        prepare: () => removeIfThere(stored),
        run: () => run("rsync", ["-W", `${path}/local/big.bin`, `${url}/put.bin`]),
      },
      [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
    };
  },
};
