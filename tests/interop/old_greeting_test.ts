/** The format `greeting` with the old programs, both ways, and byte by byte. */
import { RawConnection, soon, startServed } from "../server/served.ts";
import { assertEquals, assertMatch } from "../support/assert.ts";
import { runApp, ServerProcess, temporaryDirectory } from "../support/program.ts";
import { oldClient, OldServerProcess, oldTest } from "./old_programs.ts";

const QUICK = { limits: { quietMs: 20 } };
/** Longer than a busy machine takes between two writes of this process. */
const PATIENT = { limits: { quietMs: 700 } };
const BIG = 10n ** 40n;

async function greetRaw(port: number, text: string): Promise<string> {
  using conn = await RawConnection.open(port);
  await conn.write(text);
  return await conn.readAll();
}

oldTest("the old client is answered with the server's name and number, whatever its own are", async () => {
  await using served = startServed({}, { ...QUICK, greeting: { name: "Frau Müller", number: -7n } });
  const numbers = ["1", "0", "-3", "101", String(BIG), `-${BIG}`];
  for (const name of ["Ethan Iwama", "Zoë: die 2.", "山田"]) {
    const said = await oldClient("greeting_client", ".", "127.0.0.1", served.port, name, ...numbers);
    assertEquals(said.split("\n"), numbers.map(() => "Server of Frau Müller: -7"));
  }
  assertEquals(served.records.map(({ result }) => result), Array(18).fill("done"));
});

oldTest("several old clients at once are answered, each on its own", async () => {
  await using served = startServed({}, QUICK);
  const said = await Promise.all(
    Array.from(
      { length: 8 },
      (_, index) => oldClient("greeting_client", ".", "127.0.0.1", served.port, `client ${index}`, index + 1, "x"),
    ),
  );
  assertEquals(said, Array(8).fill('Server of app: 42\nCannot greet: "x" is no integer'));
  assertEquals(new Set(served.records.filter(({ result }) => result === "done").map(({ name }) => name)).size, 8);
});

for (const pause of [0, 0.05]) {
  oldTest(
    `app greet hears an old server that pauses for ${pause} s in its answer, and adds the numbers up`,
    async () => {
      await using server = await OldServerProcess.start("greeting_server", {}, pause);
      const greet = (...args: string[]) => runApp(["greet", "127.0.0.1", String(server.port), ...args]);
      const name = "Zoë Müller";
      assertEquals(await greet("5", "--name", name), {
        code: 0,
        stdout: "Server of Ethan Iwama: 42\nSum: 47\n",
        stderr: "",
      });
      assertEquals(JSON.parse((await greet("100", "--json")).stdout), {
        event: "greeting",
        name: "Ethan Iwama",
        number: "42",
        sum: "142",
        isClosing: false,
      });
      const last = await greet(`-${BIG}`);
      assertEquals(last.stdout, `Server of Ethan Iwama: 42\nSum: ${42n - BIG}\nServer closing...\n`);
      const after = await greet("5");
      assertEquals([after.code, after.stdout], [3, ""]);
      assertEquals((await server.requests()).slice(0, 2), [
        `${name} has connected to Server of Ethan Iwama`,
        "5 42 47",
      ]);
    },
  );
}

Deno.test("a greeting is answered however it was cut up, at a silence or at the end of the stream", async () => {
  await using served = startServed({}, PATIENT);
  const bytes = new TextEncoder().encode("Client of Zoë: -12");
  const answers = await Promise.all(Array.from(bytes, async (_, at) => {
    using conn = await RawConnection.open(served.port);
    await conn.write(bytes.slice(0, at));
    await conn.write(bytes.slice(at));
    if (at % 2 === 0) await conn.end();
    return await conn.readAll();
  }));
  assertEquals(answers, Array(bytes.length).fill("Server of app: 42"));
  using conn = await RawConnection.open(served.port);
  for (const byte of bytes) await conn.write(Uint8Array.of(byte));
  assertEquals(await conn.readAll(), "Server of app: 42");
});

Deno.test("the log has who connected, and the server's, the client's and the combined number", async () => {
  await using served = startServed({}, QUICK);
  await greetRaw(served.port, "Client of Bob: 3");
  await greetRaw(served.port, "Client of Bob: 0");
  const [first, second] = served.records;
  assertEquals([first!.request, first!.name, first!.result], ["greeting greet", "Bob", "done"]);
  const numbers = "Server number: 42, client number: 3, combined number: 45";
  assertEquals(first!.detail, `Bob has connected to Server of app. ${numbers}`);
  assertMatch(
    second!.detail!,
    /combined number: 42\. The number is not from 1 to 100, but the server goes on: .*--close/,
  );
});

for (const number of ["0", "101", `-${BIG}`, String(BIG)]) {
  Deno.test(`with closeOnOutOfRange the number ${number} is answered with two lines and ends the server`, async () => {
    const greeting = { closeOnOutOfRange: true };
    await using served = startServed({}, { ...QUICK, greeting });
    for (const inside of ["1", "100"]) {
      assertEquals(await greetRaw(served.port, `Client of a: ${inside}`), "Server of app: 42");
    }
    assertEquals(await greetRaw(served.port, "Client of a: x"), 'Cannot greet: "x" is no integer');
    assertEquals(await greetRaw(served.port, `Client of a: ${number}`), "Server of app: 42\nServer closing...");
    await soon(served.server.finished, "the end of the server");
    assertMatch(served.records.at(-1)!.detail!, /server closing$/);
  });
}

Deno.test("junk in a greeting gets one line, is logged, and harms nobody", async () => {
  await using served = startServed({}, QUICK);
  for (
    const [text, reason] of [
      ["Client of Bob: three", '"three" is no integer'],
      ["Client of Bob: ", '"" is no integer'],
      ["Client of : 3", "The name cannot be taken: it is empty"],
      ["Client of \u009b31m: 3", "The name cannot be taken: it has a line break or a control character"],
      [`Client of Bob: ${"9".repeat(2_000)}`, "A greeting has less than 1024 bytes"],
    ] as const
  ) {
    assertEquals(await greetRaw(served.port, text), `Cannot greet: ${reason}`);
    assertEquals(served.records.at(-1)!.detail, reason);
  }
  assertEquals(await greetRaw(served.port, "Client of Bob: 3"), "Server of app: 42");
});

Deno.test("app greet and app serve: as the old programs, and wrong words are told before anything is sent", async () => {
  using shared = temporaryDirectory();
  await using server = await ServerProcess.start(shared.path, [
    "--name",
    "B: é",
    "--number=-8",
    "--close-on-out-of-range",
  ]);
  const greet = (...args: string[]) => runApp(["greet", "127.0.0.1", server.port, ...args]);
  for (const args of [["three"], [""], ["1", "2"], ["1", "--name", "a\nb"], ["9".repeat(1_100)], []]) {
    assertEquals((await greet(...args)).code, 2, args.join(" "));
  }
  assertEquals(await greet("3"), { code: 0, stdout: "Server of B: é: -8\nSum: -5\n", stderr: "" });
  assertEquals((await greet("-3")).stdout, "Server of B: é: -8\nSum: -11\nServer closing...\n");
  assertEquals((await server.finished()).code, 0);
});

Deno.test("app greet tells what answers but is no server for greetings", async () => {
  using shared = temporaryDirectory();
  await using server = await ServerProcess.start(shared.path, ["--wire", "app"]);
  const { code, stdout, stderr } = await runApp(["greet", "127.0.0.1", server.port, "3"]);
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /does not speak the format greeting: ".*\n.*--wire app,greeting\n$/);
});

Deno.test("serve refuses a name or number that no greeting could carry", async () => {
  for (const [option, value] of [["--name", "a\nb"], ["--number", "x"], ["--number", "1.5"]] as const) {
    const { code, stderr } = await runApp(["serve", ".", "--port", "0", `${option}=${value}`], { patienceMs: 10_000 });
    assertEquals(code, 2, stderr);
  }
});
