/**
 * How many connections the system has room for. Each takes a descriptor, and so does the file that it asks for; one
 * inside TLS is handed on to ourselves (`tls_front.ts`), and takes two more.
 */

/** What the process itself holds: the runtime, the terminal, the listener, files that are read now and then. */
const OWN = 32;
const PER_CONNECTION = 2;
const PER_TLS_CONNECTION = 4;

/**
 * How many connections may be open so that each of them can still open its file; `undefined` where the system does not
 * say. `text` is /proc/self/limits.
 */
export function connectionsThatFit(text: string | undefined, isEncrypted: boolean): number | undefined {
  const files = /^Max open files\s+(\d+)/m.exec(text ?? "")?.[1];
  return files === undefined
    ? undefined
    : Math.max(1, Math.floor((Number(files) - OWN) / (isEncrypted ? PER_TLS_CONNECTION : PER_CONNECTION)));
}

/** The limits of this process as Linux tells them. */
export function readSystemLimits(): string | undefined {
  try {
    return Deno.build.os === "linux" ? Deno.readTextFileSync("/proc/self/limits") : undefined;
  } catch {
    return undefined; // there is no /proc: then accepting fails in time, and drops openings
  }
}
