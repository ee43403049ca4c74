/** A key in a form that two people can compare: 128 bits of its SHA-256, in letters and digits that are easy to tell. */
import { parseKey } from "./key.ts";

const BYTES = 16;
const GROUP = 4;
/** Base32 of RFC 4648. */
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** Such as `7Q3F-ZK5A-…-K2`, whole: 26 characters in groups of four. Throws `malformed` for what is no key. */
export async function fingerprintOf(key: string): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", parseKey(key))).subarray(0, BYTES);
  const bits = Array.from(hash, (byte) => byte.toString(2).padStart(8, "0")).join("");
  const digits = bits.match(/.{1,5}/g)!.map((five) => DIGITS[parseInt(five.padEnd(5, "0"), 2)]);
  return digits.join("").match(new RegExp(`.{1,${GROUP}}`, "g"))!.join("-");
}

/** Its first and its last group, where there is no room for all of it. */
export function shortened(fingerprint: string): string {
  return `${fingerprint.slice(0, GROUP)}-…${fingerprint.slice(fingerprint.lastIndexOf("-"))}`;
}
