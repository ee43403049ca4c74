/** Making what is neither file nor directory. */

/** After so long a process counts as one that waits for ever. */
export const PATIENCE_MS = 20_000;

export function makePipe(path: string): void {
  const { success, stderr } = new Deno.Command("mkfifo", { args: [path] }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** A character device that takes everything and gives nothing; `false` where only an administrator may make one. */
export function makeDevice(path: string): boolean {
  return new Deno.Command("mknod", { args: [path, "c", "1", "3"], stderr: "null" }).outputSync().success;
}
