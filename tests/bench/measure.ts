/** Interleaved rounds, medians with their spread, a table and JSON: what every bench of this project has in common. */

/** One thing to time. `run` does the work once; `prepare` undoes what the last run left and is not timed. */
export interface Contender {
  readonly name: string;
  prepare?(): void | Promise<void>;
  run(): Promise<void>;
}

export interface Measured {
  readonly name: string;
  /** In seconds. */
  readonly median: number;
  readonly fastest: number;
  readonly slowest: number;
}

/** Runs every contender once per round, in turn, so that what the machine does besides meets all alike. */
export async function measureInterleaved(contenders: readonly Contender[], rounds: number): Promise<Measured[]> {
  const seconds = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const { name, prepare, run } of contenders) {
      await prepare?.();
      const start = performance.now();
      await run();
      if (round >= 0) seconds.get(name)!.push((performance.now() - start) / 1000); // round -1 warms memory and caches
    }
  }
  return [...seconds].map(([name, times]) => summarize(name, times));
}

function summarize(name: string, times: readonly number[]): Measured {
  return { name, median: median(times), fastest: Math.min(...times), slowest: Math.max(...times) };
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** Speeds in GB/s for `bytes` of work, each beside that of `reference` in the same run. */
export function formatSpeeds(title: string, results: readonly Measured[], bytes: number, reference: string): string {
  const base = results.find(({ name }) => name === reference)?.median;
  const speed = (seconds: number) => (bytes / seconds / 1e9).toFixed(2);
  return formatTable(
    [title, "median", "slowest - fastest", `against ${reference}`],
    results.map(({ name, median, fastest, slowest }) => [
      name,
      speed(median),
      `${speed(slowest)} - ${speed(fastest)}`,
      base === undefined ? "-" : `${(base / median).toFixed(2)} x`,
    ]),
  );
}

/** Times in ms, each beside that of `reference` in the same run. */
export function formatTimes(title: string, results: readonly Measured[], reference: string): string {
  const base = results.find(({ name }) => name === reference)?.median;
  const ms = (seconds: number) => (seconds * 1000).toFixed(0);
  return formatTable(
    [title, "median", "fastest - slowest", `against ${reference}`],
    results.map(({ name, median, fastest, slowest }) => [
      name,
      ms(median),
      `${ms(fastest)} - ${ms(slowest)}`,
      base === undefined ? "-" : `${(median / base).toFixed(2)} x`,
    ]),
  );
}

/** A table in Markdown. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n") + "\n";
}

/** What was measured on, for the record. */
export function describeMachine(): Record<string, unknown> {
  const cpu = readLine("/proc/cpuinfo", /^model name\s*:\s*(.*)$/m);
  const memory = readLine("/proc/meminfo", /^MemTotal:\s*(.*)$/m);
  return {
    deno: Deno.version.deno,
    system: `${Deno.build.os} ${Deno.build.arch} ${Deno.osRelease()}`,
    cores: navigator.hardwareConcurrency,
    cpu,
    memory,
    date: new Date().toISOString(),
  };
}

function readLine(path: string, pattern: RegExp): string {
  try {
    return pattern.exec(Deno.readTextFileSync(path))?.[1] ?? "unknown";
  } catch {
    return "unknown"; // not Linux
  }
}
