/** scp, to an sshd of our own: what people use today. It encrypts. */
import { type PeerKind, removeIfThere, run, targets } from "./peer.ts";
import { SSH_PROGRAMS, startSshd } from "./sshd.ts";

export const scp: PeerKind = {
  name: "scp (encrypted)",
  programs: [...SSH_PROGRAMS, "scp"],
  async start(yard) {
    const { path } = yard;
    const sshd = await startSshd(`${path}/ssh`);
    const options = [...sshd.options, "-P", String(sshd.port)];
    const { got, stored } = targets(yard);
    return {
      get: {
        name: scp.name,
        prepare: () => removeIfThere(got),
        run: () => run("scp", [...options, `127.0.0.1:${path}/served/big.bin`, got]),
      },
      put: {
        name: scp.name,
        prepare: () => removeIfThere(stored),
        run: () => run("scp", [...options, `${path}/local/big.bin`, `127.0.0.1:${stored}`]),
      },
      [Symbol.asyncDispose]: () => sshd[Symbol.asyncDispose](),
    };
  },
};
