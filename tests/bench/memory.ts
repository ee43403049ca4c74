/** The most memory that each side ever held, for a small and a large file: it must not depend on the size. */
import { memoryOf } from "../support/process.ts";
import { ServerProcess, startApp } from "../support/program.ts";
import { formatTable } from "./measure.ts";
import { makeYard, type Section } from "./section.ts";

const SMALL_BYTES = 64 * 1_048_576;

/** Of one size; in bytes. */
interface Peaks {
  readonly sizeBytes: number;
  readonly getClient: number;
  readonly putClient: number;
  /** After both. */
  readonly server: number;
}

export const memory: Section = {
  name: "memory",
  title: "Peak memory (VmHWM), in MB",
  async measure({ sizeBytes }) {
    const peaks = [await measureSize(SMALL_BYTES), await measureSize(sizeBytes)];
    const row = ({ sizeBytes, ...sides }: Peaks) => [
      `${(sizeBytes / 1_048_576).toFixed(0)} MiB`,
      ...Object.values(sides).map((bytes: number) => (bytes / 1e6).toFixed(0)),
    ];
    console.log(formatTable(["file", "client, get", "client, put", "server, both"], peaks.map(row)));
    return peaks;
  },
};

async function measureSize(sizeBytes: number): Promise<Peaks> {
  using yard = makeYard(sizeBytes);
  await using server = await ServerProcess.start(`${yard.path}/served`, ["--log", "off"]);
  const client = (...args: string[]) => peakOfClient(args, `${yard.path}/local`);
  const getClient = await client("get", "127.0.0.1", server.port, "big.bin", "--output", "got.bin");
  const putClient = await client("put", "127.0.0.1", server.port, "big.bin", "--as", "put.bin");
  return { sizeBytes, getClient, putClient, server: peakOf(server.pid)! };
}

/** Looks every 5 ms, as nothing can be asked of a process that has ended. */
async function peakOfClient(args: readonly string[], cwd: string): Promise<number> {
  const child = startApp(args, { cwd });
  let peak = 0;
  const timer = setInterval(() => peak = peakOf(child.pid) ?? peak, 5);
  const [{ success }] = await Promise.all([child.output(), child.stdin.close()]);
  clearInterval(timer);
  if (!success) throw new Error(`app ${args.join(" ")} failed`);
  return peak;
}

function peakOf(pid: number): number | undefined {
  return memoryOf(pid, "VmHWM");
}
