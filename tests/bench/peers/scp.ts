/** scp, to an sshd of our own with keys of its own: what people use today. It encrypts, which the others here do not. */
import { freePort, type PeerKind, removeIfThere, run, startServer, targets } from "./peer.ts";

export const scp: PeerKind = {
  name: "scp (encrypted)",
  programs: ["sshd", "ssh-keygen", "scp"],
  async start(yard) {
    const { path } = yard;
    const port = freePort();
    const folder = `${path}/ssh`;
    Deno.mkdirSync(folder, { mode: 0o700 });
    for (const key of ["host", "user"]) {
      await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", `${folder}/${key}`]);
    }
    Deno.writeTextFileSync(`${folder}/sshd_config`, configurationOf(folder, port));
    if (Deno.uid() === 0) Deno.mkdirSync("/run/sshd", { recursive: true }); // it does not start as root without it
    const server = await startServer("sshd", ["-D", "-f", `${folder}/sshd_config`], port);
    const trust = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"];
    const options = ["-q", "-P", String(port), "-i", `${folder}/user`, "-F", "none", ...trust];
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
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
};

function configurationOf(folder: string, port: number): string {
  return [
    "ListenAddress 127.0.0.1",
    `Port ${port}`,
    `HostKey ${folder}/host`,
    `AuthorizedKeysFile ${folder}/user.pub`,
    `PidFile ${folder}/pid`,
    "StrictModes no",
    "UsePAM no",
    "PermitRootLogin yes",
    "PasswordAuthentication no",
    "Subsystem sftp internal-sftp",
  ].join("\n") + "\n";
}
