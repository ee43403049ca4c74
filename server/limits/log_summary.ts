/**
 * A log that a stranger cannot flood with refusals: the first lines of a kind from one address are told, the rest of
 * them are counted, and the count is told at the end of ten seconds. What was done is told each time.
 */
import { type Log, type LogRecord, NO_LOG } from "../log.ts";
import { addressOf } from "./address.ts";

const PERIOD_MS = 10_000;
/** Lines of one kind from one address that are told in a period. */
const TOLD_MAX = 20;
/** Kinds that are counted apart; those of more addresses are counted together. */
const KINDS_MAX = 1_024;

interface Kind {
  readonly last: LogRecord;
  count: number;
}

export interface LogSummary extends Disposable {
  readonly log: Log;
}

/** Tells `log`. Dispose it at the end: what was only counted until then is told. */
export function summarizing(log: Log, periodMs = PERIOD_MS): LogSummary {
  if (log === NO_LOG) return { log, [Symbol.dispose]() {} };
  const kinds = new Map<string, Kind>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const endPeriod = () => {
    clearTimeout(timer);
    timer = undefined;
    for (const { last, count } of kinds.values()) {
      if (count > TOLD_MAX) log({ ...last, ...summaryOf(count - TOLD_MAX, periodMs) });
    }
    kinds.clear();
  };
  return {
    log(record) {
      if (record.result === "done") return log(record);
      timer ??= setTimeout(endPeriod, periodMs);
      const key = keyOf(record, kinds);
      const count = (kinds.get(key)?.count ?? 0) + 1;
      kinds.set(key, { last: record, count });
      if (count <= TOLD_MAX) log(record);
    },
    [Symbol.dispose]: endPeriod,
  };
}

function keyOf({ peer, who, request, result }: LogRecord, kinds: ReadonlyMap<string, Kind>): string {
  const key = JSON.stringify([addressOf(peer), who, request, result]);
  return kinds.has(key) || kinds.size < KINDS_MAX ? key : "";
}

function summaryOf(count: number, periodMs: number): Partial<LogRecord> {
  return { time: new Date(), name: "", detail: `and ${count} more like the last one within ${periodMs / 1000} s` };
}
