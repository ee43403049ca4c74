import { NAME_BYTES_MAX, NAME_PART_BYTES_MAX, NAME_PARTS_MAX } from "../protocol/limits.ts";
import {
  isReserved,
  nameFault,
  numberedName,
  splitName,
  validateDirectoryName,
  validateName,
} from "../protocol/names.ts";
import { assert, assertEquals, assertMatch, assertNotMatch, assertThrowsCode } from "./support/assert.ts";

/** 17 parts of `lastBytes` and 240 bytes: 4,096 bytes with a last part of 240. */
const longName = (lastBytes: number) => [...Array(16).fill("a".repeat(240)), "a".repeat(lastBytes)].join("/");

/** A name that breaks the rule, and what the reason must speak of. */
const REFUSED: readonly (readonly [name: string, reason: RegExp])[] = [
  ["", /empty/],
  [".", /the part "\."/],
  ["..", /the part "\.\."/],
  ["a/../b", /the part "\.\."/],
  ["../a", /the part "\.\."/],
  ["a/..", /the part "\.\."/],
  ["./a", /the part "\."/],
  ["a/./b", /the part "\."/],
  ["/", /absolute/],
  ["/etc/passwd", /absolute/],
  ["//server/share", /absolute/],
  ["a//b", /empty part/],
  ["a/", /empty part/],
  ["C:", /drive/],
  ["c:/windows", /drive/],
  ["C:file.txt", /drive/],
  ["a:b", /drive/],
  ["C:\\windows", /backslash/],
  ["\\\\server\\share", /backslash/],
  ["a\\b", /backslash/],
  ["..\\a", /backslash/],
  ["\0", /control/],
  ["a\0.txt", /control/],
  ["a\nb", /control/],
  ["a\rb", /control/],
  ["a\tb", /control/],
  ["\x1b[2Ja", /control/],
  ["a\x7f", /control/],
  ["a\x9b31m", /control/],
  ["con", /device/],
  ["CON", /device/],
  ["dir/Prn", /device/],
  ["aux/file", /device/],
  ["NUL.txt", /device/],
  ["nul.tar.gz", /device/],
  ["com1", /device/],
  ["COM0", /device/],
  ["com²", /device/],
  ["lpt9", /device/],
  ["lpt9.log", /device/],
  ["conin$", /device/],
  ["CONOUT$", /device/],
  ["a.", /ends in a dot or a space/],
  ["a ", /ends in a dot or a space/],
  ["...", /ends in a dot or a space/],
  [" ", /ends in a dot or a space/],
  ["dir./file", /ends in a dot or a space/],
  [".app-", /reserved/],
  [".app-partial-0123", /reserved/],
  [".APP-partial-0123", /reserved/],
  ["dir/.aPp-x", /reserved/],
  [".app-x/file", /reserved/],
  ["a".repeat(NAME_PART_BYTES_MAX + 1), /longer than 255 bytes/],
  ["a/".repeat(NAME_PARTS_MAX) + "a", /more than 128 parts/],
  ["ü".repeat(128), /longer than 255 bytes/],
  [longName(241), /longer than 4096 bytes/],
  ["u\u0308ber.txt", /normalisation/],
  ["A\u030a", /normalisation/],
  ["\u212b", /normalisation/], // the Ångström sign, whose form C is another character
  ["a\ud800", /Unicode/],
  ["\udc00a", /Unicode/],
  ["gpj.\u202eexe", /invisible/],
  ["\u202aa", /invisible/],
  ["\u2066a\u2069", /invisible/],
  ["a\u2028b", /invisible/],
  ["a\u2029b", /invisible/],
  ["\ufeffa", /invisible/],
  ["a\ufeff.txt", /invisible/],
];

/** The twins: they look alike, and nothing is wrong with them. */
const TAKEN: readonly string[] = [
  "a",
  "C",
  "..a",
  "a..b",
  "...a",
  ".hidden",
  "dir/.hidden",
  "a/b/c",
  "ab:c", // a drive has one letter
  "12:30.txt",
  "%2e%2e",
  "%2e%2e/a",
  "~",
  "-x",
  "--",
  "$HOME",
  "a;b|c&d",
  "a*b?",
  "a b",
  " a",
  "a . b",
  "console.txt",
  "con1",
  "nul-l",
  "null",
  "com",
  "com10",
  "lpt",
  "xcon",
  "x.con",
  "a.nul",
  "app-partial",
  ".app",
  ".application",
  "x.app-partial",
  "über.txt",
  "\u00c5", // Å in form C
  "日本語.jpg",
  "한국어.txt",
  "🦕.png",
  "👩\u200d💻.txt", // joined by U+200D
  "می\u200cخواهم.txt", // Persian is written with U+200C
  "a\ufffd",
  "a".repeat(NAME_PART_BYTES_MAX),
  "a/".repeat(NAME_PARTS_MAX - 1) + "a",
  "ü".repeat(127),
  longName(240),
];

Deno.test("the name rule refuses every name of the table, with its reason", () => {
  for (const [name, reason] of REFUSED) {
    assertMatch(nameFault(name) ?? "no fault", reason, `${JSON.stringify(name)}: ${nameFault(name)}`);
    const { message } = assertThrowsCode(() => validateName(name), "bad_name");
    assertMatch(message, reason);
    // deno-lint-ignore no-control-regex -- the message may be printed as it is
    assertNotMatch(message, /[\x00-\x1f\x7f-\x9f\u202a-\u202e]/);
  }
});

Deno.test("the name rule lets their harmless twins pass", () => {
  assertEquals(new TextEncoder().encode(longName(240)).length, NAME_BYTES_MAX);
  for (const name of TAKEN) {
    assertEquals(nameFault(name), undefined, JSON.stringify(name));
    validateName(name);
    validateDirectoryName(name);
  }
});

Deno.test("the empty name means the shared directory where a directory is wanted, and nothing else does", () => {
  validateDirectoryName("");
  for (const [name] of REFUSED.slice(1)) assertThrowsCode(() => validateDirectoryName(name), "bad_name");
});

Deno.test("a control character is refused wherever it stands, a printable one nowhere", () => {
  for (let code = 0; code < 0xa0; code++) {
    const name = `a${String.fromCharCode(code)}b`;
    const isControl = code < 0x20 || code >= 0x7f;
    if (isControl) assertEquals(nameFault(name), "it has a control character", `U+${code.toString(16)}`);
    else if (name !== "a\\b" && name !== "a:b") assertEquals(nameFault(name), undefined, name);
  }
});

Deno.test("reserved is what begins with our prefix in any case", () => {
  for (const part of [".app-", ".app-x", ".APP-X", ".App-partial-1"]) assert(isReserved(part), part);
  for (const part of ["", ".app", "app-x", "x.app-", ".apq-"]) assert(!isReserved(part), part);
});

Deno.test("a numbered name keeps its directory and its last ending", () => {
  const cases = [
    ["photo.jpg", 2, "photo (2).jpg"],
    ["photo", 3, "photo (3)"],
    ["a.tar.gz", 2, "a.tar (2).gz"],
    [".hidden", 2, ".hidden (2)"],
    [".hidden.txt", 2, ".hidden (2).txt"],
    ["v1.2/notes", 2, "v1.2/notes (2)"],
    ["v1.2/.rc", 10, "v1.2/.rc (10)"],
    ["a (2).txt", 2, "a (2) (2).txt"],
  ] as const;
  for (const [name, number, expected] of cases) assertEquals(numberedName(name, number), expected);
});

Deno.test("a name splits at its last slash", () => {
  assertEquals(splitName("a"), { directory: "", base: "a" });
  assertEquals(splitName("a/b"), { directory: "a", base: "b" });
  assertEquals(splitName("a/b/c.txt"), { directory: "a/b", base: "c.txt" });
  for (const name of TAKEN) {
    const { directory, base } = splitName(name);
    assertEquals(directory ? `${directory}/${base}` : base, name);
  }
});
