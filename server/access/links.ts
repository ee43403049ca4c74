/**
 * The links of one server: who shows a secret, and what becomes of them when their link does.
 *
 * The file is looked at for each opening and each request, and now and then in between, so that `app revoke` ends what is
 * under way. When it cannot be understood, those who are in stay in, and nobody new gets in.
 */
import { AppError, toAppError } from "../../protocol/errors.ts";
import { quoteName } from "../../protocol/escape.ts";
import type { Principal } from "../policy.ts";
import { RIGHTS } from "../policy.ts";
import { changeLinkFile, endOf, type LinkFile, type LinkRecord, readLinkFile } from "./link_file.ts";
import { areSameDigests, digestOf } from "./secret.ts";
import { busy, type Turn, Turns, type TurnUser } from "./turn.ts";

const LOOK_EVERY_MS = 300;

export interface LinksOptions {
  /** The file that they are kept in. */
  readonly file: string;
  /** The real path of the shared directory: links for others are not good here. */
  readonly root: string;
  /** Names this run of the server: a link that was made at the start of another one is not good here. */
  readonly run?: string;
  /** How often it is looked whether connections have to be ended. @default 300 */
  readonly lookEveryMs?: number;
  /** Told when the file cannot be read, or be written, once for each reason. */
  readonly onFault?: (error: AppError) => void;
  /** In milliseconds since 1970. @default the clock of this machine */
  readonly now?: () => number;
}

/** What all who hold one link share. */
interface Use {
  readonly ended: AbortController;
  readonly turns: Turns;
  readonly begun: Set<string>;
}

export class Links implements Disposable {
  readonly #options: LinksOptions;
  readonly #now: () => number;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #uses = new Map<string, Use>();
  /** Used up here, though that could not be written down. */
  readonly #usedHere = new Set<string>();
  #links: readonly LinkRecord[] = [];
  #byDigest = new Map<string, LinkRecord>();
  #seen: string | undefined;
  #fault: AppError | undefined;

  /** Throws `failed` if the file cannot be understood. */
  constructor(options: LinksOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => Date.now());
    this.#seen = fingerprintOf(options.file);
    this.#take(readLinkFile(options.file));
    this.#timer = setInterval(() => this.#look(), options.lookEveryMs ?? LOOK_EVERY_MS);
  }

  /**
   * Whose link has that secret. Throws `link_refused` for one that is not known; one that is known and not good any more
   * gives a principal whose requests are refused with the reason, which is for nobody else to know.
   */
  async redeem(secret: string, _peer: string): Promise<Principal> {
    const digest = await digestOf(secret);
    this.#look();
    if (this.#fault) throw new AppError("link_refused", "The links cannot be read now");
    const link = this.#search(digest);
    if (!link) throw new AppError("link_refused", "There is no such link");
    return this.#principal(link);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #principal(link: LinkRecord): Principal {
    const { label, digest, right, path } = link;
    const { ended, begun, turns } = this.#useOf(digest);
    return {
      label,
      path,
      hasLink: true,
      actions: RIGHTS[right],
      ended: ended.signal,
      begun,
      fault: () => this.#faultOf(digest),
      ...(link.isOnce ? { takeTurn: (what, user) => this.#takeTurn(digest, turns, what, user) } : {}),
    };
  }

  #useOf(digest: string): Use {
    const use = this.#uses.get(digest) ?? { ended: new AbortController(), turns: new Turns(), begun: new Set() };
    this.#uses.set(digest, use);
    return use;
  }

  /** Looks at all of them, whichever it is: how long that takes tells nothing. */
  #search(digest: string): LinkRecord | undefined {
    let found: LinkRecord | undefined;
    for (const link of this.#links) if (areSameDigests(link.digest, digest)) found = link;
    return found;
  }

  #faultOf(digest: string): string | undefined {
    this.#look();
    const link = this.#byDigest.get(digest);
    if (!link) return "the link was revoked";
    const isOfOtherRun = link.start !== undefined && link.start.run !== this.#options.run;
    if (isOfOtherRun) return "the link was for a server that has ended";
    if (link.root !== this.#options.root) return "the link is for another directory";
    if (this.#usedHere.has(digest)) return "the link was good for one transfer, and is used up";
    return endOf(link, this.#now())?.reason;
  }

  /** Reads the file if it has changed. */
  #look(): void {
    const seen = fingerprintOf(this.#options.file);
    if (seen === this.#seen) return;
    this.#seen = seen;
    try {
      this.#take(readLinkFile(this.#options.file));
      this.#fault = undefined;
    } catch (error) {
      this.#fault = toAppError(error, "Cannot read the links");
      this.#options.onFault?.(this.#fault);
    }
  }

  /** Ends those whose link was taken away. */
  #take({ links }: LinkFile): void {
    this.#links = links;
    this.#byDigest = new Map(links.map((link) => [link.digest, link]));
    for (const [digest, { ended }] of this.#uses) {
      const link = this.#byDigest.get(digest);
      if (link && link.revokedMs === undefined) continue;
      this.#uses.delete(digest);
      ended.abort(new AppError("link_refused", "The link was revoked"));
    }
  }

  #takeTurn(digest: string, turns: Turns, what: string, user: TurnUser): Turn {
    this.#verifyBound(digest, what);
    const held = turns.take(user);
    return {
      bind: () => this.#bind(digest, what),
      verify() {
        if (!held.isHeld()) throw busy();
      },
      delivered: async () => {
        this.#usedHere.add(digest);
        await this.#change(digest, (link) => ({ ...link, usedMs: this.#now() })).catch((error) => {
          this.#options.onFault?.(toAppError(error, "Cannot write down that a link is used up"));
        });
      },
      [Symbol.dispose]: () => held.release(),
    };
  }

  async #bind(digest: string, what: string): Promise<void> {
    if (this.#byDigest.get(digest)?.boundTo !== what) {
      await this.#change(digest, (link) => ({ boundTo: what, ...link }));
    }
    this.#verifyBound(digest, what);
  }

  #verifyBound(digest: string, what: string): void {
    this.#look();
    const boundTo = this.#byDigest.get(digest)?.boundTo ?? what;
    if (boundTo === what) return;
    throw new AppError(
      "not_allowed",
      `Cannot ${quoted(what)}: the link is for one transfer, begun as ${quoted(boundTo)}`,
    );
  }

  async #change(digest: string, change: (link: LinkRecord) => LinkRecord): Promise<void> {
    await changeLinkFile(this.#options.file, (file) => ({
      ...file,
      links: file.links.map((link) => link.digest === digest ? change(link) : link),
    }));
    this.#look();
  }
}

/** `get a.txt` -> `get "a.txt"`. */
function quoted(what: string): string {
  const space = what.indexOf(" ");
  return `${what.slice(0, space)} ${quoteName(what.slice(space + 1))}`;
}

/** Tells one state of the file from the next; "" when there is none, or none that can be looked at. */
function fingerprintOf(path: string): string {
  try {
    const { dev, ino, size, mtime } = Deno.statSync(path);
    return `${dev} ${ino} ${size} ${mtime?.getTime()}`;
  } catch {
    return ""; // why is told when it is read
  }
}
