/** rsync with whole files (-W) over ssh, to an sshd of our own. It encrypts and checks content. */
import { type PeerKind, removeIfThere, run, targets } from "./peer.ts";
import { SSH_PROGRAMS, startSshd } from "./sshd.ts";

export const rsyncOverSsh: PeerKind = {
  name: "rsync -W over ssh",
  programs: [...SSH_PROGRAMS, "ssh", "rsync"],
  async start(yard) {
    const { path } = yard;
    const sshd = await startSshd(`${path}/ssh-rsync`);
    const options = ["-W", "-e", ["ssh", ...sshd.options, "-p", String(sshd.port)].join(" ")];
    const { got, stored } = targets(yard);
    return {
      get: {
        name: rsyncOverSsh.name,
        prepare: () => removeIfThere(got),
        run: () => run("rsync", [...options, `127.0.0.1:${path}/served/big.bin`, got]),
      },
      put: {
        name: rsyncOverSsh.name,
        prepare: () => removeIfThere(stored),
        run: () => run("rsync", [...options, `${path}/local/big.bin`, `127.0.0.1:${stored}`]),
      },
      [Symbol.asyncDispose]: () => sshd[Symbol.asyncDispose](),
    };
  },
};
