/** The source changes while it is read, or between two attempts: what arrives is one version of it, whole, or nothing. */
import type { ErrorName } from "../../client/mod.ts";
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import { assertEquals, assertRejectsCode, assertStringIncludes } from "../support/assert.ts";
import { fingerprint } from "../files/temporary_tree.ts";
import { names, visible } from "../support/names_in.ts";
import { startApp } from "../support/program.ts";
import { Random } from "../support/random.ts";
import { type Direction, HeldTransfer, LARGE_BYTES } from "./held.ts";

const OLD = new Random(41).bytes(LARGE_BYTES);
const OTHER = new Random(42).bytes(3_000_000);
const SAME_SIZE = new Random(43).bytes(LARGE_BYTES);
const OLD_TIME = new Date(1_600_000_000_000);

interface Change {
  readonly name: string;
  apply(path: string): void;
  /** What is there afterwards: content, or why there is none. */
  readonly after: Uint8Array | ErrorName;
}

/** The same file has other content or another time. */
const IN_PLACE: readonly Change[] = [
  {
    name: "grows",
    apply: (path) => Deno.writeFileSync(path, OTHER, { append: true }),
    after: concat(OLD, OTHER),
  },
  {
    name: "shrinks",
    apply: (path) => Deno.truncateSync(path, LARGE_BYTES - 5_000_000),
    after: OLD.subarray(0, LARGE_BYTES - 5_000_000),
  },
  { name: "is emptied", apply: (path) => Deno.truncateSync(path, 0), after: new Uint8Array() },
  { name: "is written over with as much", apply: (path) => Deno.writeFileSync(path, SAME_SIZE), after: SAME_SIZE },
  { name: "gets another time", apply: (path) => Deno.utimeSync(path, 1_000_000, 1_000_000), after: OLD },
];

/** The name stands for something else; the file that was opened stays as it was. */
const REPLACED: readonly Change[] = [
  {
    name: "is replaced by another file",
    apply(path) {
      Deno.writeFileSync(`${path}.new`, OTHER);
      Deno.renameSync(`${path}.new`, path);
    },
    after: OTHER,
  },
  { name: "vanishes", apply: (path) => Deno.removeSync(path), after: "not_found" },
  {
    name: "becomes a directory",
    apply(path) {
      Deno.removeSync(path);
      Deno.mkdirSync(path);
    },
    after: "is_directory",
  },
  {
    name: "becomes a link to another file",
    apply(path) {
      Deno.writeFileSync(`${path}.other`, OTHER);
      Deno.removeSync(path);
      Deno.symlinkSync(`${path}.other`, path);
    },
    after: OTHER,
  },
];

/** So late that whole blocks have arrived. */
const LATE_CUT = { kind: "cut", offset: 15 * BLOCK_BYTES } as const;

const DIRECTIONS: readonly Direction[] = ["get", "put"];

function concat(...pieces: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  pieces.reduce((at, piece) => (all.set(piece, at), at + piece.length), 0);
  return all;
}

function begin(direction: Direction, harm: ConstructorParameters<typeof HeldTransfer>[1] = {}): HeldTransfer {
  const transfer = new HeldTransfer(direction, harm);
  Deno.writeFileSync(`${transfer.from}/file`, OLD);
  Deno.utimeSync(`${transfer.from}/file`, OLD_TIME, OLD_TIME);
  return transfer;
}

/** Exactly that arrived, and nothing else that anybody sees. */
function assertArrived({ to }: HeldTransfer, content: Uint8Array): void {
  assertEquals(visible(to), ["file"]);
  assertEquals(fingerprint(Deno.readFileSync(`${to}/file`)), fingerprint(content));
}

/** The name leads to what `change` left there. */
async function assertNext(transfer: HeldTransfer, { after }: Change): Promise<void> {
  if (typeof after === "string") {
    await assertRejectsCode(() => transfer.run(transfer.client("server")), after);
  } else {
    await transfer.run(transfer.client("server"));
    assertArrived(transfer, after);
  }
}

for (const direction of DIRECTIONS) {
  for (const change of IN_PLACE) {
    Deno.test(`a ${direction} of a file that ${change.name} meanwhile is called off, leaves nothing, and can be run again`, async () => {
      await using transfer = begin(direction);
      const running = assertRejectsCode(() => transfer.run(transfer.client("proxy")), "source_changed");
      await transfer.proxy.harmed;
      change.apply(`${transfer.from}/file`);
      transfer.proxy.release();
      const error = await running;
      assertEquals(error.advice, "Run the same command again: it sends the new content");
      assertEquals(names(transfer.to), []);
      await assertNext(transfer, change);
    });

    Deno.test(`a ${direction} with retries of a file that ${change.name} meanwhile brings the new content`, async () => {
      await using transfer = begin(direction);
      const retried: ErrorName[] = [];
      const client = transfer.client("proxy", { retries: 1, onRetry: ({ code }) => retried.push(code) });
      const running = transfer.run(client);
      await transfer.proxy.harmed;
      change.apply(`${transfer.from}/file`);
      transfer.proxy.release();
      await running;
      assertEquals(retried, ["source_changed"]);
      assertArrived(transfer, change.after as Uint8Array);
    });
  }

  for (const change of REPLACED) {
    Deno.test(`a ${direction} of a file that ${change.name} meanwhile brings it whole as it was`, async () => {
      await using transfer = begin(direction);
      const running = transfer.run(transfer.client("proxy"));
      await transfer.proxy.harmed;
      change.apply(`${transfer.from}/file`);
      transfer.proxy.release();
      await running;
      assertArrived(transfer, OLD);
      Deno.removeSync(`${transfer.to}/file`);
      await assertNext(transfer, change);
    });
  }

  for (const change of [...IN_PLACE, ...REPLACED]) {
    Deno.test(`a ${direction} of a file that ${change.name} between two attempts brings what is there then, or says that it cannot`, async () => {
      await using transfer = begin(direction, LATE_CUT);
      let restarts = 0;
      const client = transfer.client("proxy", {
        retries: 1,
        onRetry: () => change.apply(`${transfer.from}/file`),
      });
      const run = () => transfer.run(client, { onRestart: () => restarts++ });
      if (typeof change.after === "string") {
        await assertRejectsCode(run, change.after);
        assertEquals(visible(transfer.to), []);
      } else {
        const { resumedBytes } = await run();
        assertEquals(resumedBytes, 0);
        assertArrived(transfer, change.after);
        // What is smaller than a block does not ask for the partial.
        const asksForPartial = change.after.length >= BLOCK_BYTES;
        assertEquals(restarts, asksForPartial ? 1 : 0);
        if (asksForPartial) assertEquals(names(transfer.to), ["file"]);
      }
      assertEquals(transfer.proxy.connections, 2);
    });
  }

  Deno.test(`a ${direction} of a file whose middle changes between two attempts, its time put back, keeps what is the same`, async () => {
    await using transfer = begin(direction, LATE_CUT);
    const changed = OLD.slice();
    changed[BLOCK_BYTES + 7]! ^= 1;
    const onRetry = () => {
      Deno.writeFileSync(`${transfer.from}/file`, changed);
      Deno.utimeSync(`${transfer.from}/file`, OLD_TIME, OLD_TIME);
    };
    const { resumedBytes } = await transfer.run(transfer.client("proxy", { retries: 1, onRetry }));
    assertEquals(resumedBytes, BLOCK_BYTES);
    assertArrived(transfer, changed);
  });

  Deno.test(`app ${direction} says that the file changed meanwhile, and what to do`, async () => {
    for (const retries of ["0", "1"]) {
      await using transfer = begin(direction);
      const path = direction === "get" ? "file" : `${transfer.from}/file`;
      const child = startApp([direction, "127.0.0.1", transfer.proxy.port, path, "--retries", retries], {
        cwd: direction === "get" ? transfer.to : transfer.from,
      });
      await Promise.all([transfer.proxy.harmed, child.stdin.close()]);
      Deno.writeFileSync(`${transfer.from}/file`, OTHER, { append: true });
      transfer.proxy.release();
      const { code, stderr } = await child.output();
      const said = new TextDecoder().decode(stderr);
      assertEquals(code, retries === "0" ? 1 : 0, said);
      if (retries === "1") assertArrived(transfer, concat(OLD, OTHER));
      else assertStringIncludes(said, "\nRun the same command again: it sends the new content\n");
      if (retries === "0") assertEquals(names(transfer.to), []);
    }
  });
}
