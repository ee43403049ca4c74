/** `--watch` of `app push` and `app pull`: the first run as without it, and another one whenever something changed. */
import { AppError } from "../../protocol/errors.ts";
import { quoteName } from "../../protocol/escape.ts";
import type { Client } from "../client.ts";
import type { Report } from "../report.ts";
import type { TreeOptions, TreeResult } from "../tree.ts";
import { runOnChanges, type Wakeups } from "../watch.ts";
import { reportTree } from "./tree_report.ts";
import { WatchReport } from "./watch_report.ts";

export const WATCH_OPTION = {
  name: "watch",
  kind: "flag",
  help: "Go on as files change, until Ctrl-C",
} as const;

export interface WatchedTree {
  readonly client: Client;
  readonly report: Report;
  readonly isJson: boolean;
  readonly signal: AbortSignal;
  /** The local directory. */
  readonly path: string;
  /** What is watched, for people. */
  readonly shown: string;
  readonly options: TreeOptions;
  readonly work: (options: TreeOptions) => Promise<TreeResult>;
  /** Begins to watch. */
  readonly watch: (onPolling: (reason: AppError) => void) => Promise<Wakeups>;
}

/**
 * Watches until it is interrupted: then the exit code is 0, or 1 if something failed in the last run. Throws what the
 * first run throws, the reason of `signal` in the middle of a run, and what ends a watch for good.
 */
export async function watchTree(watched: WatchedTree): Promise<number> {
  const { client, report, signal, path, shown, options, work } = watched;
  const runs = new WatchReport(report, path, { isJson: watched.isJson });
  let reason: AppError | undefined;
  let isTold = false;
  const tell = () => tellWatching(report, shown, reason);
  using wakeups = await watched.watch((why) => {
    reason = why;
    if (isTold) tell();
  });
  await runs.first((remembering) => reportTree(report, path, options, (reported) => work(remembering(reported))));
  client.persist();
  await client.rest();
  tell();
  isTold = true;
  let isRunning = false;
  const run = async () => {
    isRunning = true;
    await runs.again(options, work).finally(() => client.rest());
    isRunning = false;
  };
  const onFailed = (error: AppError) => {
    isRunning = false;
    runs.failed(error);
  };
  try {
    return await runOnChanges({ wakeups, run, onFailed, signal });
  } catch (error) {
    if (signal.aborted && !isRunning) return runs.exit;
    throw ofDirectory(path, error);
  }
}

function tellWatching(report: Report, shown: string, reason: AppError | undefined): void {
  const how = reason ? "polling" : "events";
  const line = reason ? `${reason.message}: looking at ${shown} every 10 s` : `Watching ${shown}`;
  report.note(`${line}; Ctrl-C ends it`, {
    event: "watching",
    name: shown,
    how,
    ...(reason ? { message: reason.message } : {}),
  });
}

/** What ends a watch of a directory of this machine, said of it and not of the top of a tree. */
function ofDirectory(path: string, error: unknown): unknown {
  if (!(error instanceof AppError) || error.by === "peer") return error;
  if (error.code !== "not_found" && error.code !== "not_a_directory") return error;
  return new AppError("not_found", `The directory ${quoteName(path)} is gone`, {
    cause: error,
    advice: "Make it again, and run the same command again",
  });
}
