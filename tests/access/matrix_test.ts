/** Every request with every right, inside and outside of a link's directory, with links that are good and not. */
import type { Client } from "../../client/mod.ts";
import type { ErrorName } from "../../protocol/errors.ts";
import { AppError } from "../../protocol/errors.ts";
import { SERVED_FORMATS } from "../../protocol/wire/detect.ts";
import { MESSAGES, type MessageType } from "../../protocol/wire/messages/mod.ts";
import { changeLinkFile, type LinkRecord } from "../../server/access/link_file.ts";
import { makeSecret } from "../../server/access/secret.ts";
import { type Right, RIGHTS, STRANGERS } from "../../server/policy.ts";
import { recordsFolder } from "../records/records_folder.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { SEED, withSeed } from "../support/random.ts";
import { type Channel, CHANNELS, type Linked, startLinked } from "./linked.ts";
import { FILES, isDone, isDoneWith, OLD_ROWS, RIGHT_COLUMNS, ROWS, STRANGER_COLUMNS } from "./matrix.ts";

const RECORDS = "Country,Capital,Population\nPeru,Lima,34\n";
/** The server itself allows everything: what is refused is refused by rights alone. */
const ALL = {
  allowOverwrite: true,
  allowRemove: true,
  limits: { quietMs: 20, codeGapMs: 1, cancelWaitMs: 20, secretWaitMaxMs: 1 },
};

interface StageOptions {
  readonly strangers: keyof typeof STRANGERS;
  readonly channel: Channel;
}

/** A server with the files of the matrix, and what of it can be put right again. */
function stage({ strangers = "none", channel = CHANNELS[0] }: Partial<StageOptions> = {}) {
  const records = recordsFolder(RECORDS);
  const linked = startLinked(
    FILES,
    {
      ...ALL,
      strangers,
      records: records.store(),
      formats: SERVED_FORMATS,
    },
    {},
    channel,
  );
  return {
    linked,
    /** Everything that a request could change. */
    state: (): Record<string, string> => ({ ...filesIn(linked.root), "the records": records.read() }),
    reset() {
      for (const { name } of [...Deno.readDirSync(linked.root)]) {
        Deno.removeSync(`${linked.root}/${name}`, { recursive: true });
      }
      for (const [name, content] of Object.entries(FILES)) {
        Deno.mkdirSync(`${linked.root}/${name.replace(/[^/]*$/, "")}`, { recursive: true });
        Deno.writeTextFileSync(`${linked.root}/${name}`, content);
      }
    },
    async [Symbol.asyncDispose]() {
      await linked[Symbol.asyncDispose]();
      records[Symbol.dispose]();
    },
  };
}

function filesIn(directory: string, prefix = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { name, isDirectory, isSymlink } of Deno.readDirSync(directory)) {
    const path = `${directory}/${name}`;
    if (isDirectory) Object.assign(found, { [`${prefix}${name}/`]: "" }, filesIn(path, `${prefix}${name}/`));
    else found[prefix + name] = isSymlink ? Deno.readLinkSync(path) : Deno.readTextFileSync(path);
  }
  return found;
}

/** Tries `run`, which must end with `expected`: "done", or the name of an error, and then nothing may have changed. */
async function expectOutcome(
  { state, reset }: ReturnType<typeof stage>,
  what: string,
  { expected, changes }: { expected: "done" | ErrorName; changes: boolean },
  run: () => Promise<unknown>,
): Promise<void> {
  const before = state();
  const outcome = await run().then(() => "done", (error) => {
    if (error instanceof AppError) return error.code;
    throw error;
  });
  assertEquals(outcome, expected, what);
  const after = state();
  const isSame = JSON.stringify(before) === JSON.stringify(after);
  assertEquals(isSame, expected !== "done" || !changes, `${what}: ${JSON.stringify(after)}`);
  if (!isSame) reset();
}

async function showing<T>(
  linked: Linked,
  secret: string | undefined,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  await using client = linked.client(secret);
  return await work(client);
}

Deno.test("the matrix has every request, every right and every format", () => {
  const requests = (Object.keys(MESSAGES) as MessageType[]).filter((type) => MESSAGES[type].role === "request");
  assertEquals(
    requests.filter((type) => !ROWS.some((row) => row.type === type)),
    [],
    "add a row to tests/access/matrix.ts",
  );
  assertEquals(Object.keys(RIGHTS).sort(), [...RIGHT_COLUMNS].sort());
  assertEquals(Object.keys(STRANGERS).sort(), [...STRANGER_COLUMNS].sort());
  const formats = SERVED_FORMATS.filter((format) => format !== "app" && !OLD_ROWS.some((row) => row.format === format));
  assertEquals(formats, []);
  for (const { cells, what } of ROWS) assertEquals(cells.trim().split(/\s+/).length, 8, what);
  for (const { cells, what } of OLD_ROWS) assertEquals(cells.trim().split(/\s+/).length, 4, what);
});

/** What comes of a request whose link allows it or not; a secret that the server does not believe is no link. */
function outcomeWith({ takesSecrets }: Channel, isAllowed: boolean): "done" | ErrorName {
  if (!takesSecrets) return "link_refused";
  return isAllowed ? "done" : "not_allowed";
}

for (const channel of CHANNELS) {
  for (const right of RIGHT_COLUMNS) {
    Deno.test(`a ${right} link allows what the table says, and nothing else (${channel.name})`, async () => {
      await using here = stage({ channel });
      const secret = await here.linked.link({ right });
      for (const row of ROWS) {
        const expected = outcomeWith(channel, isDoneWith(row, right));
        await expectOutcome(
          here,
          `${row.type} ${row.what}`,
          { expected, changes: row.changes },
          () => showing(here.linked, secret, (client) => row.run(client, "in")),
        );
      }
    });

    Deno.test(`a ${right} link for a directory allows nothing outside of it (${channel.name})`, async () => {
      await using here = stage({ channel });
      const secret = await here.linked.link({ right, path: "in" });
      for (const row of ROWS) {
        for (const directory of ["in", "out"]) {
          const isMeant = row.about === "nothing" || (row.about === "name" && directory === "in");
          const expected = outcomeWith(channel, isMeant && isDoneWith(row, right));
          await expectOutcome(
            here,
            `${row.type} ${row.what} ${directory}`,
            { expected, changes: row.changes },
            () => showing(here.linked, secret, (client) => row.run(client, directory)),
          );
        }
      }
    });

    Deno.test(`a ${right} link that is not good allows nothing (${channel.name})`, () =>
      withSeed(async (random) => {
        await using here = stage({ channel });
        const { linked } = here;
        const bad = {
          revoked: await made(linked, right, { revokedMs: 1 + Date.now() }),
          expired: await made(linked, right, { expiresMs: Date.now() - 1 }),
          "used up": await made(linked, right, { isOnce: true, usedMs: Date.now() }),
          "of another directory": await made(linked, right, { root: `${linked.root}2` }),
          "of another start": await made(linked, right, { start: { run: "another", port: 1 } }),
          forged: makeSecret(),
          "with a bit flipped": flipped(await linked.link({ right }), random.below(128)),
        };
        for (const [how, secret] of Object.entries(bad)) {
          const isKnown = channel.takesSecrets && how !== "forged" && how !== "with a bit flipped";
          for (const row of ROWS) {
            // Who has a link that was good once is told why it is not; and a heartbeat says nothing.
            const expected = row.type === "ping" && isKnown ? "done" : "link_refused";
            await expectOutcome(here, `${row.type} ${how} SEED=${SEED}`, { expected, changes: row.changes }, () =>
              showing(linked, secret, (client) =>
                row.run(client, "in")));
          }
        }
      }));
  }

  for (const strangers of STRANGER_COLUMNS) {
    Deno.test(`strangers with the rights "${strangers}" may do what the table says (${channel.name})`, async () => {
      await using here = stage({ strangers, channel });
      for (const row of ROWS) {
        const expected = isDone(row, STRANGER_COLUMNS, strangers) ? "done" : "link_needed";
        await expectOutcome(
          here,
          `${row.type} ${row.what}`,
          { expected, changes: row.changes },
          () => showing(here.linked, undefined, (client) => row.run(client, "in")),
        );
      }
    });
  }
}

for (const strangers of STRANGER_COLUMNS) {
  Deno.test(`old formats and words allow strangers with the rights "${strangers}" what the table says`, async () => {
    await using here = stage({ strangers, channel: CHANNELS.at(-1)! }); // they know no encryption
    for (const row of OLD_ROWS) {
      const before = here.state();
      const isAllowed = isDone(row, STRANGER_COLUMNS, strangers);
      assertEquals(await row.run(here.linked.served.port), isAllowed, `${row.format} ${row.what}`);
      const isSame = JSON.stringify(before) === JSON.stringify(here.state());
      assertEquals(isSame, !isAllowed || !row.changes, `${row.format} ${row.what}`);
      if (!isSame) here.reset();
    }
  });
}

Deno.test("names that only look as if they were inside are outside", async () => {
  await using here = stage();
  const secret = await here.linked.link({ right: "write", path: "in" });
  const names = [
    "inside.txt",
    "in/../inside.txt",
    "in/./../inside.txt",
    "./in/b.txt",
    "IN/b.txt",
    "/in/b.txt",
    "in//b.txt",
    "",
    "i",
  ];
  for (const name of names) {
    for (const type of ["get", "remove", "digest"] as const) {
      await showing(here.linked, secret, (client) =>
        client.attempt(async ({ session }) => {
          session.send({ type, name });
          const answer = await session.receive();
          assertEquals(answer.type, "error", `${type} ${name}`);
        }));
    }
  }
  assertEquals(here.state()["inside.txt"], FILES["inside.txt"]);
  await showing(here.linked, secret, (client) => client.stat("in/b.txt"));
});

Deno.test("a link for a file is for that file alone", async () => {
  await using here = stage();
  const secret = await here.linked.link({ path: "in/b.txt" });
  await showing(here.linked, secret, (client) => client.stat("in/b.txt"));
  for (const name of ["in", "in/b.txt2", "in/b", "in/sub/c.txt"]) {
    const stat = () => showing(here.linked, secret, (client) => client.stat(name));
    await expectOutcome(here, name, { expected: "not_allowed", changes: false }, stat);
  }
});

// What a name leads to is for the tree to say, which does not know yet that a link is for a part of it.
Deno.test("a symbolic link in a link's directory that leads elsewhere in the shared one does not help", async () => {
  await using here = stage();
  Deno.symlinkSync("../out", `${here.linked.root}/in/way`);
  Deno.symlinkSync("../out/b.txt", `${here.linked.root}/in/leaf.txt`);
  const secret = await here.linked.link({ right: "write", path: "in" });
  for (const name of ["in/way/b.txt", "in/leaf.txt"]) {
    for (const type of ["get", "digest", "stat"] as const) {
      await showing(here.linked, secret, (client) =>
        client.attempt(async ({ session }) => {
          session.send({ type, name });
          assertEquals((await session.receive()).type, "error", `${type} ${name}`);
        }));
    }
  }
  const put = ROWS.find(({ what }) => what === "a new name")!;
  const tried = () => showing(here.linked, secret, (client) => put.run(client, "in/way"));
  await expectOutcome(here, "put", { expected: "outside", changes: true }, tried);
});

Deno.test("a symbolic link that stays in a link's directory is followed", async () => {
  await using here = stage();
  Deno.symlinkSync("sub", `${here.linked.root}/in/way`);
  Deno.symlinkSync("b.txt", `${here.linked.root}/in/leaf.txt`);
  const secret = await here.linked.link({ right: "write", path: "in" });
  await showing(here.linked, secret, async (client) => {
    assertEquals((await client.stat("in/leaf.txt")).sizeBytes, "inside".length);
    assertEquals((await client.stat("in/way/c.txt")).sizeBytes, "deeper".length);
    await client.makeDirectory("in/way/new");
  });
  assert(Deno.statSync(`${here.linked.root}/in/sub/new`).isDirectory);
});

for (const right of ["drop", "write"] as const) {
  Deno.test(`a ${right} link for a directory that is not there yet makes it, and nothing beside it`, async () => {
    await using here = stage();
    const secret = await here.linked.link({ right, path: "new" });
    const put = ROWS.find(({ what }) => what === "a new name")!;
    await showing(here.linked, secret, (client) => put.run(client, "new"));
    assert(Deno.statSync(`${here.linked.root}/new`).isDirectory);
    const beside = () => showing(here.linked, secret, (client) => put.run(client, "new2"));
    await expectOutcome(here, "put", { expected: "not_allowed", changes: true }, beside);
  });
}

Deno.test("a link for a symbolic link is for what that leads to", async () => {
  await using here = stage();
  Deno.symlinkSync("in/sub", `${here.linked.root}/way`);
  const secret = await here.linked.link({ right: "read", path: "way" });
  await showing(here.linked, secret, async (client) => {
    assertEquals((await client.stat("way/c.txt")).sizeBytes, "deeper".length);
    assertEquals((await Array.fromAsync(client.list("way"))).flatMap(({ entries }) => entries).length, 1);
  });
});

/** A link of which the file says `more`. */
async function made(linked: Linked, right: Right, more: Partial<LinkRecord>): Promise<string> {
  const secret = await linked.link({ right });
  await changeLinkFile(linked.file, (file) => {
    const last = file.links.at(-1)!;
    assert(last.right === right);
    return { ...file, links: [...file.links.slice(0, -1), { ...last, ...more }] };
  });
  return secret;
}

function flipped(secret: string, bit: number): string {
  const bytes = Array.from(atob(secret.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
  bytes[bit >> 3]! ^= 1 << (bit & 7);
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
