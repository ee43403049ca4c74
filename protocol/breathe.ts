/**
 * The one yield of all loops that do much synchronous work.
 *
 * A loop of reads that are always ready and of synchronous file calls never lets the runtime look at its other
 * connections: they starve for seconds. Promises, `setImmediate` and message ports do not help, since the runtime must
 * really poll. Two things make it: an asynchronous `lstat`, which needs another thread and so waits for a processor
 * twice when all are busy, and a socket to ourselves, which waits for nobody but has to be made first. So short work
 * uses the first, and what is held open by `breatheLong` the second: with a put and a get under way on two cores, the
 * slowest hundredth of small requests takes more than 100 ms with the one, and some milliseconds with the other
 * (`deno task bench latency`, and the same with a `TMPDIR` that is not there).
 */
import { SelfPipe } from "./self_pipe.ts";

const WORK_MAX_MS = 2;

/** Who breathes less often than this does not need the socket. */
const PARKS_BEFORE_PIPE = 5;

let lastBreath = performance.now();
let longWorks = 0;
let parks = 0;
let pipe: Promise<SelfPipe | undefined> | undefined;

/** Lets other connections and timers run, if it is time; whether it was. */
export function breathe(): Promise<boolean> {
  const now = performance.now();
  if (now - lastBreath < WORK_MAX_MS) return NOT_YET;
  return park();
}

/** Lets them run in any case: what came for them is read, and what was closed is really gone. */
export async function breatheNow(): Promise<void> {
  await park();
}

/** Announces work that may take long, such as a transfer: breathing is made cheap for it. Dispose it at the end. */
export function breatheLong(): Disposable {
  longWorks++;
  return {
    [Symbol.dispose]() {
      if (--longWorks > 0) return;
      pipe?.then((open) => open?.[Symbol.dispose]());
      pipe = undefined;
      parks = 0;
    },
  };
}

const NOT_YET = Promise.resolve(false);

async function park(): Promise<boolean> {
  if (longWorks > 0 && ++parks > PARKS_BEFORE_PIPE) pipe ??= SelfPipe.open();
  const open = await pipe;
  await (open ? open.ring() : Deno.lstat("/"));
  lastBreath = performance.now();
  return true;
}
