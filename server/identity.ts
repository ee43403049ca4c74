/** The key of the servers of this person: made once, kept where nobody else may read it. */
import { AppError } from "../protocol/errors.ts";
import { translating } from "../protocol/files/fs_errors.ts";
import { replaceText, verifyPrivate, whileLocked } from "../protocol/files/private_file.ts";
import { stateFile } from "../protocol/files/state_folder.ts";

export interface Identity {
  /** The public key: 32 bytes as base64url. */
  readonly key: string;
  /** What people compare: the ends of its hash. */
  readonly fingerprint: string;
}

/** Reads the key, or makes one. @default `identity.pem` in the folder of this program */
export async function openIdentity(file = stateFile("identity.pem")): Promise<Identity> {
  const pem = await whileLocked(file, async () => {
    try {
      return translating("read", file, () => Deno.readTextFileSync(file));
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "not_found") throw error;
    }
    const made = await makePem();
    await replaceText(file, made);
    return made;
  });
  verifyPrivate(file);
  const bytes = Uint8Array.from(atob(pem.replace(/-----.*?-----|\s/g, "")), (letter) => letter.charCodeAt(0));
  const pair = await crypto.subtle.importKey("pkcs8", bytes, "Ed25519", true, ["sign"]);
  const key = (await crypto.subtle.exportKey("jwk", pair)).x!;
  return { key, fingerprint: await fingerprintOf(key) };
}

async function makePem(): Promise<string> {
  const { privateKey } = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]) as CryptoKeyPair;
  const bytes = new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
  return `-----BEGIN PRIVATE KEY-----\n${btoa(String.fromCharCode(...bytes))}\n-----END PRIVATE KEY-----\n`;
}

async function fingerprintOf(key: string): Promise<string> {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key)));
  const text = Array.from(hash, (byte) => letters[byte & 31]).join("");
  return `${text.slice(0, 4)}-…-${text.slice(-2)}`;
}
