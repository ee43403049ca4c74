/** Completion: what may be typed next, in the quotes that were begun. */
import { CLIENT_COMMANDS } from "../../../client/commands/mod.ts";
import { complete } from "../../../client/shell/completion.ts";
import { assert, assertEquals } from "../../support/assert.ts";

const commands = await Promise.all(Object.values(CLIENT_COMMANDS).map((load) => load()));
const NAMES: Readonly<Record<string, readonly string[]>> = {
  "": ["a b.txt", "apple.jpg", "apricot.jpg", "sub/", "it's", "bad\u202e.txt", "two words/", "--output=x"],
  "sub": ["inner.txt"],
  "two words": ["x.txt"],
};
const asked: string[] = [];

async function hitsFor(line: string): Promise<readonly string[]> {
  const list = (directory: string) => {
    asked.push(directory);
    return Promise.resolve(NAMES[directory] ?? []);
  };
  const [hits, part] = await complete(line, { commands, ownWords: ["help", "exit", "quit"], list });
  assert(line.endsWith(part));
  for (const hit of hits) assert(hit.startsWith(part), `${hit} does not begin with ${part}`);
  return hits;
}

for (
  const [line, hits] of [
    ["sta", ["stat ", "status "]],
    ["mov", ["move "]],
    ["he", ["help "]],
    ["GET", ["GET_CITY ", "GET_POPULATION "]],
    ["get app", ["apple.jpg "]],
    ["get ap", ["apple.jpg ", "apricot.jpg "]],
    ["get a\\ ", ["a\\ b.txt "]],
    ['get "a ', ['"a b.txt" ']],
    ["get 'a ", ["'a b.txt' "]],
    ["get it", ["it\\'s "]],
    ["get su", ["sub/"]],
    ["get -- su", ["sub/"]],
    ["get --output=", []],
    ["get -- --o", ["--output=x "]],
    ["list sub/", ["sub/inner.txt "]],
    ['get "two w', ['"two words/']],
    ['get "two words/', ['"two words/x.txt" ']],
    ["stat --js", ["--json "]],
    ["get x --if-e", ["--if-exists "]],
    ["help sta", ["stat ", "status "]],
    ["get nothing", []],
    ["get bad", []],
    ["nonsense a", []],
    ["greet ", []],
  ] as const
) {
  Deno.test(`${JSON.stringify(line)} may become ${JSON.stringify(hits)}`, async () => {
    assertEquals(await hitsFor(line), hits);
  });
}

Deno.test("a name that looks like an option is offered only where it cannot be taken for one", async () => {
  for (const [line, isOffered] of [["get ", false], ["get x ", false], ["get -- ", true]] as const) {
    assertEquals((await hitsFor(line)).includes("--output=x "), isOffered, line);
  }
});

Deno.test("an empty line may become every command, and the server is not asked", async () => {
  asked.length = 0;
  const hits = await hitsFor("");
  for (const { name } of commands) assert(hits.includes(`${name} `), name);
  assertEquals(asked, []);
});
