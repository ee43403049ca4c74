/** Every short name over the letters that traps are made of: what the rule takes leads to itself, inside, everywhere. */
import { isReserved, nameFault } from "../../protocol/names.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { everyString, LETTERS } from "../support/trap_strings.ts";
import { posixParts, windowsParts } from "../support/path_models.ts";

const LENGTH_MAX = Deno.env.get("FAULTS") === "full" ? 8 : 6;

/** Fails unless `name`, which the rule takes, leads to itself and nowhere else on both kinds of systems. */
function assertLeadsToItself(name: string): void {
  for (const parts of [posixParts(name), windowsParts(name)]) {
    if (parts?.join("/") !== name) {
      throw new Error(`${JSON.stringify(name)} is taken, and leads to ${parts?.join("/")}`);
    }
  }
}

Deno.test("every name over the letters of traps that the rule takes leads to itself", () => {
  let taken = 0;
  const count = everyString(LENGTH_MAX, (name) => {
    if (nameFault(name) !== undefined) return;
    taken++;
    assertLeadsToItself(name);
  });
  assertEquals(
    count,
    LETTERS.reduce((sum, _, index) => index < LENGTH_MAX ? sum + LETTERS.length ** (index + 1) : sum, 0),
  );
  assert(taken > count / 20, `only ${taken} of ${count} names are taken`);
});

Deno.test("every name over the harmless ones of those letters is taken", () => {
  const harmless = /^[%2e~]+(\/[%2e~]+)*$/;
  let tried = 0;
  everyString(5, (name) => {
    if (!harmless.test(name)) return;
    tried++;
    assertEquals(nameFault(name), undefined, name);
  });
  assert(tried > 4 ** 5, `only ${tried} names were tried`);
});

/** What Windows takes for a device, by name and by what may stand behind it. */
const DEVICES = ["con", "PRN", "Aux", "nul", "COM0", "com1", "com9", "LPT3", "com¹", "lpt³", "conin$", "CONOUT$"];
const BEHIND = ["", ".", ".txt", ".tar.gz", " ", " .txt", ":", ":x", "::$DATA", " :x", ". .", "..txt"];

Deno.test("no device of Windows is taken, in any case and whatever stands behind it; what only looks like one is", () => {
  for (const device of DEVICES) {
    for (const behind of BEHIND) {
      for (const name of [device, device.toLowerCase(), device.toUpperCase(), `dir/${device}`]) {
        assert(nameFault(name + behind) !== undefined, `${JSON.stringify(name + behind)} is taken`);
        assert(
          nameFault(`${name}${behind}/file`) !== undefined,
          `${JSON.stringify(name + behind)} is taken as a directory`,
        );
      }
    }
    for (const name of [`${device}x`, `x${device}`, `x.${device}`, `${device}-1.txt`, `${device}_`]) {
      assertEquals(nameFault(name), undefined, name);
      assertLeadsToItself(name);
    }
  }
});

Deno.test("our own prefix is taken in no case, and what only looks like it is", () => {
  const bits = [...".app-"].map((letter) => [letter, letter.toUpperCase()]);
  for (let mask = 0; mask < 2 ** bits.length; mask++) {
    const prefix = bits.map((pair, index) => pair[mask >> index & 1]).join("");
    assert(isReserved(prefix));
    for (const name of [prefix, `${prefix}x`, `dir/${prefix}x`, `${prefix}x/file`, `${prefix} `, `${prefix}.`]) {
      assert(nameFault(name) !== undefined, name);
    }
  }
  // The Kelvin sign and the dotless i are other letters on every system; so are letters of full width.
  for (const name of [".apq-x", "app-x", ".app", ".app_x", ".ap", "x.app-x", ".\uff41pp-x", ".app\u2010x"]) {
    assertEquals(nameFault(name), undefined, name);
  }
});
