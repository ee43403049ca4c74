/** Which digests blocks are compared by: SHA-256 where both sides are fast at it, else BLAKE2b; the outcome is the same. */
import { AppError } from "../../protocol/errors.ts";
import { equalBytes } from "../../protocol/exchange/proof.ts";
import { sendFile } from "../../protocol/exchange/sender.ts";
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import { hasSha256Instructions, tellsOfSha256 } from "../../protocol/processor.ts";
import { assert, assertEquals, assertRejectsCode } from "../support/assert.ts";
import { Random } from "../support/random.ts";
import { DIRECTIONS, openWire, outgoing, transfer } from "./engines.ts";
import { MemoryDraft, MemorySource } from "./memory_files.ts";
import { openRaw } from "./raw_peer.ts";

const CONTENT = new Random(5).bytes(6 * BLOCK_BYTES + 10);

for (const direction of DIRECTIONS) {
  for (const [isSenderFast, isReceiverFast] of [[true, true], [true, false], [false, true], [false, false]] as const) {
    const who = `the sender ${isSenderFast ? "is" : "is not"} fast at SHA-256, the receiver ${
      isReceiverFast ? "is" : "is not"
    }`;
    Deno.test(`${direction} resumes and leaves out what did not change: ${who}`, async () => {
      const held = CONTENT.slice(0, BLOCK_BYTES);
      const old = CONTENT.slice();
      old[4 * BLOCK_BYTES]! ^= 1;
      const draft = new MemoryDraft({ held, old });
      const { sent, received } = await transfer(openWire(), direction, {
        source: new MemorySource(CONTENT),
        draft,
        offer: { compares: true },
        sending: { isFastAtSha256: isSenderFast },
        receiving: { isFastAtSha256: isReceiverFast },
      });
      assert(!(sent instanceof AppError) && !(received instanceof AppError), `${sent} ${received}`);
      assert(equalBytes(draft.content, CONTENT), "what is published is not the source");
      assertEquals([sent.resumedBytes, sent.reusedBytes], [BLOCK_BYTES, 4 * BLOCK_BYTES]);
    });
  }
}

Deno.test("digests are SHA-256 only if the sender offered that and the receiver takes it", async () => {
  const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", CONTENT.slice(0, BLOCK_BYTES))).subarray(0, 16);
  for (const isFastAtSha256 of [true, false]) {
    const { session, peer } = openRaw();
    const job = { source: new MemorySource(CONTENT), draft: new MemoryDraft() };
    const sending = sendFile(session, () => outgoing(job), { isFastAtSha256 });
    assertEquals((await peer.expect("offer")).sha256, isFastAtSha256 || undefined);
    await peer.send({ type: "accept", blocks: 1, sha256: true }, { type: "digests", digests: sha256 });
    if (!isFastAtSha256) await assertRejectsCode(() => sending, "order");
    else {
      assertEquals((await peer.expect("from")).offset, BLOCK_BYTES);
      sending.catch(() => {});
      peer.stream.close();
      await sending.catch(() => {});
    }
  }
});

Deno.test("an eager offer, which nothing is compared for, says nothing of digests", async () => {
  const { session, peer } = openRaw();
  const job = { source: new MemorySource(CONTENT.subarray(0, 9)), draft: new MemoryDraft(), isEager: true };
  const sending = sendFile(session, () => outgoing(job), { isFastAtSha256: true });
  sending.catch(() => {});
  assertEquals((await peer.expect("offer")).sha256, undefined);
  peer.stream.close();
  await sending.catch(() => {});
});

Deno.test("a processor is asked by its flags, and by nothing that only looks like them", () => {
  assert(tellsOfSha256("processor\t: 0\nflags\t\t: fpu aes sha_ni avx2\n"));
  assert(tellsOfSha256("processor\t: 0\nFeatures\t: fp asimd sha1 sha2 crc32\n"));
  assert(!tellsOfSha256("processor\t: 0\nflags\t\t: fpu aes avx2\nmodel name\t: sha_ni 9000\n"));
  assert(!tellsOfSha256("flags\t\t: fpu sha_nicht sha512\n"));
  assert(!tellsOfSha256(""));
  assertEquals(hasSha256Instructions(), hasSha256Instructions());
});
