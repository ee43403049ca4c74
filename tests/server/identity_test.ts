/** The key that a server is known by: made once, kept for its owner alone, and never replaced by accident. */
import { openIdentity, renewIdentity } from "../../server/identity.ts";
import { assert, assertEquals, assertMatch, assertRejectsCode, assertStringIncludes } from "../support/assert.ts";
import { names } from "../support/names_in.ts";
import { HAS_OPENSSL, openssl } from "../support/openssl.ts";
import { temporaryDirectory } from "../support/program.ts";

Deno.test("an identity is made once, and is the same from then on", async () => {
  using directory = temporaryDirectory();
  const file = `${directory.path}/state/identity.pem`;
  const first = await openIdentity(file);
  assertMatch(first.key, /^[\w-]{43}$/);
  assertEquals(Deno.statSync(file).mode! & 0o777, 0o600);
  const stored = Deno.readTextFileSync(file);
  assertEquals(await openIdentity(file), first);
  assertEquals(Deno.readTextFileSync(file), stored);
  assertEquals(stored, first.privateKeyPem, "nothing but the key is stored");
});

Deno.test("servers that start at once for the first time have one identity", async () => {
  using directory = temporaryDirectory();
  const file = `${directory.path}/identity.pem`;
  const keys = (await Promise.all(Array.from({ length: 8 }, () => openIdentity(file)))).map(({ key }) => key);
  assertEquals(new Set(keys).size, 1);
  assertEquals(names(directory.path), ["identity.pem", "identity.pem.lock"]);
});

Deno.test("a new identity takes the place of the old one, whatever that was", async () => {
  using directory = temporaryDirectory();
  const file = `${directory.path}/identity.pem`;
  const old = await openIdentity(file);
  const renewed = await renewIdentity(file);
  assert(renewed.key !== old.key);
  assertEquals(await openIdentity(file), renewed);
  Deno.writeTextFileSync(file, "broken");
  Deno.chmodSync(file, 0o644);
  assertEquals(await openIdentity(file).catch(({ code }) => code), "failed");
  await renewIdentity(file);
  await openIdentity(file);
});

Deno.test("an identity that others may read, is broken or of another kind is refused and left as it is", async () => {
  using directory = temporaryDirectory();
  const file = `${directory.path}/identity.pem`;
  const { privateKeyPem } = await openIdentity(file);
  const [body] = /[A-Za-z0-9+/=]{40,}/.exec(privateKeyPem)!;
  const cases = [
    [privateKeyPem, 0o640, /others may read or change it/],
    ["", 0o600, /there is no Ed25519 key in it/],
    [privateKeyPem.replace(body, body.slice(4)), 0o600, /there is no Ed25519 key in it/],
    [privateKeyPem.replaceAll("PRIVATE", "PUBLIC"), 0o600, /there is no Ed25519 key in it/],
  ] as const;
  for (const [text, mode, message] of cases) {
    Deno.writeTextFileSync(file, text);
    Deno.chmodSync(file, mode);
    const error = await assertRejectsCode(() => openIdentity(file), "failed");
    assertMatch(error.message, message);
    assertEquals(Deno.readTextFileSync(file), text);
  }
  await assertRejectsCode(() => openIdentity(directory.path), "not_a_file");
  Deno.writeTextFileSync(file, privateKeyPem);
  Deno.chmodSync(file, 0o600);
  await openIdentity(file);
});

Deno.test({
  name: "a key that openssl made is taken, and one of another kind is not",
  ignore: !HAS_OPENSSL,
  async fn() {
    using directory = temporaryDirectory();
    const file = `${directory.path}/identity.pem`;
    const make = async (...args: string[]) => {
      assertEquals((await openssl("genpkey", "-out", file, ...args)).code, 0);
      Deno.chmodSync(file, 0o600);
    };
    await make("-algorithm", "ed25519");
    const { stdout } = await openssl("pkey", "-in", file, "-noout", "-text_pub");
    const bytes = Array.from(stdout.matchAll(/\b[0-9a-f]{2}(?=:|\n)/g), ([byte]) => parseInt(byte, 16));
    const key = btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace("=", "");
    assertEquals((await openIdentity(file)).key, key);
    await make("-algorithm", "ec", "-pkeyopt", "ec_paramgen_curve:P-256");
    const error = await assertRejectsCode(() => openIdentity(file), "failed");
    assertStringIncludes(error.advice, "app identity --renew");
  },
});
