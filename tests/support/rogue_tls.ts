/**
 * A TLS 1.3 server that does what no library lets one do: it shows any certificate, and signs with any key. Written from
 * RFC 8446, with one suite and one group, for tests of who a client takes for whom.
 */

const HASH_BYTES = 32;
const X25519 = 0x1d;
const [RECORD_ALERT, RECORD_HANDSHAKE, RECORD_DATA] = [21, 22, 23];
const CLIENT_FINISHED = 20;

export interface Disguise {
  /** In DER. */
  readonly certificate: Uint8Array;
  /** Ed25519. */
  readonly signingKey: CryptoKey;
}

/** What came of one connection. */
export interface Encounter {
  /** The number of the alert with which the client ended the handshake; 0 when it finished it. */
  readonly alert: number;
  /** What it said inside TLS. */
  readonly said: string;
}

/** Meets the next client of `listener`; once it has finished the handshake, hears it out until it says `until`. */
export async function meetAsRogue(listener: Deno.TcpListener, disguise: Disguise, until: string): Promise<Encounter> {
  using conn = await listener.accept();
  const records = new Records(conn);
  const hello = (await records.next())!.body;
  const keys = await crypto.subtle.generateKey("X25519", true, ["deriveBits"]) as CryptoKeyPair;
  const ours = new Uint8Array(await crypto.subtle.exportKey("raw", keys.publicKey));
  const theirs = await crypto.subtle.importKey("raw", keyShareIn(hello), "X25519", false, []);
  const shared = new Uint8Array(
    await crypto.subtle.deriveBits({ name: "X25519", public: theirs }, keys.privateKey, 256),
  );
  const serverHello = serverHelloTo(hello, ours);
  const early = await hmac(new Uint8Array(HASH_BYTES), new Uint8Array(HASH_BYTES));
  const handshake = await hmac(await expand(early, "derived", await sha256([])), shared);
  const whileHellos = await sha256([hello, serverHello]);
  const serverSecret = await expand(handshake, "s hs traffic", whileHellos);
  const clientSecret = await expand(handshake, "c hs traffic", whileHellos);
  const flight = [message(8, [0, 0]), message(11, certificateList(disguise.certificate))];
  const signature = await signed(disguise.signingKey, await sha256([hello, serverHello, ...flight]));
  flight.push(message(15, [0x08, 0x07, ...uint16(signature.length), ...signature]));
  const finishedKey = await expand(serverSecret, "finished", []);
  flight.push(message(20, await hmac(finishedKey, await sha256([hello, serverHello, ...flight]))));
  await writeAll(conn, record(RECORD_HANDSHAKE, serverHello));
  await writeAll(conn, await sealed(serverSecret, concat(flight), RECORD_HANDSHAKE));
  const master = await hmac(await expand(handshake, "derived", await sha256([])), new Uint8Array(HASH_BYTES));
  const dataSecret = await expand(master, "c ap traffic", await sha256([hello, serverHello, ...flight]));
  return await hearOut(records, clientSecret, dataSecret, until);
}

async function hearOut(records: Records, first: Uint8Array, then: Uint8Array, until: string): Promise<Encounter> {
  let [secret, sequence, said, hasFinished] = [first, 0, "", false];
  while (!hasFinished || !said.includes(until)) {
    const next = await records.next();
    if (!next) return { alert: hasFinished ? 0 : -1, said };
    if (next.type !== RECORD_DATA) continue;
    const { type, content } = await opened(secret, next.whole, sequence++);
    if (type === RECORD_ALERT) return { alert: hasFinished ? 0 : content[1]!, said };
    if (type === RECORD_HANDSHAKE && content[0] === CLIENT_FINISHED) [secret, sequence, hasFinished] = [then, 0, true];
    if (type === RECORD_DATA) said += new TextDecoder().decode(content);
  }
  return { alert: 0, said };
}

class Records {
  readonly #conn: Deno.Conn;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  async next(): Promise<{ type: number; body: Uint8Array; whole: Uint8Array } | undefined> {
    const head = await this.#exactly(5);
    const body = head && await this.#exactly(head[3]! * 256 + head[4]!);
    return body && { type: head[0]!, body, whole: concat([head, body]) };
  }

  async #exactly(count: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count;) {
      const more = await this.#conn.read(bytes.subarray(at)).catch(() => null);
      if (more === null) return undefined;
      at += more;
    }
    return bytes;
  }
}

/** The client's share of the group, which every client of TLS 1.3 offers first or next to first. */
function keyShareIn(hello: Uint8Array): Uint8Array<ArrayBuffer> {
  let at = 4 + 2 + 32;
  at += 1 + hello[at]!;
  at += 2 + hello[at]! * 256 + hello[at + 1]!;
  at += 1 + hello[at]! + 2;
  while (at < hello.length) {
    const [type, length] = [hello[at]! * 256 + hello[at + 1]!, hello[at + 2]! * 256 + hello[at + 3]!];
    at += 4;
    for (let share = at + 2; type === 51 && share < at + length;) {
      const size = hello[share + 2]! * 256 + hello[share + 3]!;
      if (hello[share]! * 256 + hello[share + 1]! === X25519) return hello.slice(share + 4, share + 4 + size);
      share += 4 + size;
    }
    at += length;
  }
  throw new Error("The client offers no X25519");
}

function serverHelloTo(hello: Uint8Array, keyShare: Uint8Array): Uint8Array<ArrayBuffer> {
  const session = hello.subarray(38, 39 + hello[38]!);
  const extensions = [0, 43, 0, 2, 3, 4, 0, 51, 0, 36, ...uint16(X25519), 0, 32, ...keyShare];
  const random = crypto.getRandomValues(new Uint8Array(32));
  return message(2, [3, 3, ...random, ...session, 0x13, 0x01, 0, ...uint16(extensions.length), ...extensions]);
}

function certificateList(certificate: Uint8Array): number[] {
  const entry = [...uint24(certificate.length), ...certificate, 0, 0];
  return [0, ...uint24(entry.length), ...entry];
}

async function signed(key: CryptoKey, hash: Uint8Array): Promise<Uint8Array> {
  const context = new TextEncoder().encode(" ".repeat(64) + "TLS 1.3, server CertificateVerify\0");
  return new Uint8Array(await crypto.subtle.sign("Ed25519", key, concat([context, hash])));
}

/** One encrypted record, the first with its secret. */
async function sealed(secret: Uint8Array, content: Uint8Array, type: number): Promise<Uint8Array> {
  const plain = concat([content, Uint8Array.of(type)]);
  const head = Uint8Array.of(RECORD_DATA, 3, 3, ...uint16(plain.length + 16));
  const { key, iv } = await trafficKeys(secret, 0);
  return concat([
    head,
    new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: head }, key, plain)),
  ]);
}

async function opened(secret: Uint8Array, whole: Uint8Array, sequence: number) {
  const { key, iv } = await trafficKeys(secret, sequence);
  const [additionalData, body] = [whole.slice(0, 5), whole.slice(5)];
  const plain = new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData }, key, body));
  return { type: plain.at(-1)!, content: plain.subarray(0, -1) };
}

async function trafficKeys(secret: Uint8Array, sequence: number) {
  const raw = await expand(secret, "key", [], 16);
  const iv = await expand(secret, "iv", [], 12);
  iv[11]! ^= sequence;
  return { iv, key: await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]) };
}

/** HKDF-Expand-Label; no more than one block of output. */
async function expand(secret: Uint8Array, label: string, context: Iterable<number>, length = HASH_BYTES) {
  const name = new TextEncoder().encode(`tls13 ${label}`);
  const bytes = [...context];
  const info = Uint8Array.of(...uint16(length), name.length, ...name, bytes.length, ...bytes, 1);
  return (await hmac(secret, info)).slice(0, length);
}

/** Also HKDF-Extract, with the salt for a key. */
async function hmac(key: Uint8Array, bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const imported = await crypto.subtle.importKey("raw", key.slice(), { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, bytes.slice()));
}

async function sha256(parts: readonly Uint8Array[]): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", concat(parts)));
}

function message(type: number, body: Iterable<number>): Uint8Array<ArrayBuffer> {
  const bytes = [...body];
  return Uint8Array.of(type, ...uint24(bytes.length), ...bytes);
}

function record(type: number, body: Uint8Array): Uint8Array {
  return concat([Uint8Array.of(type, 3, 3, ...uint16(body.length)), body]);
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function uint16(value: number): number[] {
  return [value >> 8, value & 255];
}

function uint24(value: number): number[] {
  return [value >> 16, ...uint16(value & 0xffff)];
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}
