/** Names that a place cannot have, names that are the same there, and how a directory is asked. */
import { LocalTree } from "../protocol/files/local_tree.ts";
import { ANY_NAMES, foldName, foreignFault } from "../protocol/name_rules.ts";
import { TemporaryTree } from "./files/temporary_tree.ts";
import { assertEquals } from "./support/assert.ts";
import { CaseIgnoringDisk, caseIgnoringDiskFault } from "./support/case_ignoring_disk.ts";

const IGNORING = { ...ANY_NAMES, ignoresCase: true };

Deno.test("names that differ in case are the same where case is ignored, and others are not", () => {
  const same = [["README", "readme"], ["\u00c9t\u00e9", "\u00e9T\u00c9"], ["\u0414\u0410", "\u0434\u0430"], [
    "e\u0301",
    "\u00c9",
  ], ["\u03c3", "\u03c2"]];
  for (const [one, two] of same) assertEquals(foldName(one!, IGNORING), foldName(two!, IGNORING), `${one} ${two}`);
  for (
    const [one, two] of [["a", "b"], ["stra\u00dfe", "strasse"], ["\ufb01", "fi"], ["i\u0307", "i"], [
      "\ud83d\ude00",
      "\ud83d\ude01",
    ]]
  ) {
    assertEquals(foldName(one!, IGNORING) === foldName(two!, IGNORING), false, `${one} ${two}`);
  }
  assertEquals(foldName("README", { ...ANY_NAMES, normalises: true }), "README");
});

Deno.test("Windows takes fewer names, and any system only so long ones", () => {
  const windows = { ...ANY_NAMES, isWindows: true };
  for (const base of ["a?", "a:b", 'q"', "<", ">", "a|b", "*"]) {
    assertEquals(foreignFault(base, base, windows) !== undefined, true, base);
    assertEquals(foreignFault(base, base, ANY_NAMES), undefined);
  }
  const short = { ...ANY_NAMES, partBytesMax: 6, nameBytesMax: 10 };
  assertEquals(foreignFault("d/\u00e9\u00e9\u00e9", "\u00e9\u00e9\u00e9", short), undefined);
  assertEquals(
    foreignFault("\u00e9\u00e9\u00e9x", "\u00e9\u00e9\u00e9x", short),
    "no part of a name may be longer than 6 bytes",
  );
  assertEquals(foreignFault("d/d/123456", "123456", short), undefined);
  assertEquals(foreignFault("d/d/d/12345", "12345", short), "no name may be longer than 10 bytes");
});

Deno.test("a directory is asked without a trace, with and without names in it", () => {
  using to = new TemporaryTree();
  for (const name of ["empty", "numbers", "names"]) Deno.mkdirSync(to.at(name));
  to.file("numbers/1");
  to.file("names/readme");
  for (const name of ["empty", "numbers", "names", "missing/below"]) {
    const path = to.at(name.split("/")[0]!);
    if (name !== "missing/below") Deno.utimeSync(path, 5, 5);
    const { ignoresCase, isWindows } = to.tree.nameRules(name);
    if (Deno.build.os === "linux") assertEquals([ignoresCase, isWindows], [false, false], name);
    if (name !== "missing/below") assertEquals(Deno.statSync(path).mtime, new Date(5_000));
  }
  assertEquals(to.reserved(), []);
});

Deno.test("the twin: two names that differ in case only say that case counts", () => {
  using to = new TemporaryTree();
  ["a", "A"].forEach((name) => to.file(name));
  if (Deno.build.os === "linux") assertEquals(to.tree.nameRules("").ignoresCase, false);
});

const fault = caseIgnoringDiskFault();
const ignore = fault !== undefined;
if (ignore) console.log(`skipped: ${fault}`);

Deno.test("a file system that ignores case is found out, empty or not", { ignore }, () => {
  using disk = new CaseIgnoringDisk();
  Deno.mkdirSync(`${disk.path}/empty`);
  Deno.mkdirSync(`${disk.path}/names`);
  Deno.writeTextFileSync(`${disk.path}/names/readme`, "x");
  const tree = new LocalTree(disk.path);
  for (const name of ["empty", "names"]) assertEquals(tree.nameRules(name).ignoresCase, true, name);
  assertEquals([...Deno.readDirSync(`${disk.path}/empty`)], []);
});
