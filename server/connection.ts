/**
 * The life of one connection: its first bytes, the session, one request after the other, the end.
 *
 * Nothing that a peer does gets out of `Connection.serve` but a line in the log: an error ends this connection at most.
 */
import { AppError, forPeer, toAppError } from "../protocol/errors.ts";
import type { ByteStream } from "../protocol/exchange/byte_stream.ts";
import { watchSilence } from "../protocol/exchange/idle.ts";
import { type FirstBytes, openAsServer } from "../protocol/exchange/opening.ts";
import type { Request } from "../protocol/exchange/requests_ahead.ts";
import type { Session } from "../protocol/exchange/session.ts";
import type { FileTree } from "../protocol/files/tree.ts";
import type { ServerLimits } from "../protocol/limits.ts";
import { type OldFormat, type ServedFormat, sureOldFormat } from "../protocol/wire/detect.ts";
import type { ConnectionState } from "../protocol/wire/messages/status.ts";
import { type Opening, parseOpening } from "../protocol/wire/opening.ts";
import { ConnectionLog } from "./connection_log.ts";
import { Entry } from "./entry.ts";
import type { Greeting } from "./formats/format.ts";
import { FORMATS } from "./formats/mod.ts";
import type { RequestContext, ServerStatus } from "./handlers/handler.ts";
import { handleRequest } from "./handlers/mod.ts";
import type { Log } from "./log.ts";
import type { RecordStore } from "./records/record_store.ts";
import { type Action, authorize, isAuthorized, type Policy, type Principal } from "./policy.ts";
import type { Compressions } from "./limits/compressions.ts";
import type { Pass } from "./limits/gate.ts";
import { FIND_TYPE, type QuickFind } from "./quick_find.ts";
import { refuseFormat, refuseOpening, refusePlain, sayLastWords } from "./refusal.ts";
import type { TlsFront } from "./tls_front.ts";
import { answerWords } from "./words.ts";

/** Whom a server lets in. */
export interface Access {
  /** Who shows no link. */
  readonly stranger: Principal;
  /** Whose link has that secret. Throws `link_refused`. */
  redeem(secret: string, peer: string): Promise<Principal>;
}

/** What all connections of one server share. */
export interface ServerContext {
  readonly agent: string;
  readonly records: RecordStore;
  readonly quickFind: QuickFind;
  readonly policy: Policy;
  readonly access: Access;
  readonly limits: ServerLimits;
  readonly compressions: Compressions;
  readonly log: Log;
  /** The formats that are served. */
  readonly formats: readonly ServedFormat[];
  readonly greeting: Greeting;
  /** Absent where TLS is not spoken. */
  readonly tls: { readonly front: TlsFront; readonly key: string; readonly isRequired: boolean } | undefined;
  /** Told of each get that a client has stored. */
  onDelivered(): void;
  /** Stops the whole server. */
  stop(): void;
  /** How the server is. */
  status(): Promise<ServerStatus>;
  /** The tree as a peer may use it. */
  treeFor(peer: string, path: string): FileTree;
}

/** One connection as the listener sees it. */
export class Connection {
  readonly #entry: Entry;
  readonly #log: ConnectionLog;
  readonly #begunAt = performance.now();
  readonly #context: ServerContext;
  #session: Session | undefined;
  #principal: Principal;
  /** Ends with the connection: what listens to those who live longer. */
  readonly #held = new DisposableStack();
  #isBusy = false;
  #isStopping = false;
  /** Told of a stop while a request is under way that has no end of its own. */
  #onStop: ((reason: AppError) => void) | undefined;
  /** No words of ours are for a peer that speaks one. */
  #oldFormat: OldFormat | undefined;
  #tree: FileTree;

  constructor(stream: ByteStream, context: ServerContext, pass: Pass) {
    this.#entry = new Entry(stream, context, pass);
    this.#log = new ConnectionLog({
      log: context.log,
      peer: stream.peer,
      who: () => this.#principal.label,
      bytesMoved: () => this.#session?.dataBytesMoved ?? 0,
    });
    this.#context = context;
    this.#tree = context.treeFor(stream.peer, "");
    this.#principal = context.access.stranger;
  }

  /** Inside TLS, from when that has begun. */
  get #stream(): ByteStream {
    return this.#entry.stream;
  }

  /** Serves it to its end; never throws. */
  async serve(): Promise<void> {
    await using entry = this.#entry;
    try {
      const first = await entry.readFirstBytes();
      if (first) await this.#answer(first);
    } catch (cause) {
      const error = toAppError(entry.endedFor ?? cause, "Cannot serve the connection");
      this.#logFault(error);
      await this.#endFor(error).catch(() => {}); // what it ends for is told already
    } finally {
      this.#held.dispose();
    }
  }

  /** Ends it before its opening is over, so that another one gets its place. */
  drop(): void {
    this.#entry.end(new AppError("too_many_connections", "Dropped, unopened, for a newer connection"));
  }

  /** How it is, for who looks after the server. */
  describe(): ConnectionState {
    return {
      peer: this.#stream.peer,
      who: this.#principal.label,
      ...this.#log.current,
      bytesReceived: this.#stream.bytesRead,
      bytesSent: this.#stream.bytesWritten,
      ageMs: Math.round(performance.now() - this.#begunAt),
      requests: this.#log.requests,
    };
  }

  /** No further request: at once when none is under way, else behind it. */
  stop(): void {
    this.#isStopping = true;
    this.#onStop?.(stopping());
    if (!this.#isBusy) this.close();
  }

  /** Ends it now, whatever is under way. */
  close(reason = stopping()): void {
    // A goodbye would wait behind a write that a silent client may never take.
    if (!this.#session || this.#stream.isWriting) return this.#stream.close(reason);
    this.#session.end(reason).catch(() => {}).finally(() => this.#stream.close(reason)); // it ends, said or not
  }

  async #answer(first: FirstBytes): Promise<void> {
    const { format } = first;
    if (format === "http" || format === "tls" || format === "unknown") return await this.#refuse(format, first.early);
    if (!this.#context.formats.includes(format)) throw new AppError("unsupported", `Cannot speak ${format} here`);
    if (format !== "app") return await this.#serveOldFormat(format);
    const opening = parseOpening(first.line);
    if (this.#entry.tls === "none" && this.#context.tls?.isRequired) return await this.#refusePlain(opening);
    using _watch = this.#watchSilence(
      () => this.#session?.isWaiting ?? opening.kind === "abilities",
      () => this.#session?.messagesHeard ?? 0,
    );
    if (opening.kind === "abilities") return await this.#serveSession(first, opening);
    this.#entry.opened();
    const { records } = this.#context;
    this.#isBusy = true;
    await this.#log.run("words", opening.words.join(" "), async () => {
      await answerWords(this.#stream, opening.words, { ...this.#rights(), tree: this.#tree, records });
      return {};
    });
  }

  async #serveOldFormat(format: OldFormat): Promise<void> {
    const { records, limits, greeting, onDelivered, stop } = this.#context;
    const { reader } = this.#entry;
    this.#oldFormat = format;
    this.#entry.opened();
    using _watch = this.#watchSilence(() => reader.isWaiting, () => this.#log.requests);
    await FORMATS[format]({
      stream: reader,
      tree: this.#tree,
      records,
      limits,
      greeting,
      ...this.#rights(),
      logged: (request, name, run) => this.#whileBusy(() => this.#log.run(`${format} ${request}`, name, run)),
      onDelivered: () => onDelivered(),
      stopServer: () => stop(),
    });
  }

  /** Serves one request, which a stop lets finish, and which is then the last. */
  async #whileBusy(serve: () => Promise<void>): Promise<void> {
    this.#isBusy = true;
    await serve();
    this.#isBusy = false;
    if (this.#isStopping) throw stopping();
  }

  #watchSilence(isWaiting: () => boolean, messagesHeard: () => number): Disposable {
    const { idleTimeoutMs } = this.#context.limits;
    const reason = () => new AppError("idle", `Nothing, or next to nothing, moved for ${idleTimeoutMs} ms`);
    return watchSilence(this.#stream, { silenceMaxMs: idleTimeoutMs, isWaiting, messagesHeard, reason });
  }

  async #serveSession(first: FirstBytes, opening: Opening & { kind: "abilities" }): Promise<void> {
    const { limits, agent } = this.#context;
    const { requestsAheadMax } = limits;
    const { secret } = opening.abilities;
    if (secret !== undefined) this.#become(await this.#redeem(secret));
    const { compression } = this.#held.use(this.#context.compressions.grant(opening.abilities.compress));
    const options = { agent, requestsAheadMax, compression };
    const { session, hello } = await openAsServer(this.#stream, first, opening.abilities, options);
    this.#session = session;
    this.#held.defer(() => session.close());
    session.answerQuickly(FIND_TYPE, (body) => this.#findQuickly(body));
    await hello();
    this.#entry.opened();
    for (let request = await session.nextRequest(); request; request = await session.nextRequest()) {
      await this.#whileBusy(async () => {
        await this.#serveRequest(session, request);
        await session.flush();
      });
    }
    await session.end();
  }

  /** What came in plain may have been heard by anybody: it lets nobody in, good or not. */
  async #redeem(secret: string): Promise<Principal> {
    if (this.#entry.tls === "secured") return await this.#context.access.redeem(secret, this.#stream.peer);
    throw new AppError("link_refused", "The secret of a link came on a connection that is not encrypted");
  }

  /** From here on this is not a stranger's. */
  #become(principal: Principal): void {
    this.#principal = principal;
    this.#tree = this.#context.treeFor(this.#stream.peer, principal.path);
    const { ended } = principal;
    if (!ended) return;
    const end = () => this.close(ended.reason);
    ended.addEventListener("abort", end, { once: true });
    this.#held.defer(() => ended.removeEventListener("abort", end));
  }

  #findQuickly(body: Uint8Array): Uint8Array | undefined {
    const { policy, quickFind } = this.#context;
    if (this.#isStopping) return undefined;
    const answer = quickFind.answer(body);
    if (!answer || !isAuthorized(policy, this.#principal, "find", answer.country)) return undefined;
    this.#log.answered("find", answer.country);
    return answer.frame;
  }

  async #serveRequest(session: Session, request: Request): Promise<void> {
    const { records, limits, onDelivered, status } = this.#context;
    const context: RequestContext = {
      session,
      tree: this.#tree,
      records,
      limits,
      principal: this.#principal,
      ...this.#rights(),
      onDelivered: () => onDelivered(),
      status,
      untilStopped: () => this.#isStopping ? Promise.reject(stopping()) : new Promise((_, no) => this.#onStop = no),
    };
    using _alive = session.keepAlive();
    const name = request.type === "offer" ? "put" : request.type;
    await this.#log.run(name, nameIn(request), () => handleRequest(request, context));
  }

  #rights() {
    const { policy } = this.#context;
    return {
      authorize: (action: Action, name: string) => authorize(policy, this.#principal, action, name),
      isAuthorized: (action: Action, name: string) => isAuthorized(policy, this.#principal, action, name),
    };
  }

  /** That a connection ends between requests is no fault. */
  #logFault(error: AppError): void {
    const during = this.#session ? "session" : this.#oldFormat;
    if (during === undefined || !QUIET_ENDS.has(error.code)) this.#log.fault(during ?? "opening", error);
  }

  /** Something else than our format: an answer that its sender can read. */
  async #refuse(format: "http" | "tls" | "unknown", bytes: Uint8Array): Promise<void> {
    const old = format === "unknown" ? sureOldFormat(bytes) : undefined;
    const what = old ? `of the format ${old}, which is not served here: see serve --wire` : `not ours (${format})`;
    this.#logFault(new AppError("not_app", `The first bytes are ${what}`));
    await sayLastWords(this.#stream, () => refuseFormat(this.#stream, format));
  }

  async #refusePlain({ kind }: Opening): Promise<void> {
    this.#logFault(new AppError("tls_required", "The opening came in plain"));
    const { key } = this.#context.tls!;
    await sayLastWords(this.#stream, () => refusePlain(this.#stream, kind, key));
  }

  /** Tells the peer why the connection ends, as far as it still listens. */
  async #endFor(error: AppError): Promise<void> {
    if (error.code === "lost" || error.code === "idle" || this.#oldFormat || this.#entry.tls === "beginning") return;
    await sayLastWords(
      this.#stream,
      () => this.#session?.end(error) ?? refuseOpening(this.#stream, forPeer(error).name),
    );
  }
}

function stopping(): AppError {
  return new AppError("shutting_down", "The server is stopping");
}

/** Ends of sessions that need no line in the log. */
const QUIET_ENDS: ReadonlySet<string> = new Set(["lost", "idle"]);

function nameIn(request: Request): string {
  if (request.type === "status") return "";
  if (request.type === "find" || request.type === "add") return request.country;
  return request.type === "move" ? `${request.from} -> ${request.to}` : request.name;
}
