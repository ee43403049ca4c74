/**
 * Who a client takes for its server: only who has the key. To everybody else it says nothing but what TLS says; each
 * test listens to every byte.
 */
import { Client, type ClientOptions } from "../../client/mod.ts";
import { encodeCertificate, encodeUnsigned } from "../../protocol/tls/certificate.ts";
import { parseKey } from "../../protocol/tls/key.ts";
import { type Identity, openIdentity } from "../../server/mod.ts";
import { RawConnection, soon, startServed } from "../server/served.ts";
import { assert, assertEquals, assertMatch, assertRejectsCode, assertStringIncludes } from "../support/assert.ts";
import { Middleman } from "../support/middleman.ts";
import { temporaryDirectory } from "../support/program.ts";
import { meetAsRogue } from "../support/rogue_tls.ts";

const SECRET = "c2VjcmV0LW9mLWEtbGluaw";
const NAME = "name-that-nobody-may-hear.txt";

async function newIdentity(): Promise<Identity> {
  using directory = temporaryDirectory();
  return await openIdentity(`${directory.path}/identity.pem`);
}

function clientOf(port: number, key: string, options: ClientOptions = {}): Client {
  return new Client({ host: "127.0.0.1", port, key, secret: SECRET }, { retries: 0, timeoutMs: 5_000, ...options });
}

/** Nothing of ours was said in plain, nor anything that was meant for the server alone. */
function assertSaidNothing({ heard, received }: Middleman): void {
  assert(received.length > 0 && received.every(({ length }) => length > 100), "nobody came");
  for (const bytes of received) assertEquals([bytes[0], bytes[1]], [0x16, 3]);
  for (const word of ["APP/", SECRET, NAME, "127.0.0.1", "localhost"]) assert(!heard.includes(word), word);
}

function privateKeyOf({ privateKeyPem }: Identity): Promise<CryptoKey> {
  const der = Uint8Array.from(atob(privateKeyPem.replace(/-.*-|\s/g, "")), (letter) => letter.charCodeAt(0));
  return crypto.subtle.importKey("pkcs8", der, "Ed25519", false, ["sign"]);
}

function derOf(pem: string): Uint8Array {
  return Uint8Array.from(atob(pem.replace(/-.*-|\s/g, "")), (letter) => letter.charCodeAt(0));
}

Deno.test("a server with another key is refused, and hears nothing", async () => {
  const [ours, theirs] = [await newIdentity(), await newIdentity()];
  await using served = startServed({ [NAME]: "content" }, { identity: theirs });
  await using between = new Middleman({ targetPort: served.port });
  await using client = clientOf(between.port, ours.key);
  const error = await assertRejectsCode(() => client.stat(NAME), "wrong_key");
  assertEquals([error.retriable, error.exit], [false, 3]);
  assertMatch(error.message, /could not prove that it has the key of the link; nothing was sent to it/);
  assertSaidNothing(between);
  assertEquals(served.records.filter(({ request }) => request !== "opening"), []);
});

Deno.test("the server with the key is spoken to, through the same middleman, who still hears nothing", async () => {
  const identity = await newIdentity();
  await using served = startServed({ [NAME]: "content" }, { identity });
  await using between = new Middleman({ targetPort: served.port });
  await using client = new Client({ host: "127.0.0.1", port: between.port, key: identity.key }, { retries: 0 });
  assertEquals((await client.stat(NAME)).sizeBytes, 7);
  assertSaidNothing(between);
});

Deno.test("a copy of the certificate is of no use without its key", async () => {
  const [ours, theirs] = [await newIdentity(), await newIdentity()];
  for (const [signer, finishes] of [[theirs, false], [ours, true]] as const) {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const disguise = { certificate: derOf(ours.certificatePem), signingKey: await privateKeyOf(signer) };
    const meeting = soon(meetAsRogue(listener, disguise, "\n"), "the rogue's meeting");
    const stopped = new AbortController();
    await using client = clientOf((listener.addr as Deno.NetAddr).port, ours.key, { signal: stopped.signal });
    const attempt = client.stat(NAME).catch((error) => error);
    const { alert, said } = await meeting;
    stopped.abort();
    const error = await attempt;
    // Who has the key gets through, which shows that nothing but the key keeps the other one out.
    if (finishes) assertMatch(said, new RegExp(`^APP/1 .*secret=${SECRET}\\n`));
    else assertEquals([alert > 0, said, error.code], [true, "", "wrong_key"]);
  }
});

Deno.test("a certificate of the right form with another key, signed by itself or as if by the owner, is refused", async () => {
  const [ours, theirs] = [await newIdentity(), await newIdentity()];
  const signingKey = await privateKeyOf(theirs);
  const unsigned = encodeUnsigned(parseKey(theirs.key));
  const itself = new Uint8Array(await crypto.subtle.sign("Ed25519", signingKey, unsigned));
  for (const signature of [itself, new Uint8Array(64), derOf(ours.certificatePem).slice(-64)]) {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const certificate = encodeCertificate(parseKey(theirs.key), signature);
    const meeting = soon(meetAsRogue(listener, { certificate, signingKey }, "\n"), "the rogue's meeting");
    await using client = clientOf((listener.addr as Deno.NetAddr).port, ours.key);
    await assertRejectsCode(() => client.stat(NAME), "wrong_key");
    assertEquals((await meeting).said, "");
  }
});

Deno.test("who answers in plain where a key is known is refused, whatever it says, and hears nothing", async () => {
  const [ours, theirs] = [await newIdentity(), await newIdentity()];
  const answers = [
    "APP/1 agent=app/0.1.0 data-max=262144\n",
    `APP/1 refused=tls_required key=${theirs.key}\n`,
    `APP/1 refused=tls_required key=${ours.key}\n`,
    "HTTP/1.1 400 Bad Request\r\n\r\n",
    "This is app, which speaks APP/1: try app list HOST PORT\n",
  ];
  for (const answer of answers) {
    await using between = new Middleman({ answer });
    await using client = clientOf(between.port, ours.key);
    const error = await assertRejectsCode(() => client.stat(NAME), "not_app");
    assertMatch(error.message, /speaks no TLS, and nothing was sent to it/);
    assertSaidNothing(between);
  }
});

Deno.test("a server that takes the connection and is silent, or ends it, is given up in time", async () => {
  const { key } = await newIdentity();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  await using client = clientOf(port, key, { timeoutMs: 50 });
  const error = await assertRejectsCode(() => client.stat(NAME), "idle");
  assertStringIncludes(error.message, "no TLS began within 0.05 s");
  (await listener.accept()).close();
  const ended = (async () => (await listener.accept()).close())();
  await assertRejectsCode(() => client.stat(NAME), "lost");
  await ended;
});

Deno.test("whoever interrupts the handshake gets his own reason", async () => {
  const { key } = await newIdentity();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const controller = new AbortController();
  await using client = clientOf((listener.addr as Deno.NetAddr).port, key, { signal: controller.signal });
  const attempt = client.stat(NAME).catch((error) => error);
  using conn = await listener.accept();
  await conn.read(new Uint8Array(1));
  controller.abort(new Error("enough"));
  assertEquals((await attempt).message, "enough");
});

Deno.test("all that a whole session said, said again, stores nothing and is answered with nothing", async () => {
  const identity = await newIdentity();
  await using served = startServed({ [NAME]: "content" }, { identity });
  await using between = new Middleman({ targetPort: served.port });
  {
    await using client = new Client({ host: "127.0.0.1", port: between.port, key: identity.key }, { retries: 0 });
    await client.makeDirectory("made");
  }
  Deno.removeSync(`${served.root}/made`);
  const before = served.records.length;
  for (const bytes of between.received) {
    const hello = 5 + bytes[3]! * 256 + bytes[4]!;
    using conn = await RawConnection.open(served.port);
    await conn.write(bytes.subarray(0, hello));
    await conn.readExactly(5); // the server has answered, as it had then
    await conn.write(bytes.subarray(hello));
    await conn.end();
    await conn.readBytes();
  }
  assertEquals(Array.from(Deno.readDirSync(served.root), ({ name }) => name), [NAME]);
  assertEquals(served.records.slice(before).map(({ request, result }) => [request, result]), [["opening", "lost"]]);
  await using client = new Client({ host: "127.0.0.1", port: served.port, key: identity.key }, { retries: 0 });
  await client.makeDirectory("made"); // a new session may do so
});

Deno.test("a key that is none is refused before anybody is asked to prove it", async () => {
  await using between = new Middleman({ answer: "x" });
  await using client = clientOf(between.port, "not-a-key");
  await assertRejectsCode(() => client.stat(NAME), "malformed");
  assertEquals(between.heard, "");
});
