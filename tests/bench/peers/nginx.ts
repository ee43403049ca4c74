/** nginx with curl: GET with sendfile, and PUT by its dav module. Neither verifies nor flushes anything. */
import { freePort, type PeerKind, removeIfThere, run, startServer, targets } from "./peer.ts";

export const nginx: PeerKind = {
  name: "nginx + curl (not verified)",
  programs: ["nginx", "curl"],
  async start(yard) {
    const { path } = yard;
    const port = freePort();
    Deno.mkdirSync(`${path}/nginx`);
    Deno.writeTextFileSync(`${path}/nginx.conf`, configurationOf(path, port));
    const server = await startServer("nginx", ["-p", path, "-c", `${path}/nginx.conf`], port);
    const url = `http://127.0.0.1:${port}`;
    const { got, stored } = targets(yard);
    return {
      get: {
        name: nginx.name,
        prepare: () => removeIfThere(got),
        run: () => run("curl", ["-sSf", "-o", got, `${url}/big.bin`]),
      },
      put: {
        name: nginx.name,
        prepare: () => removeIfThere(stored),
        run: () => run("curl", ["-sSf", "-H", "Expect:", "-T", `${path}/local/big.bin`, `${url}/put.bin`]),
      },
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
};

/** One process, and its temporary files on the same file system, so that a PUT ends in a rename. */
function configurationOf(path: string, port: number): string {
  const temporary = ["proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${path}/nginx/${kind};`).join(" ");
  return `daemon off; master_process off; pid ${path}/nginx/pid; error_log ${path}/nginx/error.log;
    events {} http { access_log off; sendfile on; client_max_body_size 0; client_body_temp_path ${path}/nginx/body;
    ${temporary} server { listen 127.0.0.1:${port}; root ${path}/served; dav_methods PUT; } }`;
}
