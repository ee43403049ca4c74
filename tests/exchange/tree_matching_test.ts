/** Which new files are files that go: by content alone, each read at most once, and in no more time where all are alike. */
import { type MatchingOptions, matchMoves, type Move } from "../../protocol/exchange/tree_matching.ts";
import type { Extra } from "../../protocol/exchange/tree_removal.ts";
import type { Place } from "../../protocol/exchange/tree_told.ts";
import { AppError } from "../../protocol/errors.ts";
import { assertEquals, assertRejectsCode } from "../support/assert.ts";

/** Content is a word; its size is the length, its time the number behind "@". */
interface Scene {
  readonly places: readonly Place[];
  readonly extras: readonly Extra[];
  readonly contents: ReadonlyMap<string, string>;
  /** What was read here, and what was asked for. */
  readonly read: string[];
  readonly asked: string[];
}

function scene(news: Readonly<Record<string, string>>, olds: Readonly<Record<string, string>>): Scene {
  const factsOf = (name: string, text: string) => {
    const [content, time = "0"] = text.split("@");
    const base = name.slice(name.lastIndexOf("/") + 1);
    return { name: base, kind: "file" as const, sizeBytes: content!.length, mtimeMs: Number(time), mode: 0o644 };
  };
  const places = Object.entries(news).map(([name, text], number) => (
    { number, name, told: factsOf(name, text), directory: undefined as never }
  ));
  const extras = Object.entries(olds).map(([name, text]) => ({ name, entry: factsOf(name, text) }));
  const contents = new Map([...Object.entries(news), ...Object.entries(olds)].map((
    [name, text],
  ) => [name, text.split("@")[0]!]));
  return { places, extras, contents, read: [], asked: [] };
}

/** Equal for equal content; `undefined` for what begins with a "!". */
function digest(content: string): Uint8Array | undefined {
  if (content.startsWith("!")) return undefined;
  const bytes = new Uint8Array(16).fill(1);
  for (const [at, char] of [...content].entries()) bytes[at % 16] = bytes[at % 16]! * 31 + char.charCodeAt(0);
  return bytes;
}

async function match({ places, extras, contents, read, asked }: Scene, more: Partial<MatchingOptions> = {}) {
  const moves = await matchMoves(places, extras, {
    askFor(some) {
      asked.push(...some.map(({ name }) => name));
      return Promise.resolve(some.map(({ name }) => digest(contents.get(name)!)));
    },
    async digestsOf(some, verifyAlive = () => {}) {
      const digests = [];
      for (const { name } of some) {
        await Promise.resolve();
        verifyAlive();
        read.push(name);
        digests.push(digest(contents.get(name)!));
      }
      return digests;
    },
    ...more,
  });
  return moves.map(({ place, from }: Move) => `${from.name} -> ${place.name}`);
}

Deno.test("a file is recognised by its content under any name, in any directory, at any time", async () => {
  const { places, extras, contents, read, asked } = scene(
    { "a": "alpha@1", "b/c": "beta@2", "d": "delta@9" },
    { "x": "gamma@1", "y/c": "beta@2", "z": "alpha@5", "w": "delta@9" },
  );
  const moves = await match({ places, extras, contents, read, asked });
  assertEquals(moves, ["z -> a", "y/c -> b/c", "w -> d"]);
  assertEquals(asked, ["a", "b/c", "d"]);
});

Deno.test("the same size, name and time prove nothing", async () => {
  assertEquals(await match(scene({ "d/a": "one@7" }, { "e/a": "two@7" })), []);
});

Deno.test("what has a size of its own is neither read nor asked for", async () => {
  const it = scene({ a: "12", b: "123" }, { x: "1234", y: "123" });
  assertEquals(await match(it), ["y -> b"]);
  assertEquals([it.read, it.asked], [["y"], ["b"]]);
});

Deno.test("a likely candidate that is it leaves the others unread", async () => {
  const olds = Object.fromEntries(
    Array.from({ length: 50 }, (_, index) => [`old/${index}`, `text ${index + 10}@${index}`]),
  );
  const byName = scene({ "new/33": "text 43@999" }, olds);
  assertEquals(await match(byName), ["old/33 -> new/33"]);
  assertEquals(byName.read, ["old/33"]);
  const byTime = scene({ "other": "text 43@33" }, olds);
  assertEquals(await match(byTime), ["old/33 -> other"]);
  assertEquals(byTime.read, ["old/33"]);
});

Deno.test("two new files with the content of one: the first one is it; two that go and one new: one of them is it", async () => {
  assertEquals(await match(scene({ a: "same", b: "same" }, { x: "same" })), ["x -> a"]);
  assertEquals(await match(scene({ a: "same" }, { x: "same", y: "same" })), ["x -> a"]);
  assertEquals(await match(scene({ a: "same", b: "same", c: "same" }, { x: "same", y: "same" })), ["x -> a", "y -> b"]);
});

Deno.test("of files that are alike, each goes where one of its name is", async () => {
  const moves = await match(scene({ "n/a": "same@1", "n/b": "same@1" }, { "o/b": "same@1", "o/a": "same@1" }));
  assertEquals(moves, ["o/a -> n/a", "o/b -> n/b"]);
});

Deno.test("one that was read in vain for another one is found without being read again", async () => {
  const it = scene({ "n/a": "beta", "n/b": "alfa" }, { "o/a": "alfa", "o/b": "zeta", "o/z": "beta" });
  assertEquals(await match(it), ["o/z -> n/a", "o/a -> n/b"]);
  assertEquals(it.read, ["o/a", "o/b", "o/z"]);
});

Deno.test("what cannot be read is no match, on either side, and not one of the others", async () => {
  assertEquals(await match(scene({ a: "!no", b: "yes" }, { x: "!no", y: "yes" })), ["y -> b"]);
});

Deno.test("directories and links are no candidates", async () => {
  const { extras, ...rest } = scene({ a: "12" }, { x: "12" });
  for (const kind of ["directory", "link", "other"] as const) {
    assertEquals(
      await match({ ...rest, extras: extras.map((one) => ({ ...one, entry: { ...one.entry, kind } })) }),
      [],
    );
  }
});

Deno.test("nobody goes on reading for who has gone", async () => {
  const gone = new AppError("lost", "gone");
  const asking = scene({ a: "abc", b: "xyz", c: "uvw" }, { x: "def", y: "ghi", z: "jkl" });
  await assertRejectsCode(() => match(asking, { askFor: () => Promise.reject(gone) }), "lost");
  assertEquals(asking.read, []);
});

const CONTENTS: Readonly<Record<string, (index: number) => string>> = {
  "all alike": () => "same",
  "all different": (index) => `${100_000 + index}`,
};

for (const [what, contentOf] of Object.entries(CONTENTS)) {
  Deno.test(`100,000 files of one size, ${what}: each is looked at once`, async () => {
    const count = 100_000;
    const files = (name: string, time: number) =>
      Object.fromEntries(
        Array.from({ length: count }, (_, index) => [`${name}${index}`, `${contentOf(index)}@${time}`]),
      );
    const it = scene(files("n", 1), files("o", 2));
    // What took the square of that would not end within hours.
    assertEquals((await match(it)).length, count);
    assertEquals([it.read.length, it.asked.length], [count, count]);
  });
}
