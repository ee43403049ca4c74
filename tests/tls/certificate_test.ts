/** The certificate that TLS gets, and the anchor that a client makes of a key; openssl reads both. */
import { encodeAnchor, encodeCertificate, encodeUnsigned, formatPem } from "../../protocol/tls/certificate.ts";
import { parseKey } from "../../protocol/tls/key.ts";
import { openIdentity } from "../../server/identity.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "../support/assert.ts";
import { HAS_OPENSSL, openssl } from "../support/openssl.ts";
import { temporaryDirectory } from "../support/program.ts";
import { Random } from "../support/random.ts";

const FIXTURES = new URL("../../fixtures/tls/", import.meta.url);

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

Deno.test("certificate and anchor of the key in the fixtures are those in the fixtures, byte for byte", async () => {
  using directory = temporaryDirectory();
  const file = `${directory.path}/identity.pem`;
  Deno.copyFileSync(new URL("identity.pem", FIXTURES), file);
  Deno.chmodSync(file, 0o600);
  const { key, certificatePem } = await openIdentity(file);
  const vector = JSON.parse(Deno.readTextFileSync(new URL("vector.json", FIXTURES)));
  assertEquals(key, vector.key);
  assertEquals(certificatePem, Deno.readTextFileSync(new URL("certificate.pem", FIXTURES)));
  assertEquals(hexOf(encodeAnchor(parseKey(key))), vector.anchor);
});

Deno.test("an anchor is the certificate with zeros for a signature", () => {
  const key = new Random(1).bytes(32);
  const signature = new Random(2).bytes(64);
  const [certificate, anchor] = [encodeCertificate(key, signature), encodeAnchor(key)];
  assertEquals(anchor.subarray(0, -64), certificate.subarray(0, -64));
  assertEquals(anchor.subarray(-64), new Uint8Array(64));
  assertEquals(certificate.subarray(-64), signature);
  assert(hexOf(certificate).includes(hexOf(encodeUnsigned(key))));
});

Deno.test("what is no key makes no certificate", () => {
  assertThrows(() => encodeUnsigned(new Uint8Array(31)), TypeError);
});

Deno.test({
  name: "openssl reads the certificate as what it is meant to be, and finds its signature good",
  ignore: !HAS_OPENSSL,
  async fn() {
    using directory = temporaryDirectory();
    const { certificatePem, key } = await openIdentity(`${directory.path}/identity.pem`);
    const file = `${directory.path}/certificate.pem`;
    Deno.writeTextFileSync(file, certificatePem);
    const { stdout } = await openssl("x509", "-in", file, "-noout", "-text", "-certopt", "no_pubkey,no_sigdump");
    for (const line of ["Version: 3", "Issuer: CN = app.invalid", "Subject: CN = app.invalid", "DNS:app.invalid"]) {
      assertStringIncludes(stdout, line);
    }
    assertMatch(stdout, /Not Before: Jan {2}1 00:00:00 1970 GMT\s+Not After : Dec 31 23:59:59 9999 GMT/);
    assertMatch(stdout, /Basic Constraints: critical\s+CA:FALSE/);
    const verified = await openssl("verify", "-CAfile", file, "-verify_hostname", "app.invalid", file);
    assertEquals(verified.code, 0, verified.stderr);
    const other = await openssl("verify", "-CAfile", file, "-verify_hostname", "example.com", file);
    assert(other.code !== 0, "openssl would say so of any name");
    Deno.writeTextFileSync(file, formatPem("CERTIFICATE", encodeAnchor(parseKey(key))));
    assertEquals((await openssl("x509", "-in", file, "-noout")).code, 0);
  },
});
