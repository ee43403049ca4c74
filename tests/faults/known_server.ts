/** The key of a server, and a client's word that it knows it: so that the two encrypt on a loopback address, too. */
import { openIdentity } from "../../server/identity.ts";
import { temporaryDirectory } from "../support/program.ts";

/** The handshake of TLS is over behind so many bytes; a bit of it that is wrong makes the server another one. */
export const HANDSHAKE_BYTES = 3_000;

export class KnownServer implements Disposable {
  readonly #state = temporaryDirectory();
  #key = "";

  private constructor() {}

  static async make(): Promise<KnownServer> {
    const known = new KnownServer();
    known.#key = (await openIdentity(known.#identity)).key;
    return known;
  }

  /** What `app serve` is to be started with. */
  get serverWords(): string[] {
    return ["--identity", this.#identity];
  }

  /** The environment of a client that knows the server, which it reaches at `port`. */
  envAt(port: string): Record<string, string> {
    Deno.mkdirSync(`${this.#state.path}/app`, { recursive: true });
    Deno.writeTextFileSync(`${this.#state.path}/app/known_hosts`, `127.0.0.1:${port} ${this.#key}\n`, { append: true });
    return { XDG_STATE_HOME: this.#state.path };
  }

  get #identity(): string {
    return `${this.#state.path}/identity.pem`;
  }

  [Symbol.dispose](): void {
    this.#state[Symbol.dispose]();
  }
}
