/** What a watch tells of its runs: a line for each one that came to something, and each failure as long as it is new. */
import { formatNumber, formatSize } from "../../protocol/cli/format.ts";
import { AppError } from "../../protocol/errors.ts";
import type { PlannedAction } from "../../protocol/wire/plan_actions.ts";
import type { Report } from "../report.ts";
import type { TreeOptions, TreeResult } from "../tree.ts";

/** So many failures are remembered from one run to the next; what is beyond is told again. */
const FAILURES_MAX = 10_000;

type TreeWork = (options: TreeOptions) => Promise<TreeResult>;

export class WatchReport {
  readonly #report: Report;
  readonly #name: string;
  readonly #isJson: boolean;
  readonly #now: () => Date;
  /** What failed in the run before this, and what in this. */
  #known: ReadonlySet<string> = new Set();
  #failures = new Set<string>();
  #exit = 0;

  constructor(
    report: Report,
    name: string,
    { isJson, now = () => new Date() }: { isJson: boolean; now?: () => Date },
  ) {
    this.#report = report;
    this.#name = name;
    this.#isJson = isJson;
    this.#now = now;
  }

  /** 1 if something failed in the last run, else 0. */
  get exit(): number {
    return this.#exit;
  }

  /** The first run, which is told as one without a watch is; `work` gives its exit code. */
  async first(work: (remembering: (options: TreeOptions) => TreeOptions) => Promise<number>): Promise<void> {
    this.#exit = await work((options) => ({
      ...options,
      onFailed: (name, error) => {
        this.#isNew(name, error);
        options.onFailed?.(name, error);
      },
      onLeftOut: (name, error) => {
        this.#isNew(name, error);
        options.onLeftOut?.(name, error);
      },
    }));
    this.#turnOver();
  }

  /** Another one. */
  async again(options: TreeOptions, work: TreeWork): Promise<void> {
    const did = { made: 0, linked: 0, adjusted: 0 };
    let hasNews = false;
    const onFailed = (name: string, error: AppError) => {
      if (!this.#isNew(name, error)) return;
      hasNews = true;
      this.#report.error(error, name || undefined);
    };
    try {
      using progress = this.#isJson ? undefined : this.#report.treeProgress();
      const result = await work({
        ...options,
        onPlanned: (action) => count(did, action),
        onProgress: (step) => progress?.update(step),
        onFailed,
        onLeftOut: (name, error) => error?.code === "bad_name" && onFailed(name, error),
        onHidden: (hidden) => onFailed("", new AppError("bad_name", `${hidden} names of the server cannot be sent`)),
      });
      progress?.[Symbol.dispose](); // before the line
      this.#tell({ ...result, ...did }, hasNews);
      this.#exit = result.failed > 0 ? 1 : 0;
    } catch (error) {
      this.#exit = 1;
      throw error;
    } finally {
      this.#turnOver();
    }
  }

  /** A run that came to nothing. */
  failed(error: AppError): void {
    this.#report.error(error);
  }

  #tell(did: TreeResult & Record<"made" | "linked" | "adjusted", number>, hasNews: boolean): void {
    const { files, fileBytes, moved, removed, made, linked, adjusted, unkept = 0, failed } = did;
    const parts = [
      files > 0 ? `${formatNumber(files)} sent (${formatSize(fileBytes)})` : "",
      made > 0 ? `${formatNumber(made)} made` : "",
      linked > 0 ? `${formatNumber(linked)} linked` : "",
      adjusted > 0 ? `${formatNumber(adjusted)} adjusted` : "",
      moved > 0 ? `${formatNumber(moved)} moved` : "",
      removed > 0 ? `${formatNumber(removed)} removed` : "",
      unkept > 0 ? `${formatNumber(unkept)} not kept` : "",
      failed > 0 ? `${formatNumber(failed)} failed` : "",
    ].filter((part) => part !== "");
    const isQuiet = files + made + linked + adjusted + moved + removed === 0 && !hasNews;
    if (isQuiet && !this.#isJson) return;
    const now = this.#now();
    const line = `${now.toTimeString().slice(0, 8)}  ${parts.join(", ")}`;
    this.#report.result(line, { event: "run", name: this.#name, time: now.toISOString(), ...did });
  }

  #isNew(name: string, error: AppError | undefined): boolean {
    const failure = `${name}\0${error?.message}`;
    if (this.#failures.size < FAILURES_MAX) this.#failures.add(failure);
    return !this.#known.has(failure);
  }

  #turnOver(): void {
    this.#known = this.#failures;
    this.#failures = new Set();
  }
}

function count(did: { made: number; linked: number; adjusted: number }, action: PlannedAction): void {
  if (action === "make") did.made++;
  if (action === "link") did.linked++;
  if (action === "adjust") did.adjusted++;
}
