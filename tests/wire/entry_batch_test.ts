/** The columns of entries, and lists of numbers: there and back, and what is refused. */
import { packedBytes, packEntries, type ToldEntry, unpackEntries } from "../../protocol/wire/entry_batch.ts";
import { ACTIONS, packActions, packIndices, unpackActions, unpackIndices } from "../../protocol/wire/plan_actions.ts";
import { assert, assertEquals, assertThrowsCode } from "../support/assert.ts";

const plain = { kind: "file", sizeBytes: 0, mtimeMs: 0, mode: 0 } as const;

const BATCHES: Readonly<Record<string, readonly ToldEntry[]>> = {
  "none": [],
  "one without anything": [{ ...plain, name: "a" }],
  "the largest numbers": [
    { ...plain, name: "a", sizeBytes: Number.MAX_SAFE_INTEGER, mtimeMs: 2 ** 48 + 1, mode: 0o777 },
    { ...plain, name: "b", sizeBytes: 2 ** 32, mtimeMs: 2 ** 32 - 1, mode: 0o421 },
  ],
  "links between others": [
    { ...plain, name: "1", kind: "link", target: "ä/🙂" },
    { ...plain, name: "2", kind: "directory" },
    { ...plain, name: "3", kind: "link", target: ".." },
    { ...plain, name: "4", kind: "other" },
  ],
  "files with digests": [
    { ...plain, name: "x", digest: new Uint8Array(16).fill(1) },
    { ...plain, name: "y", kind: "directory" },
    { ...plain, name: "z", digest: new Uint8Array(16).fill(2) },
  ],
};

for (const [name, entries] of Object.entries(BATCHES)) {
  Deno.test(`entries come back as they were packed: ${name}`, () => {
    const columns = packEntries(entries);
    assertEquals(unpackEntries(columns), [...entries]);
    const bytes = columns.facts.length + new TextEncoder().encode(columns.names + (columns.targets ?? "")).length +
      (columns.digests?.length ?? 0);
    assert(bytes <= entries.reduce((sum, entry) => sum + packedBytes(entry), 0));
  });
}

Deno.test("columns that do not fit each other are malformed", () => {
  const one = packEntries([{ ...plain, name: "a" }]);
  const link = packEntries([{ ...plain, name: "a", kind: "link", target: "b" }]);
  assertEquals(unpackEntries(one).length, 1);
  assertThrowsCode(() => unpackEntries({ ...one, names: "a/b" }), "malformed");
  assertThrowsCode(() => unpackEntries({ ...one, facts: one.facts.subarray(1) }), "malformed");
  assertThrowsCode(() => unpackEntries({ ...one, targets: "b" }), "malformed");
  assertThrowsCode(() => unpackEntries({ ...link, targets: "b\0c" }), "malformed");
  assertThrowsCode(() => unpackEntries({ ...link, targets: undefined }), "malformed");
  assertThrowsCode(() => unpackEntries({ ...one, digests: new Uint8Array(15) }), "malformed");
  assertThrowsCode(() => unpackEntries({ names: "a", facts: new Uint8Array(16).fill(255) }), "malformed");
});

Deno.test("actions and indices come back as they were packed", () => {
  const planned = ACTIONS.map((action, index) => ({ number: index ** 12, action }));
  assertEquals(unpackActions(packActions(planned)), planned);
  assertEquals(unpackActions(new Uint8Array()), []);
  const indices = [0, 1, 127, 128, 16_511, 2 ** 40];
  assertEquals(unpackIndices(packIndices(indices)), indices);
  const many = Array.from({ length: 2_000 }, (_, index) => 3 * index);
  assertEquals(unpackIndices(packIndices(many)), many);
});

Deno.test("actions that are cut off are malformed, and unknown ones unsupported", () => {
  assertThrowsCode(() => unpackActions(Uint8Array.of(5)), "malformed");
  assertThrowsCode(() => unpackActions(Uint8Array.of(0x80, 0x80)), "malformed");
  assertThrowsCode(() => unpackIndices(new Uint8Array(9).fill(0x80)), "malformed");
  assertThrowsCode(() => unpackActions(Uint8Array.of(0, ACTIONS.length)), "unsupported");
});
