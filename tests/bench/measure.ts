/** Interleaved rounds, medians with their spread, a table and JSON: what every bench of this project has in common. */

/** One thing to time. `run` does the work once; `prepare` undoes what the last run left and is not timed. */
export interface Contender {
  readonly name: string;
  prepare?(): void;
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
      prepare?.();
      const start = performance.now();
      await run();
      if (round >= 0) seconds.get(name)!.push((performance.now() - start) / 1000); // round -1 warms memory and caches
    }
  }
  return [...seconds].map(([name, times]) => summarize(name, times));
}

function summarize(name: string, times: readonly number[]): Measured {
  const sorted = [...times].sort((a, b) => a - b);
  return { name, median: sorted[Math.floor(sorted.length / 2)]!, fastest: sorted[0]!, slowest: sorted.at(-1)! };
}

/** A table of speeds, each beside that of `reference` in the same run. */
export function formatTable(title: string, results: readonly Measured[], bytes: number, reference: string): string {
  const base = results.find(({ name }) => name === reference)?.median;
  const rows = results.map(({ name, median, fastest, slowest }) => {
    const speed = (seconds: number) => (bytes / seconds / 1e9).toFixed(2);
    const ratio = base === undefined ? "-" : `${(base / median).toFixed(2)} x`;
    return `| ${name} | ${speed(median)} | ${speed(slowest)} - ${speed(fastest)} | ${ratio} |`;
  });
  return [
    `### ${title}`,
    "",
    `| tool | GB/s, median | slowest - fastest | against ${reference} |`,
    "| --- | --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
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
