/**
 * Slow and far away, in two ways: over one proxy with a rate and a delay, which stands on this machine; and between two
 * network namespaces with the kernel's own rate (`tc tbf`), where the proxy only delays.
 */
import { pathOf, run } from "./peer.ts";

const BYTES_PER_SECOND = 12_500_000;
const ONE_WAY_MS = 10;
const PROGRAM = new URL("slow_link_program.ts", import.meta.url).pathname;

/** Two ends, and a link between them. */
export interface SlowNetwork extends AsyncDisposable {
  readonly name: string;
  /** Where servers listen, and the words that start a program there. */
  readonly address: string;
  readonly through: readonly string[];
  /** A way to a server's port; the host and the port to connect to here. */
  linkTo(port: number): Promise<{ host: string; port: number }>;
}

/** An address of this machine that others have for it, if it has one. */
function ownAddress(): string {
  const own = Deno.networkInterfaces().find(({ family, address }) => family === "IPv4" && !address.startsWith("127."));
  return own?.address ?? "127.0.0.1";
}

export function slowProxy(): SlowNetwork {
  const held = new AsyncDisposableStack();
  const host = ownAddress();
  return {
    name: "a proxy",
    address: "127.0.0.1",
    through: [],
    async linkTo(port) {
      const link = await startLink(host, "127.0.0.1", port, BYTES_PER_SECOND);
      held.use(link);
      return { host, port: link.port };
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** `undefined`, with a word why, where this machine does not let us make namespaces. */
export async function slowNamespaces(): Promise<SlowNetwork | undefined> {
  if (!pathOf("ip") || !pathOf("tc") || Deno.uid() !== 0) {
    console.log("skipped: no network namespaces without ip, tc and root");
    return;
  }
  const name = `app-bench-${Deno.pid}`;
  const [near, far] = [`ab${Deno.pid}n`, `ab${Deno.pid}f`];
  const third = Deno.pid % 250;
  const [nearAddress, farAddress] = [`10.213.${third}.1`, `10.213.${third}.2`];
  const inside = ["ip", "netns", "exec", name];
  const held = new AsyncDisposableStack();
  try {
    await run("ip", ["netns", "add", name]);
    held.defer(() => run("ip", ["netns", "delete", name]));
    await run("ip", ["link", "add", near, "type", "veth", "peer", "name", far, "netns", name]);
    await run("ip", ["address", "add", `${nearAddress}/24`, "dev", near]);
    await run("ip", ["link", "set", near, "up"]);
    const limit = ["root", "tbf", "rate", `${BYTES_PER_SECOND * 8}bit`, "burst", "64kb", "latency", "50ms"];
    await run("tc", ["qdisc", "add", "dev", near, ...limit]);
    for (
      const words of [
        ["ip", "address", "add", `${farAddress}/24`, "dev", far],
        ["ip", "link", "set", far, "up"],
        ["ip", "link", "set", "lo", "up"],
        ["tc", "qdisc", "add", "dev", far, ...limit],
      ]
    ) await run(inside[0]!, [...inside.slice(1), ...words]);
  } catch (error) {
    console.log(`skipped: no network namespaces: ${error instanceof Error ? error.message : error}`);
    await held.disposeAsync();
    return;
  }
  return {
    name: "network namespaces",
    address: farAddress,
    through: inside,
    async linkTo(port) {
      const link = await startLink(nearAddress, farAddress, port, 0);
      held.use(link);
      return { host: nearAddress, port: link.port };
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

async function startLink(listenHost: string, host: string, port: number, bytesPerSecond: number) {
  const args = ["run", "-A", "--no-check", PROGRAM, listenHost, host, port, bytesPerSecond, ONE_WAY_MS].map(String);
  const child = new Deno.Command(Deno.execPath(), { args, stdin: "null", stdout: "piped", stderr: "null" }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  return {
    port: Number(new TextDecoder().decode(value)),
    async [Symbol.asyncDispose]() {
      child.kill();
      await reader.cancel();
      await child.status;
    },
  };
}
