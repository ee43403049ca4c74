/** Trees and what a server allows: quotas, strangers, and a stop after the first delivery; each with what still passes. */
import { Client, LocalTree, pullTree, pushTree } from "../../client/mod.ts";
import { assertEquals, assertRejectsCode } from "../support/assert.ts";
import { temporaryDirectory } from "../support/program.ts";
import { HarmfulProxy } from "../support/proxy.ts";
import { describeTree } from "../support/random_tree.ts";
import { soon, startServed } from "./served.ts";

/** A local directory with files of one letter each. */
function localFiles(names: readonly string[], content = "x") {
  const directory = temporaryDirectory();
  for (const name of names) {
    Deno.mkdirSync(`${directory.path}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
    Deno.writeTextFileSync(`${directory.path}/${name}`, content);
  }
  return { ...directory, tree: new LocalTree(directory.path), [Symbol.dispose]: directory[Symbol.dispose] };
}

for (
  const [what, limits, stored, code] of [
    ["bytes", { rootBytesMax: 25 }, 2, "quota"],
    ["files", { rootFilesMax: 2 }, 2, "too_many_files"],
  ] as const
) {
  Deno.test(`a push stores what fits into the ${what} that there may be, and names the rest`, async () => {
    await using served = startServed({}, { limits });
    using local = localFiles(["a", "b", "c"], "0123456789");
    await using client = served.client();
    await untilCounted(served);
    const failures: string[] = [];
    const onFailed = (name: string, error: { code: string }) => void failures.push(`${name}: ${error.code}`);
    const { files, failed } = await pushTree(client, local.tree, "", { onFailed, ifImpossible: "skip" });
    assertEquals([files, failed, failures], [stored, 1, [`c: ${code}`]]);
    assertEquals(Object.keys(describeTree(served.root)), ["a", "b"]);
  });
}

for (
  const [what, limits, code] of [
    ["bytes", { rootBytesMax: 35 }, "no_space"],
    ["names", { rootFilesMax: 3 }, "too_many_files"],
  ] as const
) {
  Deno.test(`a push for which there are not the ${what} does nothing; what is there already takes none`, async () => {
    await using served = startServed({}, { limits });
    using local = localFiles(["a", "b"], "0123456789");
    await using client = served.client();
    await untilCounted(served);
    await pushTree(client, local.tree, "");
    for (const name of ["c", "d"]) Deno.writeTextFileSync(`${local.path}/${name}`, "0123456789");
    await assertRejectsCode(() => pushTree(client, local.tree, ""), code);
    await assertRejectsCode(() => pushTree(client, local.tree, "", { isDryRun: true }), code);
    assertEquals(Object.keys(describeTree(served.root)), ["a", "b"]);
    Deno.removeSync(`${local.path}/d`);
    // All together is more than there is room for; what is not there yet is not.
    const planned: string[] = [];
    const onPlanned = (action: string, name: string) => planned.push(`${action} ${name}`);
    const { files, failed } = await pushTree(client, local.tree, "", { onPlanned });
    assertEquals([files, failed, planned], [1, 0, ["create c"]]);
  });
}

Deno.test("what a push removes and replaces makes room again", async () => {
  await using served = startServed({ old: "0123456789", a: "0123456789" }, {
    allowOverwrite: true,
    allowRemove: true,
    limits: { rootBytesMax: 45 },
  });
  using local = localFiles(["a", "b"], "01234567890");
  await using client = served.client();
  await untilCounted(served);
  const options = { ifDifferent: "replace", isExact: true, removeMax: 9 } as const;
  for (let round = 0; round < 3; round++) {
    assertEquals((await pushTree(client, local.tree, "", options)).failed, 0, `round ${round}`);
    for (const name of ["a", "b"]) Deno.utimeSync(`${local.path}/${name}`, round, round);
  }
  assertEquals(Object.keys(describeTree(served.root)), ["a", "b"]);
});

Deno.test("strangers of a public server may pull, and not push", async () => {
  await using served = startServed({ "d/a": "1" }, { strangers: "public" });
  using local = localFiles(["x"]);
  await using client = served.client();
  assertEquals((await pullTree(client, "d", local.tree)).files, 1);
  await assertRejectsCode(() => pushTree(client, local.tree, ""), "link_needed");
  const { failed, files } = await pushTree(client, local.tree, "", { ifImpossible: "skip" });
  assertEquals([files, failed], [0, 1 + 1]);
  assertEquals(Object.keys(describeTree(served.root)), ["d/", "d/a"]);
});

Deno.test("strangers without rights get nothing", async () => {
  await using served = startServed({ a: "1" }, { strangers: "none" });
  using local = localFiles(["x"]);
  await using client = served.client();
  await assertRejectsCode(() => pullTree(client, "", local.tree), "link_needed");
  await assertRejectsCode(() => pushTree(client, local.tree, ""), "link_needed");
  await client.ping();
});

Deno.test("a server that stops after the first delivery stops after a pull that got something", async () => {
  await using served = startServed({ "d/a": "1" }, { once: true });
  using local = localFiles([]);
  await using client = served.client();
  assertEquals((await pullTree(client, "d", local.tree)).files, 1);
  await soon(served.server.finished, "the end of the server");
});

Deno.test("a push over a connection that is lost goes on by itself, tells each file once, and counts all of them", async () => {
  await using served = startServed({});
  using local = localFiles(Array.from({ length: 400 }, (_, index) => `d/${index}`), "x".repeat(2_000));
  await using proxy = new HarmfulProxy(served.port, { direction: "to server", offset: 500_000, kind: "cut" });
  await using client = new Client({ host: "127.0.0.1", port: Number(proxy.port) }, { retryWaitMs: 0 });
  const told: string[] = [];
  let sizeBytes = 0;
  const { files, failed } = await pushTree(client, local.tree, "", {
    onPlanned: (action, name) => action === "create" && told.push(name),
    onProgress: (step) => sizeBytes = (step.isAgain ? 0 : sizeBytes) + (step.sizeBytes ?? 0),
  });
  assertEquals([files, failed, told.length, new Set(told).size, sizeBytes], [400, 0, 400, 400, 800_000]);
  assertEquals(proxy.connections, 2);
});

Deno.test("what a push moves takes as much room as before, and needs none", async () => {
  const limits = { rootBytesMax: 21, rootFilesMax: 4 };
  const options = { allowOverwrite: true, allowRemove: true, limits };
  await using served = startServed({ "d/a": "0123456789", "d/b": "9876543210" }, options);
  using local = localFiles([]);
  await using client = served.client();
  assertEquals(await untilCounted(served), { bytes: 20, files: 3 });
  await pullTree(client, "", local.tree, { isExact: true });
  for (const [from, to] of [["d", "e"], ["e", "d"]] as const) {
    Deno.renameSync(`${local.path}/${from}`, `${local.path}/${to}`);
    const { moved, failed } = await pushTree(client, local.tree, "", { isExact: true, removeMax: 0 });
    assertEquals([moved, failed], [2, 0]);
    assertEquals(await untilCounted(served), { bytes: 20, files: 3 });
  }
  assertEquals(Object.keys(describeTree(served.root)), ["d/", "d/a", "d/b"]);
});

Deno.test("what was moved before the connection was lost is told and counted once", async () => {
  const old = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`old/${index}`, `content of ${index}`]));
  await using served = startServed(old, { allowOverwrite: true, allowRemove: true });
  using local = localFiles([]);
  await using direct = served.client();
  await pullTree(direct, "", local.tree, { isExact: true });
  Deno.renameSync(`${local.path}/old`, `${local.path}/new`);
  Deno.writeFileSync(`${local.path}/new/large`, new Uint8Array(900_000).fill(1)); // comes behind the moves
  await using proxy = new HarmfulProxy(served.port, { direction: "to server", offset: 500_000, kind: "cut" });
  await using client = new Client({ host: "127.0.0.1", port: Number(proxy.port) }, { retryWaitMs: 0 });
  const told: string[] = [];
  const { moved, files, unchanged, removed, failed } = await pushTree(client, local.tree, "", {
    isExact: true,
    removeMax: 1,
    onPlanned: (action, name, _, from) => action === "move" && told.push(`${from} ${name}`),
  });
  assertEquals([moved, files, unchanged, removed, failed], [40, 1, 0, 1, 0]);
  assertEquals([told.length, new Set(told).size, proxy.connections], [40, 40, 2]);
  assertEquals(describeTree(served.root), describeTree(local.path));
});

/** Until then nothing is refused; what was counted. */
async function untilCounted(served: ReturnType<typeof startServed>): Promise<{ bytes: number; files: number }> {
  await using client = served.client();
  for (;;) {
    const { gauges } = await client.status();
    const used = (gauge: string) => gauges.find(({ name }) => name === gauge)?.used;
    const [bytes, files] = [used("root_bytes"), used("root_files")];
    if (bytes !== undefined && files !== undefined) return { bytes, files };
  }
}

Deno.test("a dry run is logged as one, and delivers nothing to a server that is to stop after the first delivery", async () => {
  await using served = startServed({ "a.txt": "content" }, { once: true });
  using local = localFiles(["b"]);
  await using client = served.client();
  for (const isDryRun of [true, false]) {
    await pushTree(client, local.tree, "", { isDryRun });
    await pullTree(client, "", local.tree, { isDryRun });
  }
  await soon(served.server.finished, "the end after the first delivery");
  const details = served.records.filter(({ request }) => request === "push" || request === "pull")
    .map(({ request, detail }) => `${request}: ${detail}`);
  assertEquals(details, [
    "push: dry run: 1 stored, 0 unchanged, 0 moved, 0 removed, 0 failed",
    "pull: dry run: 1 stored, 0 unchanged, 0 moved, 0 removed, 0 failed",
    "push: 1 stored, 0 unchanged, 0 moved, 0 removed, 0 failed",
    "pull: 1 stored, 1 unchanged, 0 moved, 0 removed, 0 failed",
  ]);
});
