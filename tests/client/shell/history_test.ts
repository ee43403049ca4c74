/** What a shell keeps of what was entered, and what it never keeps. */
import { History, HISTORY_LINES_MAX } from "../../../client/shell/history.ts";
import { assertEquals } from "../../support/assert.ts";
import { temporaryDirectory } from "../../support/program.ts";

/** The file `history` in a folder that is not there yet, and shells that use it. */
function keeping() {
  const folder = temporaryDirectory();
  const path = `${folder.path}/state/app/history`;
  const opened = () => {
    const history = new History(path);
    return { lines: history.read(), history };
  };
  return { path, opened, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

Deno.test("the next shell has what was entered in the last one, the newest first, in a file for nobody else", () => {
  using kept = keeping();
  const first = kept.opened();
  assertEquals(first.lines, []);
  for (const line of ["list", 'get "two words.txt"', "capital Österreich"]) first.history.add(line);
  assertEquals(kept.opened().lines, ["capital Österreich", 'get "two words.txt"', "list"]);
  assertEquals(Deno.statSync(kept.path).mode! & 0o777, 0o600);
});

Deno.test("a file that others could read is made one that they cannot", () => {
  using kept = keeping();
  kept.opened().history.add("list");
  Deno.chmodSync(kept.path, 0o644);
  kept.opened().history.add("stat a");
  assertEquals(Deno.statSync(kept.path).mode! & 0o777, 0o600);
  assertEquals(kept.opened().lines, ["stat a", "list"]);
});

const NEVER = [
  "get app://host:6000/secret",
  'get "app://host:6000/secret"',
  "get 'app:'//host",
  'get app:"//host',
  "get ap\\p://host",
  "get --link=APP://host",
  `stat ${"K".repeat(43)}.${"s".repeat(22)}`, // the half of a link
  `stat "${"K".repeat(43)}".${"s".repeat(22)}`,
  " list",
  "",
  "\x1b[A",
  "a\nb",
  "x".repeat(1_001),
];

for (const line of NEVER) {
  Deno.test(`${JSON.stringify(line.slice(0, 40))} is not kept, nor taken from the file`, () => {
    using kept = keeping();
    const { history } = kept.opened();
    history.add("get app:/x"); // much the same, and harmless
    history.add(line);
    assertEquals(kept.opened().lines, ["get app:/x"]);
    assertEquals(Deno.readTextFileSync(kept.path), "get app:/x\n");
    Deno.writeTextFileSync(kept.path, `list\n${line.split("\n")[0]}\n`);
    assertEquals(kept.opened().lines, line === "a\nb" ? ["a", "list"] : ["list"]);
  });
}

Deno.test("a line that is entered several times in a row is kept once", () => {
  using kept = keeping();
  for (const line of ["list", "list", "stat a", "list"]) kept.opened().history.add(line);
  assertEquals(kept.opened().lines, ["list", "stat a", "list"]);
});

Deno.test("the file stays bounded within a shell and across shells, and the newest lines stay", () => {
  using kept = keeping();
  const { history } = kept.opened();
  const counts: number[] = [];
  for (let number = 0; number < 3 * HISTORY_LINES_MAX; number++) {
    history.add(`stat ${number}`);
    if (number % 100 === 0) counts.push(Deno.readTextFileSync(kept.path).split("\n").length - 1);
  }
  assertEquals(counts.some((count) => count > 2 * HISTORY_LINES_MAX), false);
  const { lines, history: next } = kept.opened();
  assertEquals([lines.length, lines[0]], [HISTORY_LINES_MAX, `stat ${3 * HISTORY_LINES_MAX - 1}`]);
  next.add("list");
  assertEquals(kept.opened().lines[0], "list");
  assertEquals(Array.from(Deno.readDirSync(kept.path.replace("/history", "")), ({ name }) => name), ["history"]);
});

Deno.test("shells at the same time keep the lines of each other", () => {
  using kept = keeping();
  const [one, other] = [kept.opened().history, kept.opened().history];
  one.add("list");
  other.add("stat a");
  one.add("stat b");
  assertEquals(kept.opened().lines, ["stat b", "stat a", "list"]);
});

Deno.test("without a place, or where something else stands in it, a shell has no history and works", () => {
  using folder = temporaryDirectory();
  Deno.writeTextFileSync(`${folder.path}/file`, "");
  for (const path of [undefined, folder.path, `${folder.path}/file/history`]) {
    const history = new History(path);
    assertEquals(history.read(), []);
    history.add("list");
    assertEquals(history.read(), []);
  }
});
