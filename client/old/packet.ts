/** A client of a server that speaks the old format `packet`: one connection, one packet after the other. */
import { AppError } from "../../protocol/errors.ts";
import { PacketReader, writePacket } from "../../protocol/exchange/packet_stream.ts";
import { QuietReader } from "../../protocol/exchange/quiet_reader.ts";
import { SERVER_LIMITS } from "../../protocol/limits.ts";
import {
  decodePacket,
  formatAdded,
  formatEntry,
  formatSaving,
  PACKET_ANSWERS,
  PACKET_COMMANDS,
  type PacketEntry,
} from "../../protocol/wire/packet.ts";
import { type DialedStream, type DialOptions, dialStream } from "../dial.ts";
import { notOfFormat } from "./old_server.ts";
import { UNKNOWN_ADVICE } from "../records.ts";
import { formatTarget, type Target } from "../target.ts";

export interface PacketClientOptions extends Omit<DialOptions, "agent"> {
  /** Told what each packet saved by its compression. */
  readonly onSizes?: (direction: "sent" | "received", sizes: string) => void;
}

export class PacketClient implements Disposable {
  readonly #dialed: DialedStream;
  readonly #reader: PacketReader;
  readonly #target: Target;
  readonly #onSizes: PacketClientOptions["onSizes"];

  private constructor(dialed: DialedStream, stream: QuietReader, { target, onSizes }: PacketClientOptions) {
    this.#dialed = dialed;
    this.#target = target;
    this.#reader = new PacketReader(stream, SERVER_LIMITS.quietMs);
    this.#onSizes = onSizes;
  }

  static async connect(options: PacketClientOptions): Promise<PacketClient> {
    const dialed = await dialStream(options, () => stream.isWaiting);
    const stream = new QuietReader(dialed.stream);
    return new PacketClient(dialed, stream, options);
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
    const answer = await this.#ask(PACKET_COMMANDS.add, formatEntry(entry));
    if (answer === PACKET_ANSWERS.exists) {
      const advice = `Ask for it with: app capital ${formatTarget(this.#target)} COUNTRY --wire packet`;
      throw new AppError("exists", answer, { advice });
    }
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
    this.#dialed[Symbol.dispose]();
  }

  async #ask(command: string, contents: string): Promise<string> {
    const sizes = await writePacket(this.#dialed.stream, { command, contents });
    this.#onSizes?.("sent", sizes);
    const packet = await this.#reader.next().catch((cause) => {
      if (cause instanceof AppError && cause.code === "malformed") throw notOfFormat(this.#dialed.stream, "packet");
      throw cause;
    });
    if (!packet) throw new AppError("lost", "The server closed the connection without an answer");
    this.#onSizes?.("received", formatSaving(packet.bytes.length, packet.compressedBytes));
    return decodePacket(packet.bytes).contents;
  }
}

function refused(answer: string): AppError {
  return new AppError("failed", `The server refused: ${answer}`, { advice: "Ask the server's owner", by: "peer" });
}
