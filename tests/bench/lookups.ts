/**
 * Lookups of countries, beside GETs of a Redis with values of the same size, both asked by one load generator.
 *
 * What `redis-benchmark` says stands there for information: it is another generator, so it is no comparison.
 */
import { ServerProcess, temporaryDirectory } from "../support/program.ts";
import { formatTable, median } from "./measure.ts";
import { redisBenchmark, startRedis } from "./peers/redis.ts";
import type { Section } from "./section.ts";

const CONNECTIONS = 50;
const DEPTHS = [1, 16] as const;
const SECONDS = 2;

export const lookups: Section = {
  name: "lookups",
  title: `Lookups: ${CONNECTIONS} connections`,
  async measure({ rounds }) {
    using shared = temporaryDirectory();
    await using server = await ServerProcess.start(shared.path, ["--log", "off"]);
    await using redis = await startRedis();
    const results: Record<string, unknown>[] = [];
    for (const depth of DEPTHS) {
      const app: number[] = [];
      const beside: number[] = [];
      for (let round = 0; round < rounds; round++) {
        app.push(await load("app", server.port, depth));
        if (redis) beside.push(await load("redis", redis.port, depth));
      }
      const ratios = app.map((speed, round) => speed / (beside[round] ?? NaN));
      const redisBenchmarkSays = redis && await redisBenchmark(redis.port, CONNECTIONS, depth);
      results.push({ depth, app, redis: beside, ratio: median(ratios), redisBenchmark: redisBenchmarkSays });
      console.log(formatTable([`depth ${depth}`, "a second, median", "slowest - fastest"], [
        rowOf("app", app),
        ...(redis ? [rowOf("Redis", beside)] : []),
      ]));
      console.log(
        `app / Redis, median of the rounds: ${median(ratios).toFixed(2)}; redis-benchmark: ${redisBenchmarkSays}\n`,
      );
    }
    return results;
  },
};

/** What one run of the load generator, in a process of its own, comes to. */
async function load(protocol: "app" | "redis", port: string | number, depth: number): Promise<number> {
  const generator = new URL("lookups_load.ts", import.meta.url).pathname;
  const args = ["run", "-A", "--quiet", generator, protocol, port, CONNECTIONS, depth, SECONDS].map(String);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  if (!success) throw new Error(`The load generator failed: ${new TextDecoder().decode(stderr)}`);
  return Number(new TextDecoder().decode(stdout));
}

function rowOf(name: string, speeds: readonly number[]): string[] {
  const words = (speed: number) => speed.toLocaleString("en-US");
  return [name, words(median(speeds)), `${words(Math.min(...speeds))} - ${words(Math.max(...speeds))}`];
}
