/** Requests that came ahead of their turn: kept in order, and bounded in number and in size. */
import { AppError } from "../errors.ts";
import { BODY_BYTES_MAX } from "../limits.ts";
import type { MessageOf, RequestType } from "../wire/messages/mod.ts";

export type Request = MessageOf<RequestType>;

export class RequestsAhead {
  readonly #countMax: number;
  readonly #requests: Request[] = [];
  /** How large they were together, since there were none. */
  #bytes = 0;

  /** At most `countMax` may wait. */
  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  /** Keeps a request whose message had `bodyBytes`. Throws `limit`. */
  push(request: Request, bodyBytes: number): void {
    this.#bytes += bodyBytes;
    if (this.#requests.length >= this.#countMax) {
      throw new AppError("limit", `The peer sent more than ${this.#countMax} requests ahead`);
    }
    if (this.#bytes > BODY_BYTES_MAX) {
      throw new AppError("limit", `The peer sent more than ${BODY_BYTES_MAX} bytes of requests ahead`);
    }
    this.#requests.push(request);
  }

  /** The first one; `undefined` if there is none. */
  shift(): Request | undefined {
    const request = this.#requests.shift();
    if (!request) this.#bytes = 0;
    return request;
  }
}
