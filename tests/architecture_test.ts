/**
 * The rules of the architecture, checked on the module graph and on the text of the sources.
 *
 * `protocol/` has leaves (see `leaves`) that anybody may import; `wire/` is
 * pure and imports leaves only; `files/` imports leaves only; `exchange/` imports `wire/` and, of `files/`, only its interface; `cli/` imports
 * leaves only. `server/` and `client/` import `protocol/` and never each other. Nothing imports tests or fixtures.
 */
import { assert, assertEquals } from "./support/assert.ts";

const ROOT = new URL("../", import.meta.url);
const SOURCE_FOLDERS = ["protocol/", "server/", "client/"];

/** Who may import what of ours, by the beginning of the path; the first rule that fits counts. */
const ALLOWED: readonly (readonly [from: string, to: readonly string[]])[] = [
  ["protocol/errors.ts", []],
  ["protocol/limits.ts", []],
  ["protocol/breathe.ts", ["protocol/self_pipe.ts"]],
  ["protocol/self_pipe.ts", []],
  ["protocol/escape.ts", []],
  ["protocol/compressions.ts", []],
  ["protocol/awaitable.ts", []],
  ["protocol/processor.ts", []],
  ["protocol/timers.ts", []],
  ["protocol/names.ts", ["protocol/errors.ts", "protocol/limits.ts", "protocol/escape.ts"]],
  ["protocol/name_rules.ts", ["protocol/limits.ts"]],
  ["protocol/wire/", ["protocol/wire/", "protocol/tls/key.ts", "protocol/errors.ts", "protocol/limits.ts"]],
  ["protocol/tls/", ["protocol/tls/", "protocol/errors.ts", "protocol/limits.ts"]],
  ["protocol/files/", ["protocol/files/", ...leaves()]],
  ["protocol/exchange/", ["protocol/exchange/", "protocol/wire/", "protocol/files/tree.ts", ...leaves()]],
  ["protocol/cli/", ["protocol/cli/", ...leaves()]],
  ["server/", ["server/", "protocol/"]],
  ["client/", ["client/", "protocol/"]],
  ["main.ts", ["deno.json", "server/", "client/", "protocol/"]],
];

function leaves(): string[] {
  const names = [
    "errors",
    "limits",
    "names",
    "name_rules",
    "escape",
    "breathe",
    "compressions",
    "awaitable",
    "processor",
    "timers",
  ];
  return names.map((name) => `protocol/${name}.ts`);
}

interface Module {
  readonly path: string;
  readonly imports: readonly string[];
}

/** Every module of ours that the program or the libraries consist of, with all that it imports, types included. */
async function readGraph(): Promise<Module[]> {
  const modules = new Map<string, Module>();
  for (const entry of ["main.ts", "server/mod.ts", "client/mod.ts"]) {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", entry],
      cwd: ROOT,
      stderr: "null",
    }).output();
    for (const { specifier, dependencies = [] } of JSON.parse(new TextDecoder().decode(stdout)).modules) {
      if (!specifier.startsWith(ROOT.href)) continue;
      const imports = dependencies.flatMap((
        { code, type }: { code?: { specifier: string }; type?: { specifier: string } },
      ) => [code?.specifier, type?.specifier].filter((target) => target?.startsWith(ROOT.href)));
      const path = specifier.slice(ROOT.href.length);
      modules.set(path, { path, imports: imports.map((target: string) => target.slice(ROOT.href.length)) });
    }
  }
  return [...modules.values()];
}

async function sourceFiles(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory, isFile } of Deno.readDir(new URL(folder, ROOT))) {
    if (isDirectory) files.push(...await sourceFiles(`${folder}${name}/`));
    if (isFile && name.endsWith(".ts")) files.push(folder + name);
  }
  return files.sort();
}

function readSource(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}

const graph = await readGraph();
const sources = ["main.ts", ...(await Promise.all(SOURCE_FOLDERS.map(sourceFiles))).flat()];

Deno.test("modules import only what their layer may", () => {
  const wrong = graph.flatMap(({ path, imports }) => {
    const allowed = ALLOWED.find(([from]) => path.startsWith(from))?.[1] ?? [];
    return imports.filter((target) => !target.endsWith(".d.ts") && !allowed.some((to) => target.startsWith(to)))
      .map((target) => `${path} -> ${target}`);
  });
  assertEquals(wrong, []);
});

Deno.test("module graph has no cycles", () => {
  const imports = new Map(graph.map((module) => [module.path, module.imports]));
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    assert(!trail.includes(path), `a cycle: ${[...trail, path].join(" -> ")}`);
    if (done.has(path)) return;
    for (const target of imports.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const { path } of graph) visit(path, []);
});

Deno.test("every source file is part of the program or of a library", () => {
  const known = new Set(graph.map(({ path }) => path));
  assertEquals(sources.filter((path) => !path.endsWith(".d.ts") && !known.has(path)), []);
});

Deno.test("wire/ is pure: no runtime, no clock, no randomness, no async", () => {
  const impure = /\bDeno\.|\bDate\b|\bperformance\b|\bMath\.random\b|\bcrypto\b|\basync\b|\bawait\b|node:|npm:/;
  const wrong = sources.filter((path) => path.startsWith("protocol/wire/"))
    .filter((path) => impure.test(withoutComments(readSource(path))));
  assertEquals(wrong, []);
});

Deno.test("only main.ts reads arguments, listens to signals and exits", () => {
  const reserved = /\bDeno\.(args|exit|exitCode|addSignalListener)\b/;
  const wrong = sources.filter((path) => path !== "main.ts" && reserved.test(withoutComments(readSource(path))));
  assertEquals(wrong, []);
});

Deno.test("the exchange and the handlers see no connection and no file of the runtime", () => {
  const wrong = sources
    .filter((path) => path.startsWith("protocol/exchange/") || path.startsWith("server/handlers/"))
    .filter((path) => path !== "protocol/exchange/byte_stream.ts")
    .filter((path) => /\bDeno\./.test(withoutComments(readSource(path))));
  assertEquals(wrong, []);
});

Deno.test("a client that starts loads neither node modules nor string-width", () => {
  const eager = sources.filter((path) => /^import (?!type)[^;]* from "(node:|string-width)/m.test(readSource(path)));
  assertEquals(eager, [], "load them by import() where they are needed: they cost 17 to 42 ms");
});

Deno.test("main.ts loads the server and a client command only when they are wanted", () => {
  const eager = ["main.ts", "client/commands/mod.ts"].flatMap((path) => staticImports(path))
    .filter((path) => path.startsWith("server/") || path.startsWith("client/commands/"));
  assertEquals(eager, ["client/commands/mod.ts"]);
});

Deno.test("modules of the npm copy of the standard library are never imported without types", async () => {
  const tests = await sourceFiles("tests/");
  for (const path of [...sources, ...tests]) {
    const lines = readSource(path).split("\n");
    lines.forEach((line, index) => {
      if (!/\bfrom "@std\//.test(line)) return;
      const start = lines.slice(0, index + 1).findLastIndex((one) => /^(import|export)\b/.test(one));
      assert(/^\/\/ @ts-types="/.test(lines[start - 1] ?? ""), `${path}:${index + 1} has no @ts-types above it`);
    });
  }
});

Deno.test("code names no package by its registry", () => {
  const wrong = sources.filter((path) => /from "(npm|jsr|https?):/.test(readSource(path)));
  assertEquals(wrong, [], "name it in the imports of deno.json");
});

Deno.test("every source file says what it is", () => {
  assertEquals(sources.filter((path) => !readSource(path).startsWith("/**")), []);
});

Deno.test("every package that executables are made of is named among the licenses", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json", "main.ts"], cwd: ROOT })
    .output();
  const { npmPackages } = JSON.parse(new TextDecoder().decode(stdout));
  const named = readSource("THIRD_PARTY_LICENSES.txt").matchAll(/^=+\n(\S+@\S+) \(.*\)\n=+$/gm);
  // Deno 2.5 counts the types of Node among them, which it has of its own.
  const expected = Object.keys(npmPackages).filter((name) => !/^(@types\/node|undici-types)@/.test(name)).sort();
  assertEquals(Array.from(named, ([, name]) => name), expected, "run deno task licenses");
});

Deno.test("main.ts stays short", () => {
  assert(readSource("main.ts").split("\n").length <= 151);
});

/** What a module imports by its import statements, types left out. */
function staticImports(path: string): string[] {
  const statements = readSource(path).matchAll(/^import (?!type)[^;]* from "(\.[^"]*)"/gm);
  return Array.from(statements, ([, target]) => new URL(target!, new URL(path, ROOT)).href.slice(ROOT.href.length));
}

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "");
}
