/**
 * `deno task licenses`: writes THIRD_PARTY_LICENSES.txt anew, which executables have in them: what the packages that they
 * are made of ask to be passed on. For after a change of the dependencies.
 */
const ROOT = new URL("../", import.meta.url);
const RULE = "=".repeat(80);

/** What `deno info --json WORDS` says. */
function info(...words: string[]) {
  const { stdout } = new Deno.Command(Deno.execPath(), { args: ["info", "--json", ...words], cwd: ROOT }).outputSync();
  return JSON.parse(new TextDecoder().decode(stdout));
}

function folderOf(npmCache: string, name: string, version: string): string {
  for (const { name: registry } of Deno.readDirSync(npmCache)) {
    const folder = `${npmCache}/${registry}/${name}/${version}`;
    try {
      if (Deno.statSync(folder).isDirectory) return folder;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new Error(`Cannot find ${name}@${version}: run deno task app --version first`);
}

function licensesIn(folder: string): string[] {
  const files = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => /^licen[cs]e/i.test(name))
    .sort();
  return files.map((name) => Deno.readTextFileSync(`${folder}/${name}`).trim());
}

/** The comments at the beginning of its modules that say whose they are. */
function* headersIn(folder: string): Generator<string> {
  for (const { name, isDirectory } of [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1)) {
    const path = `${folder}/${name}`;
    if (isDirectory && name !== "node_modules") yield* headersIn(path);
    else if (/\.[cm]?js$/.test(name)) {
      const comments = Deno.readTextFileSync(path).slice(0, 4_000).match(/\/\*[^]*?\*\/|^\/\/.*$/gm) ?? [];
      yield* comments.filter((comment) => /copyright/i.test(comment)).map((comment) => comment.trim());
    }
  }
}

/** Of a package, as `name@version`. */
function textOf(npmCache: string, whole: string): string {
  const at = whole.lastIndexOf("@");
  const folder = folderOf(npmCache, whole.slice(0, at), whole.slice(at + 1));
  const { license } = JSON.parse(Deno.readTextFileSync(`${folder}/package.json`));
  const own = licensesIn(folder);
  const mit = Deno.readTextFileSync(new URL("LICENSE", ROOT)).split("\n").slice(4).join("\n").trim();
  const texts = [...own, ...new Set(headersIn(folder)), ...(own.length === 0 && license === "MIT" ? [mit] : [])];
  if (texts.length === 0) throw new Error(`${whole} does not say how it is licensed: look, and add that by hand`);
  return `${RULE}\n${whole} (${license})\n${RULE}\n\n${texts.join("\n\n")}\n`;
}

if (import.meta.main) {
  const head = "Executables of app contain these packages, besides Deno itself (MIT, https://deno.com).\n\n";
  const { npmCache } = info();
  const texts = Object.keys(info("main.ts").npmPackages).sort().map((whole) => textOf(npmCache, whole));
  Deno.writeTextFileSync(new URL("THIRD_PARTY_LICENSES.txt", ROOT), head + texts.join("\n"));
}
