/** Links as a person meets them: start lines, commands, files, and that no secret is ever shown twice. */
import { hideSecrets, parseLink } from "../../protocol/wire/link.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../support/assert.ts";
import { type Outcome, runApp, ServerProcess, temporaryDirectory } from "../support/program.ts";

/** A directory with a photo, a place for what the program remembers, and all that it printed. */
function stage() {
  const shared = temporaryDirectory();
  const state = temporaryDirectory();
  const here = temporaryDirectory();
  const env = { XDG_STATE_HOME: state.path };
  Deno.writeTextFileSync(`${shared.path}/img.jpg`, "a photo");
  const printed: string[] = [];
  return {
    root: shared.path,
    file: `${state.path}/app/links.json`,
    printed,
    async app(...args: string[]): Promise<Outcome> {
      const outcome = await runApp(args, { env, cwd: here.path });
      printed.push(outcome.stdout, outcome.stderr);
      return outcome;
    },
    serve: (...args: string[]) => ServerProcess.start(shared.path, ["--closed", ...args], { env }),
    [Symbol.dispose]() {
      for (const directory of [shared, state, here]) directory[Symbol.dispose]();
    },
  };
}

function linkIn(lines: readonly string[]): string {
  return /app:\S+/.exec(lines.find((line) => line.startsWith("Read: "))!)![0];
}

function startLabels(file: string): string[] {
  return JSON.parse(Deno.readTextFileSync(file)).links.map(({ label }: { label: string }) => label);
}

Deno.test("a closed server prints a link, and refuses who comes without one with the way to get one", async () => {
  using here = stage();
  const server = await here.serve();
  const [ip, port, sharing, read, ...rest] = server.startLines;
  assertEquals([ip, port, rest], ["Running on IP: 127.0.0.1", `Running on port: ${server.port}`, []]);
  assertMatch(sharing!, /^Sharing: \S+ \(1 file, 7 B\), encrypted, key [A-Z2-7]{4}-…-[A-Z2-7]{2}$/);
  assertMatch(read!, /^Read: {2}app get app:\/\/127\.0\.0\.1:\d+\/img\.jpg#[\w-]{43}\.[\w-]{22}$/);
  assertEquals(startLabels(here.file), [`start-${server.port}`]);
  const { stdout } = await here.app("links");
  assertStringIncludes(stdout, "with its server");
  await server.stop();
  assertEquals(startLabels(here.file), []);
});

Deno.test("the link of a start that was killed is replaced, and is not good for the next one", async () => {
  using here = stage();
  const first = await here.serve();
  await first.stop("SIGKILL");
  assertEquals(startLabels(here.file).length, 1);
  await using second = await here.serve("--port", first.port);
  assertEquals(startLabels(here.file), [`start-${first.port}`]);
  assert(linkIn(first.startLines) !== linkIn(second.startLines));
  assertEquals(parseLink(linkIn(first.startLines)).key, parseLink(linkIn(second.startLines)).key);
});

Deno.test("strangers are let in, or no link is made, as the options say", async () => {
  using here = stage();
  for (
    const [options, told] of [
      [["--no-link"], /^No link was made: app link \S+ makes one$/],
      [
        ["--public"],
        /^Read: {2}app get app:\S+#[\w-]{43}\nWARNING: anybody who reaches this port can read files \(--public\)$/,
      ],
      [["--public-write"], /\nWARNING: anybody who reaches this port can read and add files \(--public-write\)$/],
      [
        ["--wire", "app,share"],
        /\nWARNING: share is served \(--wire\), without passwords or encryption, and allowed nothing without --public$/,
      ],
      [["--wire", "app,share", "--public"], /\(--wire\), without passwords or encryption\nWARNING: anybody/],
    ] as const
  ) {
    await using server = await here.serve(...options);
    assertMatch(server.startLines.slice(3).join("\n"), told);
  }
  const both = await runApp(["serve", here.root, "--public", "--public-write"]);
  assertEquals([both.code, both.stderr.split("\n")[0]], [2, "Both --public and --public-write were given"]);
});

Deno.test("app link prints a link alone, where the server last was, and app links and app revoke know it", async () => {
  using here = stage();
  Deno.mkdirSync(`${here.root}/in`);
  const unknown = await here.app("link", here.root, "--host", "example.org");
  assertEquals([unknown.code, parseLink(unknown.stdout.trim()).host], [0, "example.org"]);
  assertMatch(
    unknown.stderr,
    /^No server of that directory was started yet: the link says example\.org port 6000\napp revoke read takes it away\n$/,
  );

  await using server = await here.serve();
  const drop = await here.app("link", here.root, "--drop", "--path", "in", "--for", "1h", "--name", "kim", "--once");
  assertEquals([drop.code, drop.stderr], [0, ""]);
  const { host, port, path, key } = parseLink(drop.stdout.trim());
  assertEquals([host, String(port), path], ["127.0.0.1", server.port, "in/"]);
  assertEquals(key, parseLink(linkIn(server.startLines)).key);
  assertEquals((await here.app("link", here.root, "--name", "kim")).code, 1);

  const table = (await here.app("links")).stdout.split("\n");
  assertMatch(table.find((line) => line.startsWith("kim "))!, /^kim +good +drop, once +\S+ \S+ +\S+ \S+ +\S+\/in$/);
  const events = (await here.app("links", "--json")).stdout.trim().split("\n").map((line) => JSON.parse(line));
  const { created, expires, ...facts } = events.find(({ label }) => label === "kim");
  assertEquals(Date.parse(expires) - Date.parse(created), 3_600_000);
  const root = here.root;
  assertEquals(facts, {
    event: "link",
    label: "kim",
    state: "good",
    right: "drop",
    root,
    path: "in",
    isOnce: true,
    isOfStart: false,
  });
  assertEquals((await here.app("revoke", "kim")).stdout, "kim revoked.\n");
  assertMatch((await here.app("links")).stdout, /^kim +revoked /m);
  assertEquals((await here.app("revoke", "none")).code, 1);
});

Deno.test("app link refuses what could not be meant", async () => {
  using here = stage();
  for (
    const [args, code, told] of [
      [["--read", "--drop"], 2, /^Both --read and --drop were given\n/],
      [["--path", "../x"], 2, /^Cannot use --path "\.\.\/x": /],
      [["--for", "5"], 2, /^Cannot use --for "5": it must be a time with its unit, such as 90s, /],
      [["--for", "0s"], 2, /^Cannot use --for "0s": /],
      [["--name", "a b"], 2, /^Cannot use --name "a b": /],
      [["--host", "a b"], 2, /^Cannot use --host "a b": /],
    ] as const
  ) {
    const { code: exit, stdout, stderr } = await here.app("link", here.root, "--host", "h", ...args);
    assertEquals([exit, stdout], [code, ""], stderr);
    assertMatch(stderr, told);
  }
  assertEquals((await here.app("link", `${here.root}/img.jpg`)).code, 1);
  assertEquals((await here.app("link", `${here.root}/none`)).code, 1);
});

Deno.test("no secret is shown but by the line that hands it out", async () => {
  using here = stage();
  const server = await here.serve("--log", "json");
  const links = [linkIn(server.startLines), (await here.app("link", here.root)).stdout.trim()];
  here.printed.length = 0;
  for (const link of links) {
    const file = `${here.root}/.link`;
    Deno.writeTextFileSync(file, link, { mode: 0o600 });
    for (
      const args of [
        ["get", link],
        ["get", link, "none"],
        ["get", link, "--json"],
        ["list", link, "a", "b"],
        ["ping", link, link],
        ["ping", link, "--json"],
        ["get", "127.0.0.1", server.port, link],
        ["get", `${link}x`],
        ["get", link.slice(0, -1)],
        ["get", link, `--timeout=${link}`],
        ["get", link, `--${link}`],
        [link],
        ["get", link, "--link-file", file],
        ["put", link, link],
        ["mkdir", link, link],
        ["capital", link, link],
        ["greet", link, "1"],
        ["shell", link, link],
        ["list", "--link-file", file],
        ["links"],
        ["links", "--json"],
        ["revoke", link],
        ["link", link],
        ["serve", link],
        ["link", here.root, "--name", link],
        ["link", here.root, "--path", link],
        ["stat", link.toUpperCase()],
        ["list", "127.0.0.1", server.port, link, "--wire", "share"],
      ]
    ) await here.app(...args);
    Deno.removeSync(file);
  }
  const { log } = await server.stop();
  const all = [...here.printed, log, Deno.readTextFileSync(here.file)].join("\n");
  assertStringIncludes(all, "none");
  for (const link of links) {
    const { secret } = parseLink(link);
    for (const part of [secret!, secret!.slice(0, -1), secret!.toUpperCase()]) {
      const at = all.indexOf(part);
      assertEquals(at, -1, hideSecrets(all.slice(Math.max(0, at - 200), at)));
    }
  }
});

Deno.test("a damaged file of links keeps a closed server from starting, and is left as it is", async () => {
  using here = stage();
  await here.app("link", here.root, "--host", "h");
  Deno.writeTextFileSync(here.file, "{");
  for (
    const args of [["serve", here.root, "--closed", "--port", "0"], ["link", here.root], ["links"], ["revoke", "read"]]
  ) {
    const { code, stderr } = await here.app(...args);
    assertEquals(code, 1);
    assertMatch(
      stderr,
      /^Cannot understand "\S+links\.json": it is damaged, or of a later version of app\nRepair it, /,
    );
  }
  assertEquals(Deno.readTextFileSync(here.file), "{");
  await using open = await ServerProcess.start(here.root); // it has no links, and looks for none
  assertEquals(open.startLines.length, 3);
});
