/** A server that is asked in a format that it does not speak: the person is told so, and what to do. */
import { PacketClient } from "../../client/old/packet.ts";
import { startServed } from "../server/served.ts";
import { assertEquals, assertRejectsCode, assertStringIncludes } from "../support/assert.ts";

const FILES = { "a.txt": "1" };

Deno.test("a packet client at a server without that format is told to check the format, and is answered where it is", async () => {
  for (const formats of [["app"], ["app", "packet"]] as const) {
    await using served = startServed(FILES, { formats });
    using client = new PacketClient({ host: "127.0.0.1", port: served.port }, { timeoutMs: 5_000 });
    if (formats.length > 1) {
      assertEquals(await client.capital("France"), "Paris");
      continue;
    }
    const error = await assertRejectsCode(() => client.capital("France"), "not_app");
    assertStringIncludes(error.advice, "--wire");
  }
});

Deno.test("a client at a server without our own format is told of --wire, and is answered where it is", async () => {
  for (const formats of [["packet"], ["packet", "app"]] as const) {
    await using served = startServed(FILES, { formats });
    await using client = served.client();
    if (formats.length > 1) {
      assertEquals((await client.stat("a.txt")).sizeBytes, 1);
      continue;
    }
    const error = await assertRejectsCode(() => client.stat("a.txt"), "unsupported");
    assertStringIncludes(error.advice, "--wire");
  }
});
