/** A Redis that keeps nothing on disk, for as long as it is held. */
import { freePort, pathOf, startServer } from "./peer.ts";

export async function startRedis(): Promise<{ port: number } & AsyncDisposable | undefined> {
  if (!pathOf("redis-server")) {
    console.log("missing: redis-server, so there is nothing to compare lookups with");
    return undefined;
  }
  const port = freePort();
  const server = await startServer("redis-server", ["--port", `${port}`, "--save", "", "--appendonly", "no"], port);
  return { port, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

/** What Redis' own load generator, which is written in C, says of its GETs a second; `undefined` without it. */
export async function redisBenchmark(port: number, connections: number, depth: number): Promise<number | undefined> {
  if (!pathOf("redis-benchmark")) return undefined;
  const requests = depth * 100_000;
  const args = ["-p", port, "-c", connections, "-P", depth, "-n", requests, "-d", "40", "-t", "get", "--csv"];
  const { stdout } = await new Deno.Command("redis-benchmark", { args: args.map(String), stderr: "null" }).output();
  const row = new TextDecoder().decode(stdout).split("\n").find((line) => line.startsWith('"GET"'));
  return Math.round(Number(row?.split(",")[1]?.replaceAll('"', "")));
}
