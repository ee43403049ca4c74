/**
 * Who a server is: an Ed25519 key pair, made at its first start and kept. Clients know it by the public key.
 *
 * Only the private key is stored; the certificate that TLS wants is made of it at each start. It never leaves this
 * machine, and whoever has a copy of it can pass for the server.
 */
import { AppError } from "../protocol/errors.ts";
import { quoteName } from "../protocol/escape.ts";
import { changeKept, readKept, requirePrivate } from "../protocol/files/kept_file.ts";
import { stateFile } from "../protocol/files/state_folder.ts";
import { encodeCertificate, encodeUnsigned, formatPem } from "../protocol/tls/certificate.ts";
import { fingerprintOf } from "../protocol/tls/fingerprint.ts";
import { parseKey } from "../protocol/tls/key.ts";

const NAME = "identity.pem";
const PEM = /-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----/;

export interface Identity {
  /** The public key, as links have it. */
  readonly key: string;
  /** The same for people to compare. */
  readonly fingerprint: string;
  /** For TLS: the certificate, and the private key. */
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** Where the identity is when nobody names a file. Throws `failed` when the system has no place for it. */
export function identityFile(): string {
  const file = stateFile(NAME);
  if (file !== undefined) return file;
  throw new AppError("failed", "Cannot find where to keep the key of this server", {
    advice: "Name a file with --identity, or set HOME",
  });
}

/**
 * The identity in `file`, which is made if there is none. Throws `failed` when others may read it or it has no Ed25519
 * key in it, and `not_a_file`.
 */
export async function openIdentity(file: string = identityFile()): Promise<Identity> {
  const stored = readKept(file) ?? await store(file, (text) => text === undefined);
  requirePrivate(file);
  return await identityOf(stored, file);
}

/** Puts a new key into `file`. Whatever rests on the old one is of no use from then on. */
export async function renewIdentity(file: string = identityFile()): Promise<Identity> {
  return await identityOf(await store(file, () => true), file);
}

/** The public key to what is in `file`, whoever may read that; `undefined` where nothing is, or nothing of use. */
export async function findKey(file: string): Promise<string | undefined> {
  try {
    const stored = readKept(file);
    return stored === undefined ? undefined : (await identityOf(stored, file)).key;
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

/** Stores a new key if `mayReplace` says so of what is there; what is there then. */
async function store(file: string, mayReplace: (text: string | undefined) => boolean): Promise<string> {
  let stored = await generate();
  await changeKept(file, (text) => {
    if (mayReplace(text)) return stored;
    stored = text!; // another server was faster
    return undefined;
  });
  return stored;
}

async function generate(): Promise<string> {
  const { privateKey } = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]) as CryptoKeyPair;
  return formatPem("PRIVATE KEY", new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey)));
}

async function identityOf(pem: string, file: string): Promise<Identity> {
  const privateKey = await importKey(pem, file);
  const key = (await crypto.subtle.exportKey("jwk", privateKey)).x!;
  const publicKey = parseKey(key);
  const signature = await crypto.subtle.sign("Ed25519", privateKey, encodeUnsigned(publicKey));
  return {
    key,
    fingerprint: await fingerprintOf(key),
    certificatePem: formatPem("CERTIFICATE", encodeCertificate(publicKey, new Uint8Array(signature))),
    privateKeyPem: pem,
  };
}

async function importKey(pem: string, file: string): Promise<CryptoKey> {
  try {
    const der = Uint8Array.from(atob(PEM.exec(pem)![1]!.replace(/\s/g, "")), (letter) => letter.charCodeAt(0));
    return await crypto.subtle.importKey("pkcs8", der, "Ed25519", true, ["sign"]);
  } catch (cause) {
    throw new AppError("failed", `Cannot use ${quoteName(file)}: there is no Ed25519 key in it`, {
      cause,
      advice: "Restore it from a copy, or make a new one with: app identity --renew",
    });
  }
}
