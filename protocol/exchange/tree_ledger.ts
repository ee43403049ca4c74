/** What a receiver of a tree has done so far, and what failed: counted, and told to both sides. */
import type { AppError } from "../errors.ts";
import type { Session } from "./session.ts";
import { failure, type Tally, type TreeEvents } from "./tree_report.ts";

export class TreeLedger {
  readonly #session: Session;
  readonly #events: Pick<TreeEvents, "onFailed" | "onProgress">;
  readonly tally: { -readonly [Count in keyof Tally]: Tally[Count] } = {
    files: 0,
    fileBytes: 0,
    unchanged: 0,
    skipped: 0,
    removed: 0,
    failed: 0,
    moved: 0,
  };

  constructor(session: Session, events: Pick<TreeEvents, "onFailed" | "onProgress">) {
    this.#session = session;
    this.#events = events;
  }

  /** A file is stored; of its bytes, `reportedBytes` were told as progress already. */
  countStored(sizeBytes: number, reportedBytes = 0): void {
    this.tally.files++;
    this.tally.fileBytes += sizeBytes;
    this.#events.onProgress?.({ files: 1, bytes: sizeBytes - reportedBytes });
  }

  /** Something failed that the sender knows of. */
  countFailed(name: string, error: AppError): void {
    this.tally.failed++;
    this.#events.onFailed?.(name, error);
  }

  /** Something could not be done, and the sender is told so. */
  fail(name: string, error: AppError): void {
    this.#session.send({ type: "failed", name, ...failure(error) });
    this.countFailed(name, error);
  }
}
