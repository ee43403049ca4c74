/** An sshd of our own on a free port, with keys of its own that are thrown away. */
import { freePort, run, startServer } from "./peer.ts";

export const SSH_PROGRAMS = ["sshd", "ssh-keygen"];

/**
 * Its port, and the options with which `ssh` and `scp` get in without asking. Its files go into `folder`, which is new.
 * It listens on `address`, started behind the words of `through`.
 */
export async function startSshd(
  folder: string,
  { address = "127.0.0.1", through = [] }: { address?: string; through?: readonly string[] } = {},
): Promise<{ port: number; options: string[] } & AsyncDisposable> {
  const port = freePort();
  Deno.mkdirSync(folder, { mode: 0o700 });
  for (const key of ["host", "user"]) {
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", `${folder}/${key}`]);
  }
  Deno.writeTextFileSync(`${folder}/sshd_config`, configurationOf(folder, address, port));
  if (Deno.uid() === 0) Deno.mkdirSync("/run/sshd", { recursive: true }); // it does not start as root without it
  const server = await startServer("sshd", ["-D", "-f", `${folder}/sshd_config`], port, through);
  const trust = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"];
  const options = ["-q", "-i", `${folder}/user`, "-F", "none", ...trust];
  return { port, options, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

function configurationOf(folder: string, address: string, port: number): string {
  return [
    `ListenAddress ${address}`,
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
