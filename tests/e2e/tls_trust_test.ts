/** No authority can vouch for a server, neither one of the web nor one that a person added for other programs. */
import { assertEquals, assertMatch } from "../support/assert.ts";
import { Middleman } from "../support/middleman.ts";
import { certificateFor, HAS_OPENSSL } from "../support/openssl.ts";
import { runApp, ServerProcess, temporaryDirectory } from "../support/program.ts";

const CONNECT = `const conn = await Deno.connect({ hostname: "127.0.0.1", port: Number(Deno.env.get("PORT")) });
const tls = await Deno.startTls(conn, { hostname: Deno.env.get("NAME") });
await tls.handshake(); tls.close(); console.log("trusted");`;

for (const name of ["127.0.0.1", "localhost", "app.invalid"]) {
  Deno.test({
    name: `a certificate of a trusted authority for ${name} does not stand in for the key`,
    ignore: !HAS_OPENSSL,
    async fn() {
      using directory = temporaryDirectory();
      const { authority, cert, key } = await certificateFor(directory.path, name);
      using listener = Deno.listenTls({
        hostname: "127.0.0.1",
        port: 0,
        cert: Deno.readTextFileSync(cert),
        key: Deno.readTextFileSync(key),
      });
      const accepting = (async () => {
        for (let meeting = 0; meeting < 2; meeting++) {
          using conn = await listener.accept();
          await conn.handshake().catch(() => {});
          await conn.read(new Uint8Array(1)).catch(() => {});
        }
      })();
      await using between = new Middleman({ targetPort: (listener.addr as Deno.NetAddr).port });
      const env = { DENO_CERT: authority, NODE_EXTRA_CA_CERTS: authority, DENO_TLS_CA_STORE: "system,mozilla" };
      // The authority is trusted by other programs, or the refusal below would say nothing.
      const other = await new Deno.Command(Deno.execPath(), {
        args: ["eval", "--no-lock", CONNECT],
        env: { ...env, PORT: String(between.port), NAME: name },
      }).output();
      assertEquals(new TextDecoder().decode(other.stdout), "trusted\n", new TextDecoder().decode(other.stderr));
      Deno.mkdirSync(`${directory.path}/app`);
      const known = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
      Deno.writeTextFileSync(`${directory.path}/app/known_hosts`, `127.0.0.1:${between.port} ${known}\n`);
      const words = ["list", "127.0.0.1", String(between.port), "--timeout", "5", "--retries", "0"];
      const { code, stderr } = await runApp(words, { env: { ...env, XDG_STATE_HOME: directory.path } });
      assertEquals(code, 3, stderr);
      assertMatch(stderr, /could not prove that it has the key that is known/);
      assertEquals(between.heard.includes("APP/"), false);
      await accepting;
    },
  });
}

Deno.test("authorities that a person added are in nobody's way", async () => {
  using state = temporaryDirectory();
  using shared = temporaryDirectory();
  await using server = await ServerProcess.start(shared.path, ["--identity", `${state.path}/identity.pem`]);
  const env = { XDG_STATE_HOME: state.path, DENO_TLS_CA_STORE: "system,mozilla" };
  assertEquals((await runApp(["list", "127.0.0.1", server.port], { env })).code, 0);
});
