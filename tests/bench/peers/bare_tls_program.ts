/**
 * What a TLS connection of the runtime alone can do with a file: `serve PORT PATH KEY` takes puts and gets of one byte
 * that says which, `get` and `put` move one file and say nothing else. No framing, no checksum, no flush.
 */
import { breathe, breatheLong } from "../../../protocol/breathe.ts";
import { CERTIFICATE_NAME, encodeAnchor, formatPem } from "../../../protocol/tls/certificate.ts";
import { parseKey } from "../../../protocol/tls/key.ts";
import { openIdentity } from "../../../server/identity.ts";

const BUFFER_BYTES = 262_144;
const [GET, PUT] = [1, 2];

async function sendFile(conn: Deno.Conn, path: string): Promise<void> {
  using _breathing = breatheLong();
  using file = Deno.openSync(path, { read: true });
  const buffer = new Uint8Array(BUFFER_BYTES);
  for (let count = file.readSync(buffer); count !== null; count = file.readSync(buffer)) {
    for (let at = 0; at < count;) at += await conn.write(buffer.subarray(at, count));
    await breathe();
  }
  await conn.closeWrite();
}

async function receiveFile(conn: Deno.Conn, path: string): Promise<void> {
  using _breathing = breatheLong();
  using file = Deno.openSync(path, { write: true, create: true, truncate: true });
  const buffer = new Uint8Array(BUFFER_BYTES);
  for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
    for (let at = 0; at < count;) at += file.writeSync(buffer.subarray(at, count));
    await breathe();
  }
}

async function serve(port: number, folder: string, identityFile: string): Promise<void> {
  const { certificatePem: cert, privateKeyPem: key } = await openIdentity(identityFile);
  for await (const conn of Deno.listenTls({ hostname: "127.0.0.1", port, cert, key })) {
    const way = new Uint8Array(1);
    await conn.read(way);
    if (way[0] === GET) await sendFile(conn, `${folder}/big.bin`);
    else {
      await receiveFile(conn, `${folder}/put.bin`);
      await conn.write(way);
    }
    conn.close();
  }
}

async function connect(port: number, key: string): Promise<Deno.TlsConn> {
  const raw = await Deno.connect({ hostname: "127.0.0.1", port });
  raw.setNoDelay(true);
  const anchor = formatPem("CERTIFICATE", encodeAnchor(parseKey(key)));
  return await Deno.startTls(raw, { hostname: CERTIFICATE_NAME, caCerts: [anchor] });
}

const [way, port, path, key] = Deno.args as [string, string, string, string];
if (way === "serve") await serve(Number(port), path, key);
else {
  using conn = await connect(Number(port), key);
  await conn.write(Uint8Array.of(way === "get" ? GET : PUT));
  if (way === "get") await receiveFile(conn, path);
  else {
    await sendFile(conn, path);
    await conn.read(new Uint8Array(1)); // all of it is written there
  }
}
