/** Hosts and ports that are no good: what cannot be meant, what does not answer, and what answers something else. */
import { answeringText, startFakeServer, untilEnd } from "../../client/fake_server.ts";
import { ServerProcess, temporaryDirectory } from "../../support/program.ts";
import { canRun, NEEDS_LOST_RIGHTS, WITHOUT_RIGHTS } from "./lost_rights.ts";
import { assertRefusals, assertTaken, type Refusal } from "./refusals.ts";

const NO_PORTS = ["0", "65536", "1e3", "6000.0", " 6000", "", "0x50", "abc", "99999999999999999999"];
const CHECK_ADDRESS = "Check the address and the port, and that the server runs";

Deno.test("what is no port is no port to a client, in both ways of writing it", async () => {
  const says = (port: string) => `"${port}" is no port: it must be a number from 1 to 65535`;
  await assertRefusals([
    ...[...NO_PORTS, "-1"].map((port): Refusal => ({
      args: ["list", "h", port],
      code: 2,
      says: says(port),
      next: "HOST PORT",
    })),
    ...["", "-1", "1e3"].map((port): Refusal => (
      { args: ["list", `h:${port}`], code: 2, says: says(port), next: "HOST PORT" }
    )),
  ]);
});

Deno.test("what is no port is no port to a server", async () => {
  using shared = temporaryDirectory();
  const says: Record<string, string> = { "65536": "it must be from 0 to 65535", "": "a value must follow" };
  await assertRefusals([...NO_PORTS.filter((port) => port !== "0"), "-1"].map((port): Refusal => ({
    args: ["serve", shared.path, "--port", port],
    code: 2,
    says: `Cannot use --port "${port}": ${says[port] ?? "it must be "}`,
    next: "app serve --help",
  })));
});

Deno.test("what is no host is told so", async () => {
  const rows: readonly (readonly [host: string, says: string])[] = [
    ["", `"" is no host: it is empty`],
    [" ", `" " is no host: it is empty`],
    [":6000", `":6000" is no host: it is empty`],
    ["a b", `"a b" is no host: it has a space`],
    ["[::1", `"[::1" is no host: its brackets are not whole`],
    ["http://127.0.0.1", `"http://127.0.0.1" is no host: it has a slash`],
    ["http://127.0.0.1:6000/", `"http://127.0.0.1:6000/" is no host: it has a slash`],
  ];
  await assertRefusals(
    rows.map(([host, says]) => ({ args: ["list", host, "6000"], code: 2, says, next: "host:port or [v6]:port" })),
  );
});

Deno.test("a host that is unknown, or that refuses, was never connected", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = String(listener.addr.port);
  listener.close();
  await assertRefusals([
    { args: ["list", "no-such-host.invalid", port], code: 3, says: `"no-such-host.invalid"`, next: "IP address" },
    {
      args: ["list", "127.0.0.1", port],
      code: 3,
      says: `127.0.0.1 port ${port}: nothing listens`,
      next: CHECK_ADDRESS,
    },
    { args: ["list", "999.1.1.1", port], code: 3, says: `999.1.1.1 port ${port}`, next: CHECK_ADDRESS },
    { args: ["put", `127.0.0.1:${port}`, "/etc/hosts"], code: 3, says: "nothing listens there", next: CHECK_ADDRESS },
  ]);
});

Deno.test("a host that takes the connection and says nothing is given up", async () => {
  await using silent = startFakeServer(untilEnd);
  const { host, port } = silent;
  await assertRefusals([{
    args: ["list", host, String(port), "--timeout", "0.3", "--retries", "0"],
    code: 4,
    says: `${host}:${port} took the connection, but said nothing`,
    next: "Check that app listens on that port",
  }]);
});

Deno.test({
  name: "a host that drops what is sent to it is given up as never connected",
  ignore: Deno.build.os !== "linux", // others refuse, or grow their queue
  async fn() {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 } as Deno.TcpListenOptions);
    const { port } = listener.addr;
    const queued = await fillQueue(port);
    try {
      await assertRefusals([{
        args: ["list", "127.0.0.1", String(port), "--timeout", "0.3"],
        code: 3,
        says: `Cannot connect to 127.0.0.1 port ${port}: no answer within 0.3 s`,
        next: CHECK_ADDRESS,
      }]);
    } finally {
      queued.forEach((conn) => conn.close());
    }
  },
});

/** Connections that nobody accepts, until the system takes no more of them: of a queue of one, it takes two. */
async function fillQueue(port: number): Promise<Deno.Conn[]> {
  const conns: Deno.Conn[] = [];
  for (let count = 0; count < 2; count++) conns.push(await Deno.connect({ hostname: "127.0.0.1", port }));
  return conns;
}

/** What others say first, or answer. */
const OTHERS: Readonly<Record<string, string>> = {
  "an SSH server": "SSH-2.0-OpenSSH_9.6\r\n",
  "a TLS server": "\x15\x03\x03\x00\x02\x02\x32", // its alert, which is what it has to say to an opening line
  "a mail server": "220 mail.example ESMTP\r\n",
  "a server of garbage": "\x00\xff\x7fgarbage\n\x1b[31m".repeat(100),
};

Deno.test("what answers there and is not app is told so", async () => {
  await using web = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => new Response("hello"));
  const refusals = [notApp(web.addr.port)];
  await using stack = new AsyncDisposableStack();
  for (const text of Object.values(OTHERS)) refusals.push(notApp(stack.use(answeringText(text)).port));
  await assertRefusals(refusals);
});

function notApp(port: number): Refusal {
  const args = ["list", "127.0.0.1", String(port)];
  return { args, code: 1, says: `What answers at 127.0.0.1:${port} is not app`, next: "Check the port" };
}

Deno.test("a port in use, or an address of another machine, is told with what to choose instead", async () => {
  using shared = temporaryDirectory();
  await using server = await ServerProcess.start(shared.path);
  await assertRefusals([
    {
      args: ["serve", shared.path, "--port", server.port],
      code: 1,
      says: `Cannot listen on 127.0.0.1 port ${server.port}: the port is in use`,
      next: "another port with --port",
    },
    {
      args: ["serve", shared.path, "--port", "0", "--address", "192.0.2.1"],
      code: 1,
      says: "Cannot listen on 192.0.2.1 port 0",
      next: "--address",
    },
    {
      args: ["serve", shared.path, "--port", "0", "--address", "no-such-host.invalid"],
      code: 1,
      says: "Cannot listen on no-such-host.invalid port 0",
      next: "--address",
    },
  ]);
  const list = ["list", "127.0.0.1", server.port];
  await assertTaken([list, ["list", `127.0.0.1:${server.port}`], ["list", "localhost", server.port.padStart(5, "0")]]);
});

/** The first port that anybody may listen on. */
function firstFreePort(): number {
  try {
    return Number(Deno.readTextFileSync("/proc/sys/net/ipv4/ip_unprivileged_port_start"));
  } catch {
    return 1_024; // the rule before there was such a file
  }
}

/** Where every port is free to all, a network of its own has privileged ones. */
const OWN_NETWORK = firstFreePort() > 1 ? [] : ["unshare", "--net"];
const HAS_PRIVILEGED_PORTS = OWN_NETWORK.length === 0 || canRun([...OWN_NETWORK, "true"]);
if (!HAS_PRIVILEGED_PORTS) console.log("skipped: every port is free to all here, and unshare --net cannot be run");

Deno.test({
  name: "a privileged port is told with what to do",
  ignore: NEEDS_LOST_RIGHTS.ignore || !HAS_PRIVILEGED_PORTS,
  async fn() {
    using shared = temporaryDirectory();
    const through = [...OWN_NETWORK, ...WITHOUT_RIGHTS!];
    await assertRefusals([{
      args: ["serve", shared.path, "--port", "1", "--address", "0.0.0.0"],
      code: 1,
      says: "Cannot listen on 0.0.0.0 port 1: the operating system does not allow it",
      next: "Ports below 1024 need special rights: choose a higher one with --port",
    }], { through });
    await using server = await ServerProcess.start(shared.path, [], { through: WITHOUT_RIGHTS! });
    await assertTaken([["list", "127.0.0.1", server.port]]);
  },
});
