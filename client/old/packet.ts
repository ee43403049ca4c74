/**
 * A client of a server that speaks the old format `packet`: one packet after the other, over one connection, which is
 * dialled when it is needed, and again when it is lost. An addition is sent once: nobody can tell what became of it.
 */
import { AppError, hasCode } from "../../protocol/errors.ts";
import type { ByteStream } from "../../protocol/exchange/byte_stream.ts";
import { PacketReader, writePacket } from "../../protocol/exchange/packet_stream.ts";
import { QuietReader } from "../../protocol/exchange/quiet_reader.ts";
import { endsSession } from "../../protocol/exchange/transfer.ts";
import { type ClientLimits, SERVER_LIMITS } from "../../protocol/limits.ts";
import {
  decodePacket,
  formatAdded,
  formatEntry,
  formatSaving,
  type Packet,
  PACKET_ANSWERS,
  PACKET_COMMANDS,
  type PacketEntry,
} from "../../protocol/wire/packet.ts";
import { type ClientOptions, limitsOf } from "../client.ts";
import { dialStream } from "../dial.ts";
import { notOfFormat, withOldAdvice } from "./old_server.ts";
import { UNKNOWN_ADVICE } from "../records.ts";
import { retryLost } from "../retry.ts";
import { formatTarget, type Target } from "../target.ts";

export interface PacketClientOptions extends ClientOptions {
  /** Told what each packet saved by its compression. */
  readonly onSizes?: (direction: "sent" | "received", sizes: string) => void;
}

/** A connection, and what comes on it. */
interface Connected extends Disposable {
  readonly stream: ByteStream;
  readonly reader: PacketReader;
}

export class PacketClient implements Disposable {
  readonly #target: Target;
  readonly #options: PacketClientOptions;
  readonly #limits: ClientLimits;
  #connected: Connected | undefined;

  constructor(target: Target, options: PacketClientOptions = {}) {
    this.#target = target;
    this.#options = options;
    this.#limits = limitsOf(options);
  }

  async capital(country: string): Promise<string> {
    return this.#known(await this.#ask(PACKET_COMMANDS.capital, country));
  }

  async population(country: string): Promise<number> {
    const answer = this.#known(await this.#ask(PACKET_COMMANDS.population, country));
    if (/^\d{1,15}$/.test(answer)) return Number(answer);
    throw new AppError("malformed", `The server answered no population: ${answer}`);
  }

  /** Throws `exists`, and `failed` with what the server said instead of that it was added. */
  async add(entry: PacketEntry): Promise<void> {
    const advice = `Ask for it with: app capital ${formatTarget(this.#target)} COUNTRY --wire packet`;
    const answer = await this.#askOnce(PACKET_COMMANDS.add, formatEntry(entry)).catch((error) => {
      if (error instanceof AppError && endsSession(error)) error.advice = `It may have been added. ${advice}`;
      throw error;
    });
    if (answer === PACKET_ANSWERS.exists) throw new AppError("exists", answer, { advice });
    if (answer !== formatAdded(entry)) throw refused(answer);
  }

  /** How long a heartbeat takes there and back, in ms. */
  async ping(): Promise<number> {
    const start = performance.now();
    const answer = await this.#ask(PACKET_COMMANDS.ping, "");
    if (answer !== PACKET_ANSWERS.beat) throw refused(answer);
    return performance.now() - start;
  }

  /** An answer about a country that the server knows. */
  #known(answer: string): string {
    if (answer === PACKET_ANSWERS.noCapital || answer === PACKET_ANSWERS.noPopulation) {
      const advice = UNKNOWN_ADVICE.replace("HOST PORT", formatTarget(this.#target)) + " --wire packet";
      throw new AppError("not_found", answer, { advice });
    }
    if (answer === PACKET_ANSWERS.invalid) throw refused(answer);
    return answer;
  }

  [Symbol.dispose](): void {
    this.#connected?.[Symbol.dispose]();
    this.#connected = undefined;
  }

  /** Once more after a connection is lost. */
  #ask(command: string, contents: string): Promise<string> {
    return retryLost(this.#limits, this.#options, () => this.#askOnce(command, contents));
  }

  async #askOnce(command: string, contents: string): Promise<string> {
    try {
      const connected = this.#connected ??= await this.#connect();
      return await this.#askOver(connected, { command, contents });
    } catch (error) {
      this[Symbol.dispose](); // whatever still comes is no answer to the next question
      throw withOldAdvice(error, this.#target);
    }
  }

  async #connect(): Promise<Connected> {
    const { signal, knownHosts, isStrict } = this.#options;
    const use = { timeoutMs: this.#limits.timeoutMs, signal, knownHosts, isStrict };
    const dialed = await dialStream({ target: this.#target, ...use }, () => reader.isWaiting);
    const reader = new QuietReader(dialed.stream);
    return {
      stream: dialed.stream,
      reader: new PacketReader(reader, SERVER_LIMITS.quietMs),
      [Symbol.dispose]: () => dialed[Symbol.dispose](),
    };
  }

  async #askOver({ stream, reader }: Connected, packet: Packet): Promise<string> {
    const { onSizes } = this.#options;
    const sizes = await writePacket(stream, packet);
    onSizes?.("sent", sizes);
    const answer = await reader.next().catch((cause) => {
      if (hasCode(cause, "malformed")) throw notOfFormat(stream, "packet");
      throw cause;
    });
    if (!answer) throw new AppError("lost", "The server closed the connection without an answer");
    onSizes?.("received", formatSaving(answer.bytes.length, answer.compressedBytes));
    return decodePacket(answer.bytes).contents;
  }
}

function refused(answer: string): AppError {
  return new AppError("failed", `The server refused: ${answer}`, { advice: "Ask the server's owner", by: "peer" });
}
