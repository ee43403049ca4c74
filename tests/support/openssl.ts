/** The program `openssl`, which some tests need. */
import { assertEquals } from "./assert.ts";
import type { Outcome } from "./program.ts";

function findOpenssl(): boolean {
  try {
    return new Deno.Command("openssl", { args: ["version"], stdout: "null", stderr: "null" }).outputSync().success;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.log("skipped: no openssl");
    return false;
  }
}

export const HAS_OPENSSL = findOpenssl();

/** Runs it to its end, without any input. */
export async function openssl(...args: string[]): Promise<Outcome> {
  const { code, stdout, stderr } = await new Deno.Command("openssl", { args, stdin: "null" }).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

/** An authority in `folder`, and a certificate that it signed for `name`; both are files. */
export async function certificateFor(
  folder: string,
  name: string,
): Promise<{ authority: string; cert: string; key: string }> {
  const [authority, authorityKey, cert, key, request, extensions] = [
    "ca.pem",
    "ca.key",
    "c.pem",
    "c.key",
    "c.csr",
    "c.ext",
  ]
    .map((file) => `${folder}/${file}`) as [string, string, string, string, string, string];
  const make = async (...args: string[]) => assertEquals((await openssl(...args)).code, 0, args.join(" "));
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj"];
  const alternative = /^[\d.]+$/.test(name) ? `IP:${name}` : `DNS:${name}`;
  Deno.writeTextFileSync(extensions, `subjectAltName=${alternative}\nbasicConstraints=CA:FALSE\n`);
  await make("req", "-x509", ...newKey, "/CN=An authority", "-keyout", authorityKey, "-out", authority, "-days", "2");
  await make("req", ...newKey, `/CN=${name}`, "-keyout", key, "-out", request);
  const signing = ["-req", "-in", request, "-CA", authority, "-CAkey", authorityKey, "-CAcreateserial", "-days", "2"];
  await make("x509", ...signing, "-extfile", extensions, "-out", cert);
  return { authority, cert, key };
}
