/** What another process of this machine uses, as the system tells it. Linux only. */

/** A figure of /proc, in bytes; `undefined` when the process has ended. */
export function memoryOf(pid: number, figure: "VmHWM" | "VmRSS"): number | undefined {
  try {
    const kibibytes = new RegExp(`^${figure}:\\s+(\\d+) kB`, "m").exec(Deno.readTextFileSync(`/proc/${pid}/status`))
      ?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  } catch {
    return undefined;
  }
}

/** What its descriptors lead to, sorted, with the numbers of sockets and pipes left out. */
export function descriptorsOf(pid: number): string[] {
  return Array.from(Deno.readDirSync(`/proc/${pid}/fd`), ({ name }) => leadsTo(`/proc/${pid}/fd/${name}`)).sort();
}

function leadsTo(path: string): string {
  try {
    return Deno.readLinkSync(path).replace(/\[\d+\]/, "");
  } catch {
    return "closed"; // in that moment
  }
}

/** Connections that a server on `port` of this machine has not closed yet. */
export function connectionsTo(port: number): number {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return Deno.readTextFileSync("/proc/net/tcp").split("\n").map((line) => line.trim().split(/\s+/))
    .filter(([, address, , state]) => address?.endsWith(local) && UNCLOSED.includes(state!)).length;
}

/** Established, and waiting for us to close. */
const UNCLOSED = ["01", "08"];
