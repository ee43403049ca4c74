/** A client in Python speaks TLS with the server, by what the specification says of keys and certificates. */
import { newIdentity } from "../server/tls_served.ts";
import { startServed } from "../server/served.ts";
import { assertEquals } from "../support/assert.ts";
import { HAS_PYTHON } from "../support/python.ts";

const CLIENT = new URL("tls_client.py", import.meta.url).pathname;

Deno.test({
  name: "a client in Python finds the key where the specification says, and refuses another one",
  ignore: !HAS_PYTHON,
  async fn() {
    const identity = await newIdentity();
    await using served = startServed({ "a.txt": "content" }, { identity });
    const client = async (key: string) => {
      const args = ["-B", CLIENT, "127.0.0.1", String(served.port), key, "list"];
      const { code, stdout, stderr } = await new Deno.Command("python3", { args }).output();
      return [code, new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr)];
    };
    assertEquals(await client(identity.key), [0, "APP/1 ok\na.txt\n"]);
    assertEquals(await client("A".repeat(43)), [1, "wrong key\n"]);
    assertEquals(served.records.filter(({ request }) => request === "words").length, 1);
  },
});
