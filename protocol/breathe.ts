/**
 * The one yield of all loops that do much synchronous work.
 *
 * A loop of reads that are always ready and of synchronous file calls never lets the runtime look at its other
 * connections: they starve for seconds. Promises, `setImmediate` and message ports do not help, since the runtime must
 * really park. The cheapest call that makes it park on every system is an asynchronous `lstat`, 45 µs; one every 2 ms
 * costs 2 % and keeps the others waiting for about as long.
 */

const WORK_MAX_MS = 2;

let lastBreath = performance.now();

/** Lets other connections and timers run, if it is time; whether it was. */
export function breathe(): Promise<boolean> {
  const now = performance.now();
  if (now - lastBreath < WORK_MAX_MS) return NOT_YET;
  return park();
}

const NOT_YET = Promise.resolve(false);

async function park(): Promise<boolean> {
  await Deno.lstat("/");
  lastBreath = performance.now();
  return true;
}
