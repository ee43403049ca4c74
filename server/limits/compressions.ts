/**
 * Which sessions are compressed: as clients wish, and of all of them only so many at once, since each has contexts of
 * some megabytes.
 */
import { chooseCompression, type CompressChoice, type Compression } from "../../protocol/compressions.ts";
import { COMPRESSED_SESSIONS_MAX } from "../../protocol/limits.ts";

/** What one session got. Dispose it at its end. */
export interface GrantedCompression extends Disposable {
  readonly compression: Compression | undefined;
}

const NONE: GrantedCompression = { compression: undefined, [Symbol.dispose]() {} };

export class Compressions {
  readonly #sessionsMax: number;
  #sessions = 0;

  /** `on` knows no bound. */
  constructor(choice: CompressChoice, sessionsMax = COMPRESSED_SESSIONS_MAX) {
    this.#sessionsMax = choice === "off" ? 0 : choice === "on" ? Infinity : sessionsMax;
  }

  /** The best of what a client offered, if there is any, and room for it. */
  grant(offered: string | undefined): GrantedCompression {
    const compression = this.#sessions < this.#sessionsMax ? chooseCompression(offered) : undefined;
    if (!compression) return NONE;
    this.#sessions++;
    return { compression, [Symbol.dispose]: () => void this.#sessions-- };
  }
}
