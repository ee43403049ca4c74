/** A server with a key in this process, and raw connections to it inside TLS. */
import { secure } from "../../client/tls.ts";
import { type Identity, openIdentity } from "../../server/mod.ts";
import { temporaryDirectory } from "../support/program.ts";
import { soon } from "./served.ts";

export async function newIdentity(): Promise<Identity> {
  using directory = temporaryDirectory();
  return await openIdentity(`${directory.path}/identity.pem`);
}

/** A connection to `port` on which TLS has begun. */
export async function connectTls(port: number, key: string): Promise<Deno.TlsConn> {
  const raw = await Deno.connect({ hostname: "127.0.0.1", port });
  raw.setNoDelay(true);
  return await secure(raw, { host: "127.0.0.1", port }, { key, which: "the key of this test" }, { timeoutMs: 10_000 });
}

export async function writeText(conn: Deno.Conn, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

/** Everything up to the end, which has to be one in order. */
export async function readText(conn: Deno.Conn): Promise<string> {
  const [buffer, decoder] = [new Uint8Array(65_536), new TextDecoder()];
  let text = "";
  for (;;) {
    const count = await soon(conn.read(buffer), "the end of a connection");
    if (count === null) return text;
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
}

/** Says `text` inside TLS and ends our side; what is answered. */
export async function exchangeTls(port: number, key: string, text: string): Promise<string> {
  using conn = await connectTls(port, key);
  await writeText(conn, text);
  await conn.closeWrite();
  return await readText(conn);
}
