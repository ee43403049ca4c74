/** How a server says that it is: limits, what is used of them, who is there; to those who may know. */
import { assert, assertEquals, assertRejectsCode } from "../support/assert.ts";
import { runApp, ServerProcess, temporaryDirectory } from "../support/program.ts";
import { openSession, receive, startServed } from "./served.ts";

Deno.test("a status has every connection, what it does, and what all came to", async () => {
  await using served = startServed({ "a.txt": "content" }, { limits: { connectionsMax: 7 } });
  using busy = await openSession(served.port);
  busy.session.send({ type: "get", name: "a.txt" });
  await receive(busy.session, "offer");
  await using client = served.client();
  await client.stat("a.txt");
  const { agent, uptimeMs, gauges, connections } = await client.status();
  assertEquals(agent, "app");
  assert(uptimeMs >= 0);
  assertEquals(connections.map(({ who, request, name, requests }) => [who, request, name, requests]), [
    ["stranger", "get", "a.txt", 1],
    ["stranger", "status", "", 2],
  ]);
  assert(connections.every(({ bytesReceived, bytesSent }) => bytesReceived > 0 && bytesSent > 0));
  const of = (name: string) => gauges.find((gauge) => gauge.name === name);
  assertEquals(of("connections"), { name: "connections", used: 2, max: 7 });
  assertEquals(of("file_bytes"), { name: "file_bytes" });
  assertEquals([of("total_connections")?.used, of("total_requests")?.used], [2, 3]);
});

Deno.test("a status of hundreds of connections comes in many messages", async () => {
  await using served = startServed({ "a": "content" });
  using crowd = new DisposableStack();
  for (let count = 0; count < 200; count++) {
    const { session } = crowd.use(await openSession(served.port));
    session.send({ type: "get", name: "x".repeat(200) + count });
    await receive(session, "error");
  }
  await using client = served.client();
  assertEquals((await client.status()).connections.length, 201);
});

Deno.test("a server that is closed to strangers, or that only lets them read, does not tell them its status", async () => {
  for (const strangers of ["none", "public", "public-write"] as const) {
    await using served = startServed({}, { strangers });
    await using client = served.client();
    await assertRejectsCode(() => client.status(), "link_needed");
  }
});

Deno.test("app status shows a table, and everything with --json", async () => {
  using shared = temporaryDirectory();
  Deno.writeTextFileSync(`${shared.path}/a`, "content");
  await using server = await ServerProcess.start(shared.path, [
    "--quota",
    "1G",
    "--rate",
    "5M",
    "--max-per-address",
    "9",
  ]);
  const { code, stdout, stderr } = await runApp(["status", "127.0.0.1", server.port]);
  assertEquals([code, stderr], [0, ""]);
  const lines = stdout.split("\n").map((line) => line.replace(/ {2,}/g, "  "));
  assert(/^app\/\S+, up 0:0\d, 1 connection$/.test(lines[0]!), lines[0]);
  for (
    const line of [
      "connections  1  1,000",
      "connections of one address  0  9",
      "bytes per second  -  5.0 MB/s",
      "idle  -  60 s",
    ]
  ) {
    assert(lines.includes(line), `${line} is not in\n${stdout}`);
  }
  assert(/^127\.0\.0\.1:\d+ {2}stranger {2}0:00 {2}1 {2}\d+ B {2}\d+ B {2}status$/m.test(lines.join("\n")), stdout);
  const status = JSON.parse((await runApp(["status", "127.0.0.1", server.port, "--json"])).stdout);
  assertEquals([status.event, status.connections.length], ["status", 1]);
  assertEquals(status.gauges.find(({ name }: { name: string }) => name === "root_bytes").max, 1e9);
});
