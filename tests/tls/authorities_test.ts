/**
 * An authority that the web trusts may sign for any host, and still vouches for no server of ours. It is played by one
 * that a process was given to trust; the library, unlike the program, heeds that.
 */
import { assertEquals } from "../support/assert.ts";
import { Middleman } from "../support/middleman.ts";
import { certificateFor, HAS_OPENSSL } from "../support/openssl.ts";
import { temporaryDirectory } from "../support/program.ts";

const ROOT = new URL("../../", import.meta.url);
const LIBRARY = new URL("client/mod.ts", ROOT).href;

const ASK = `import { Client } from ${JSON.stringify(LIBRARY)};
const target = { host: Deno.env.get("NAME"), port: Number(Deno.env.get("PORT")), key: "A".repeat(43) };
await using client = new Client(target, { retries: 0, timeoutMs: 5000 });
console.log(await client.stat("").then(() => "answered", (error) => error.code));`;

for (const name of ["127.0.0.1", "localhost"]) {
  Deno.test({
    name: `a certificate for ${name} of an authority that the process trusts does not pass for a server there`,
    ignore: !HAS_OPENSSL,
    async fn() {
      using directory = temporaryDirectory();
      const { authority, cert, key } = await certificateFor(directory.path, name);
      const [hostname, port] = ["127.0.0.1", 0];
      using listener = Deno.listenTls({
        hostname,
        port,
        cert: Deno.readTextFileSync(cert),
        key: Deno.readTextFileSync(key),
      });
      const meeting = (async () => {
        using conn = await listener.accept();
        await conn.handshake().catch(() => {});
        await conn.read(new Uint8Array(1)).catch(() => {});
      })();
      await using between = new Middleman({ targetPort: (listener.addr as Deno.NetAddr).port });
      const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["eval", "--no-lock", "--config", new URL("deno.json", ROOT).pathname, ASK],
        env: { DENO_CERT: authority, NAME: name, PORT: String(between.port) },
      }).output();
      assertEquals(new TextDecoder().decode(stdout), "wrong_key\n", new TextDecoder().decode(stderr));
      assertEquals(between.heard.includes("APP/"), false);
      await meeting;
    },
  });
}
