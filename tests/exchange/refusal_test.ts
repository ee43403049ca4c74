/** Transfers that one side says no to, at once or in the middle: nothing is published, and the session goes on. */
import { AppError, type ErrorName } from "../../protocol/errors.ts";
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import { assert, assertEquals, assertStringIncludes } from "../support/assert.ts";
import { Random } from "../support/random.ts";
import { assertEnds, assertUsable, DIRECTIONS, type Job, openWire, transfer } from "./engines.ts";
import { MemoryDraft, MemorySource } from "./memory_files.ts";

const CONTENT = new Random(2).bytes(2 * BLOCK_BYTES + 5);

function refuse(code: ErrorName): never {
  throw new AppError(code, `Refused for ${code}`);
}

interface Refusal {
  readonly name: string;
  readonly job: () => Job;
  /** What both sides end with. */
  readonly code: string;
  /** What becomes of the draft; "open" when it was never taken. */
  readonly state: MemoryDraft["state"];
}

const plain = () => ({ source: new MemorySource(CONTENT), draft: new MemoryDraft() });

const REFUSALS: readonly Refusal[] = [
  {
    name: "the receiver refuses at once",
    job: () => ({ ...plain(), create: () => refuse("exists") }),
    code: "exists",
    state: "open",
  },
  {
    name: "the receiver refuses after a while",
    job: () => ({ ...plain(), create: () => Promise.reject(new AppError("busy", "Busy")) }),
    code: "busy",
    state: "open",
  },
  {
    name: "the receiver has no space at the first write",
    job: () => ({ ...plain(), draft: new MemoryDraft({ onWrite: () => refuse("no_space") }) }),
    code: "no_space",
    state: "suspended",
  },
  {
    name: "the receiver has no space in the middle",
    job: () => ({
      ...plain(),
      draft: new MemoryDraft({ onWrite: (offset) => offset > BLOCK_BYTES && refuse("no_space") }),
    }),
    code: "no_space",
    state: "suspended",
  },
  {
    name: "the name is taken when the file is published",
    job: () => ({ ...plain(), draft: new MemoryDraft({ onPublish: () => refuse("exists") }) }),
    code: "exists",
    state: "suspended",
  },
  {
    name: "the file is larger than the receiver takes",
    job: () => ({ ...plain(), receiving: { sizeBytesMax: CONTENT.length - 1 } }),
    code: "too_large",
    state: "suspended",
  },
  {
    name: "a stream grows larger than the receiver takes",
    job: () => ({ ...plain(), offer: { sizeBytes: undefined }, receiving: { sizeBytesMax: BLOCK_BYTES } }),
    code: "too_large",
    state: "suspended",
  },
  {
    name: "the source has changed when it was read",
    job: () => ({ ...plain(), source: new MemorySource(CONTENT, { isChanged: true }) }),
    code: "source_changed",
    state: "discarded",
  },
  {
    name: "the source has become shorter",
    job: () => ({ ...plain(), offer: { sizeBytes: CONTENT.length + 1 } }),
    code: "source_changed",
    state: "discarded",
  },
  {
    name: "the source cannot be read in the middle",
    job: () => ({
      ...plain(),
      source: new MemorySource(CONTENT, { onRead: (offset) => offset > BLOCK_BYTES && refuse("denied") }),
    }),
    code: "denied",
    state: "suspended",
  },
];

for (const { name, job: make, code, state } of REFUSALS) {
  for (const direction of DIRECTIONS) {
    for (const isEager of [false, true]) {
      Deno.test(`${direction}${isEager ? ", eager" : ""}: when ${name}, both sides end with "${code}" and the session goes on`, async () => {
        const wire = openWire();
        const job = { ...make(), isEager };
        const ends = await transfer(wire, direction, job);
        assertEnds(ends, code);
        const { by: sentBy } = ends.sent as AppError;
        const { by: receivedBy } = ends.received as AppError;
        assertEquals([sentBy, receivedBy].sort(), ["peer", "us"], "one of them found it, the other was told");
        assertEquals(job.draft.state, state);
        assertEquals(job.source.disposals, 1);
        await assertUsable(wire, direction);
      });
    }
  }
}

for (const direction of DIRECTIONS) {
  Deno.test(`${direction}: the file of exactly the size that the receiver takes is stored`, async () => {
    const job = { ...plain(), receiving: { sizeBytesMax: CONTENT.length } };
    assertEnds(await transfer(openWire(), direction, job), "done");
    assertEquals(job.draft.state, "published");
  });

  Deno.test(`${direction}: a source that cannot be read is told to the receiver without its details`, async () => {
    const source = new MemorySource(CONTENT, {
      onRead() {
        throw new TypeError("secret /path");
      },
    });
    const wire = openWire();
    const ends = await transfer(wire, direction, { source, draft: new MemoryDraft() });
    assertEnds(ends, "internal");
    assertStringIncludes((ends.sent as AppError).message, "secret");
    assertEquals((ends.received as AppError).message.includes("secret"), false);
    await assertUsable(wire, direction);
  });

  Deno.test(`${direction}: a source that fails while blocks are proven leaves the session usable`, async () => {
    const held = new Uint8Array(34 * BLOCK_BYTES);
    const source = new MemorySource(held, { onRead: (offset) => offset >= BLOCK_BYTES && refuse("denied") });
    const draft = new MemoryDraft({ held });
    const wire = openWire();
    assertEnds(await transfer(wire, direction, { source, draft }), "denied");
    assertEquals(draft.state, "suspended");
    await assertUsable(wire, direction);
  });

  Deno.test(`${direction}: a draft that cannot be kept does not keep the sender from hearing why`, async () => {
    const draft = new MemoryDraft({ onWrite: () => refuse("no_space"), onSuspend: () => refuse("failed") });
    const wire = openWire();
    const ends = await transfer(wire, direction, { source: new MemorySource(CONTENT), draft });
    assertEnds(ends, "no_space");
    await assertUsable(wire, direction);
  });
}

Deno.test("get: a file that is not there is answered without an offer, and the session goes on", async () => {
  const wire = openWire();
  const job = { ...plain(), begin: () => refuse("not_found") };
  assertEnds(await transfer(wire, "get", job), "not_found");
  assertEquals([job.draft.state, job.draft.calls], ["open", []]);
  await assertUsable(wire, "get");
});

for (const direction of DIRECTIONS) {
  Deno.test(`${direction}: the sender stops soon after the receiver said no, instead of sending all`, async () => {
    const source = new MemorySource(new Uint8Array(8 * BLOCK_BYTES));
    const draft = new MemoryDraft({ onWrite: () => refuse("no_space") });
    assertEnds(await transfer(openWire(), direction, { source, draft, isEager: true }), "no_space");
    assert(source.bytesRead <= BLOCK_BYTES, `${source.bytesRead} bytes were read`);
  });
}

for (const direction of DIRECTIONS) {
  Deno.test(`${direction}: a sender that fails behind its end leaves the session usable`, async () => {
    const wire = openWire();
    const onSent = () => {
      throw new TypeError("A fault of the caller");
    };
    assertEnds(await transfer(wire, direction, { ...plain(), sending: { onSent } }), "internal", "done");
    await assertUsable(wire, direction);
  });
}
