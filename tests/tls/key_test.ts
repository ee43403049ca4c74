/** Keys and fingerprints as text. */
import { fingerprintOf, shortened } from "../../protocol/tls/fingerprint.ts";
import { formatKey, isKey, parseKey } from "../../protocol/tls/key.ts";
import { assert, assertEquals, assertMatch, assertThrowsCode } from "../support/assert.ts";
import { withSeed } from "../support/random.ts";

/** The vectors of the specification. */
export const VECTORS = [
  {
    bytes: new Uint8Array(32),
    key: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    fingerprint: "MZUH-VLPY-MK6X-O3EP-YGFY-5H4O-EA",
  },
  {
    bytes: Uint8Array.from({ length: 32 }, (_, index) => 255 - index),
    key: "__79_Pv6-fj39vX08_Lx8O_u7ezr6uno5-bl5OPi4eA",
    fingerprint: "DBS4-ACBR-447X-5YR7-YE6L-FUHV-RA",
  },
] as const;

Deno.test("keys and fingerprints are those of the specification", async () => {
  for (const { bytes, key, fingerprint } of VECTORS) {
    assertEquals(formatKey(bytes), key);
    assertEquals(parseKey(key), bytes);
    assertEquals(await fingerprintOf(key), fingerprint);
  }
});

Deno.test("every key has one form, and what is close to one is none", () =>
  withSeed((random) => {
    for (let round = 0; round < 200; round++) {
      const bytes = random.bytes(32);
      const key = formatKey(bytes);
      assertEquals(parseKey(key), bytes);
      const at = random.below(43);
      const changed = key.slice(0, at) + random.pick([..."+/=. \nABCxyz09-_é"]) + key.slice(at + 1);
      assert(changed === key || !isKey(changed) || formatKey(parseKey(changed)) === changed);
      for (const wrong of [key.slice(1), key + "A", key + "=", ` ${key}`, `${key}\n`]) assert(!isKey(wrong), wrong);
    }
  }));

Deno.test("a key whose last letter has bits that belong to nothing is refused", () => {
  const key = VECTORS[0].key;
  assert(isKey(key));
  assertThrowsCode(() => parseKey(key.slice(0, -1) + "B"), "malformed");
});

Deno.test("a fingerprint is 26 letters and digits in groups, and short its first and last group", async () => {
  const fingerprint = await fingerprintOf(VECTORS[1].key);
  assertMatch(fingerprint, /^([A-Z2-7]{4}-){6}[A-Z2-7]{2}$/);
  assertEquals(shortened("7Q3F-AAAA-BBBB-CCCC-DDDD-EEEE-K2"), "7Q3F-…-K2");
});
