/**
 * `deno task compile:all [TAG]`: the executables of a release, one per target, and their checksums, in `dist/`.
 *
 * Refuses a TAG that is not `v` and the version in `deno.json`.
 */
import configuration from "../deno.json" with { type: "json" };

const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
] as const;

const ROOT = new URL("../", import.meta.url);
const DIST = new URL("dist/", ROOT);

async function main([tag]: readonly string[]): Promise<number> {
  const { version } = configuration;
  if (tag !== undefined && tag !== `v${version}`) {
    console.error(`Cannot release ${JSON.stringify(tag)}: the version in deno.json is ${version}\nTag v${version}`);
    return 2;
  }
  if (!await deno(["task", "bundle"])) return 1;
  let sums = "";
  for (const target of TARGETS) {
    const name = `app-${version}-${target}${target.includes("windows") ? ".exe" : ""}`;
    if (!await compile(target, name)) return 1;
    sums += `${await sha256(new URL(name, DIST))}  ${name}\n`;
  }
  Deno.writeTextFileSync(new URL("SHA256SUMS", DIST), sums);
  console.log(sums.trimEnd());
  return 0;
}

async function compile(target: string, name: string): Promise<boolean> {
  // As the task makes one for this machine, but for the target and where it goes.
  const [, subcommand, ...words] = configuration.tasks.compile.command.split(" ");
  const args = [subcommand!, "--target", target, ...words.map((word) => word === "app" ? `dist/${name}` : word)];
  return await deno(args);
}

async function deno(args: readonly string[]): Promise<boolean> {
  const command = `deno ${args.join(" ")}`;
  console.log(`$ ${command}`);
  const { success } = await new Deno.Command(Deno.execPath(), { args: [...args], cwd: ROOT }).spawn().status;
  if (!success) console.error(`Failed: ${command}`);
  return success;
}

async function sha256(file: URL): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", Deno.readFileSync(file))).toHex();
}

Deno.exitCode = await main(Deno.args);
