/** What keeps a tree from being moved, found before anything is changed: whether it fits, measured where that is not sure. */
import { formatCount, formatSize } from "../protocol/cli/format.ts";
import { AppError } from "../protocol/errors.ts";
import type { TreeEvents } from "../protocol/exchange/tree_report.ts";
import { type Destination, Findings, type TreeSum } from "../protocol/exchange/tree_preflight.ts";
import type { IfImpossible } from "../protocol/wire/messages/preflight.ts";
import type { Keeping } from "../protocol/wire/messages/sync.ts";

export interface Need {
  readonly bytes: number;
  readonly files: number;
}

/** What one run is to do about what it finds. */
export interface Checks {
  readonly ifImpossible: IfImpossible;
  readonly onDestination?: (destination: Destination) => void;
  readonly verifySum?: (sum: TreeSum) => void;
  /** For a dry run: told how much room it takes. */
  readonly onNeed?: (need: Need) => void;
}

/** What a run is asked for, as far as it matters here. */
interface CheckedOptions extends TreeEvents {
  readonly ifImpossible?: IfImpossible;
  readonly isDryRun?: boolean;
  readonly trash?: Keeping;
  readonly onLeftOut?: ((name: string, error: AppError | undefined) => void) | undefined;
  readonly onHidden?: ((count: number) => void) | undefined;
}

type Run<O, T> = (options: O, checks: Checks) => Promise<T>;

/**
 * Runs `run`. Where everything together may not fit, since much of it may be there already, nothing is changed before a
 * dry run has told what is needed. Throws what is needed and is not there.
 */
export async function runWithRoom<O extends CheckedOptions, T>(options: O, run: Run<O, T>): Promise<T> {
  const { ifImpossible = "stop" } = options;
  let destination: Destination | undefined;
  let doubt: AppError | undefined;
  try {
    return await run(options, {
      ifImpossible,
      onDestination: (announced) => destination = announced,
      verifySum: (sum) => {
        if (destination && !fits(sum, destination)) throw doubt = new AppError("no_space", "It may not fit");
      },
    });
  } catch (error) {
    if (!doubt || error !== doubt) throw error;
  }
  await verifyNeed(options, destination!, run);
  return await run(options, { ifImpossible });
}

function fits({ entries, sizeBytes, largestBytes = 0 }: TreeSum, { room, fileBytesMax }: Destination): boolean {
  const { bytes = Infinity, files = Infinity } = room;
  return sizeBytes <= bytes && entries <= files && largestBytes <= (fileBytesMax ?? Infinity);
}

const SILENT = {
  onPlanned: undefined,
  onRemoved: undefined,
  onLeftOut: undefined,
  onHidden: undefined,
  onProgress: undefined,
};

/** Changes and tells nothing, but for what cannot be. */
async function verifyNeed<O extends CheckedOptions, T>(
  options: O,
  { room }: Destination,
  run: Run<O, T>,
): Promise<void> {
  const findings = new Findings();
  let need: Need = { bytes: 0, files: 0 };
  await run({
    ...options,
    ...SILENT,
    isDryRun: true,
    onFailed: (name, error) => {
      if (error.code === "too_large") findings.add({ name, error });
    },
  }, { ifImpossible: "stop", onNeed: (told) => need = told });
  findings.verifyNone(options.onFailed);
  const { bytes = Infinity, files = Infinity } = room;
  const { trash = "off" } = options;
  const toKeepNothing = trash === "off" ? "" : ", or --trash off to keep nothing of what is replaced";
  const advice = `Make room there, or say --if-impossible skip to store what fits${toKeepNothing}`;
  if (need.bytes > bytes) {
    const text = `${formatSize(need.bytes)} are needed there, and there is room for ${formatSize(bytes)}`;
    throw new AppError("no_space", `Nothing is done: ${text}`, { advice });
  }
  if (need.files > files) {
    const text = `it takes ${formatCount(need.files, "name")} there, and there is room for ${
      formatCount(files, "name")
    }`;
    throw new AppError("too_many_files", `Nothing is done: ${text}`, { advice });
  }
}
