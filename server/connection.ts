/**
 * The life of one connection: its first bytes, the session, one request after the other, the end.
 *
 * Nothing that a peer does gets out of `Connection.serve` but a line in the log: an error ends this connection at most.
 */
import { AppError, forPeer, toAppError } from "../protocol/errors.ts";
import type { ByteStream } from "../protocol/exchange/byte_stream.ts";
import { watchSilence } from "../protocol/exchange/idle.ts";
import { type FirstBytes, openAsServer, readFirstBytes } from "../protocol/exchange/opening.ts";
import { QuietReader } from "../protocol/exchange/quiet_reader.ts";
import type { Request } from "../protocol/exchange/requests_ahead.ts";
import type { Session } from "../protocol/exchange/session.ts";
import { endsSession } from "../protocol/exchange/transfer.ts";
import type { FileTree } from "../protocol/files/tree.ts";
import type { ServerLimits } from "../protocol/limits.ts";
import { type OldFormat, type ServedFormat, sureOldFormat } from "../protocol/wire/detect.ts";
import { type Opening, parseOpening } from "../protocol/wire/opening.ts";
import type { Greeting } from "./formats/format.ts";
import { FORMATS } from "./formats/mod.ts";
import type { Outcome, RequestContext } from "./handlers/handler.ts";
import { handleRequest } from "./handlers/mod.ts";
import { type Log, type LogRecord, NO_LOG } from "./log.ts";
import type { RecordStore } from "./records/record_store.ts";
import { type Action, authorize, isAuthorized, type Policy, type Principal } from "./policy.ts";
import { FIND_TYPE, type QuickFind } from "./quick_find.ts";
import { refuseFormat, refuseOpening, sayLastWords } from "./refusal.ts";
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
  readonly tree: FileTree;
  readonly records: RecordStore;
  readonly quickFind: QuickFind;
  readonly policy: Policy;
  readonly access: Access;
  readonly limits: ServerLimits;
  readonly log: Log;
  /** The formats that are served. */
  readonly formats: readonly ServedFormat[];
  readonly greeting: Greeting;
  /** Told of each get that a client has stored. */
  onDelivered(): void;
  /** Stops the whole server. */
  stop(): void;
}

/** One connection as the listener sees it. */
export class Connection {
  readonly #stream: ByteStream;
  /** For the opening, and for an old format; our own reads otherwise. */
  #reader: QuietReader | undefined;
  readonly #context: ServerContext;
  #session: Session | undefined;
  #principal: Principal;
  #isBusy = false;
  #isStopping = false;
  /** No words of ours are for a peer that speaks one. */
  #oldFormat: OldFormat | undefined;
  #loggedFault: AppError | undefined;

  constructor(stream: ByteStream, context: ServerContext) {
    this.#stream = stream;
    this.#context = context;
    this.#principal = context.access.stranger;
  }

  /** Serves it to its end; never throws. */
  async serve(): Promise<void> {
    try {
      const first = await this.#readFirstBytes();
      if (first) await this.#answer(first);
    } catch (cause) {
      const error = toAppError(cause, "Cannot serve the connection");
      this.#logFault(error);
      await this.#endFor(error);
    } finally {
      this.#stream.close();
    }
  }

  /** No further request: at once when none is under way, else behind it. */
  stop(): void {
    this.#isStopping = true;
    if (!this.#isBusy) this.close();
  }

  /** Ends it now, whatever is under way. */
  close(): void {
    const reason = new AppError("shutting_down", "The server is stopping");
    // A goodbye would wait behind a write that a silent client may never take.
    if (!this.#session || this.#stream.isWriting) return this.#stream.close(reason);
    this.#session.end(reason).finally(() => this.#stream.close(reason));
  }

  async #readFirstBytes(): Promise<FirstBytes | undefined> {
    const { formats, limits: { openingTimeoutMs, quietMs } } = this.#context;
    const reason = () => new AppError("idle", `No opening came within ${openingTimeoutMs} ms`);
    const deadline = setTimeout(() => this.#stream.close(reason()), openingTimeoutMs);
    this.#reader = new QuietReader(this.#stream);
    try {
      return await readFirstBytes(this.#reader, { accepted: formats, quietMs });
    } finally {
      clearTimeout(deadline);
    }
  }

  async #answer(first: FirstBytes): Promise<void> {
    const { format } = first;
    if (format === "http" || format === "tls" || format === "unknown") return await this.#refuse(format, first.early);
    if (!this.#context.formats.includes(format)) throw new AppError("unsupported", `Cannot speak ${format} here`);
    if (format !== "app") return await this.#serveOldFormat(format);
    this.#reader = undefined;
    const opening = parseOpening(first.line);
    using _watch = this.#watchSilence(() => this.#session?.isWaiting ?? opening.kind === "abilities");
    if (opening.kind === "abilities") return await this.#serveSession(first, opening);
    const { tree, records } = this.#context;
    this.#isBusy = true;
    await this.#logged("words", opening.words.join(" "), async () => {
      await answerWords(this.#stream, opening.words, { ...this.#rights(), tree, records });
      return {};
    });
  }

  async #serveOldFormat(format: OldFormat): Promise<void> {
    const { tree, records, limits, greeting, onDelivered, stop } = this.#context;
    const reader = this.#reader!;
    this.#oldFormat = format;
    using _watch = this.#watchSilence(() => reader.isWaiting);
    await FORMATS[format]({
      stream: reader,
      tree,
      records,
      limits,
      greeting,
      ...this.#rights(),
      logged: (request, name, run) => this.#whileBusy(() => this.#logged(`${format} ${request}`, name, run)),
      onDelivered: () => onDelivered(),
      stopServer: () => stop(),
    });
  }

  /** Serves one request, which a stop lets finish, and which is then the last. */
  async #whileBusy(serve: () => Promise<void>): Promise<void> {
    this.#isBusy = true;
    await serve();
    this.#isBusy = false;
    if (this.#isStopping) throw new AppError("shutting_down", "The server is stopping");
  }

  #watchSilence(isWaiting: () => boolean): Disposable {
    const { idleTimeoutMs } = this.#context.limits;
    const reason = () => new AppError("idle", `Nothing moved for ${idleTimeoutMs} ms`);
    return watchSilence(this.#stream, { silenceMaxMs: idleTimeoutMs, isWaiting, reason });
  }

  async #serveSession(first: FirstBytes, opening: Opening & { kind: "abilities" }): Promise<void> {
    const { limits, agent, access } = this.#context;
    const { requestsAheadMax } = limits;
    const { secret } = opening.abilities;
    if (secret !== undefined) this.#principal = await access.redeem(secret, this.#stream.peer);
    const { session, hello } = await openAsServer(this.#stream, first, opening.abilities, { agent, requestsAheadMax });
    this.#session = session;
    session.answerQuickly(FIND_TYPE, (body) => this.#findQuickly(body));
    await hello();
    for (let request = await session.nextRequest(); request; request = await session.nextRequest()) {
      await this.#whileBusy(async () => {
        await this.#serveRequest(session, request);
        await session.flush();
      });
    }
    await session.end();
  }

  #findQuickly(body: Uint8Array): Uint8Array | undefined {
    const { policy, quickFind, log } = this.#context;
    if (this.#isStopping) return undefined;
    const answer = quickFind.answer(body);
    if (!answer || !isAuthorized(policy, this.#principal, "find", answer.country)) return undefined;
    if (log !== NO_LOG) {
      const { peer } = this.#stream;
      const record = { time: new Date(), peer, request: "find", name: answer.country, bytes: 0, durationMs: 0 };
      log({ ...record, result: "done" });
    }
    return answer.frame;
  }

  async #serveRequest(session: Session, request: Request): Promise<void> {
    const { tree, records, limits, onDelivered } = this.#context;
    const context: RequestContext = {
      session,
      tree,
      records,
      limits,
      principal: this.#principal,
      ...this.#rights(),
      onDelivered: () => onDelivered(),
    };
    using _alive = session.keepAlive();
    const name = request.type === "offer" ? "put" : request.type;
    await this.#logged(name, nameIn(request), () => handleRequest(request, context));
  }

  #rights() {
    const { policy } = this.#context;
    return {
      authorize: (action: Action, name: string) => authorize(policy, this.#principal, action, name),
      isAuthorized: (action: Action, name: string) => isAuthorized(policy, this.#principal, action, name),
    };
  }

  /** Runs a request and logs what came of it. Only an error after which nothing can be said any more is thrown. */
  async #logged(request: string, name: string, run: () => Promise<Outcome>): Promise<void> {
    const start = performance.now();
    const movedBefore = this.#session?.dataBytesMoved ?? 0;
    const record = { time: new Date(), peer: this.#stream.peer, request, name };
    const log = (more: Pick<LogRecord, "result"> & Partial<LogRecord>) => {
      const bytes = (this.#session?.dataBytesMoved ?? 0) - movedBefore;
      this.#context.log({ ...record, bytes, durationMs: performance.now() - start, ...more });
    };
    try {
      log({ result: "done", ...await run() });
    } catch (cause) {
      const error = toAppError(cause, `Cannot answer "${request}"`);
      log({ result: error.code, detail: error.message });
      this.#loggedFault = error;
      if (endsSession(error)) throw error;
    }
  }

  /** A fault outside of requests has no line in the log yet. That a connection ends between them is no fault. */
  #logFault(error: AppError): void {
    const isQuiet = (this.#session ?? this.#oldFormat) !== undefined && QUIET_ENDS.has(error.code);
    if (error === this.#loggedFault || isQuiet || error.code === "shutting_down") return;
    const { peer } = this.#stream;
    const request = this.#session ? "session" : this.#oldFormat ?? "opening";
    const record = { time: new Date(), peer, request, name: "", bytes: 0, durationMs: 0 };
    this.#context.log({ ...record, result: error.code, detail: error.message });
  }

  /** Something else than our format: an answer that its sender can read. */
  async #refuse(format: "http" | "tls" | "unknown", bytes: Uint8Array): Promise<void> {
    const old = format === "unknown" ? sureOldFormat(bytes) : undefined;
    const what = old ? `of the format ${old}, which is not served here: see serve --wire` : `not ours (${format})`;
    this.#logFault(new AppError("not_app", `The first bytes are ${what}`));
    await sayLastWords(this.#stream, () => refuseFormat(this.#stream, format));
  }

  /** Tells the peer why the connection ends, as far as it still listens. */
  async #endFor(error: AppError): Promise<void> {
    if (error.code === "lost" || error.code === "idle" || this.#oldFormat) return;
    await sayLastWords(
      this.#stream,
      () => this.#session?.end(error) ?? refuseOpening(this.#stream, forPeer(error).name),
    );
  }
}

/** Ends of sessions that need no line in the log. */
const QUIET_ENDS: ReadonlySet<string> = new Set(["lost", "idle"]);

function nameIn(request: Request): string {
  if (request.type === "find" || request.type === "add") return request.country;
  return request.type === "move" ? `${request.from} -> ${request.to}` : request.name;
}
