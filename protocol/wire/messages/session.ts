/** Messages about the connection and about requests as such: opening, heartbeat, end of a reply, end of a session. */
import { bytes, optional, required, text, uint } from "../fields.ts";
import { declare } from "./declare.ts";

export const SESSION_MESSAGES = {
  /** The client's first frame: both opening lines as the client sent and saw them, so that damage to them is found. */
  hello: declare(0x01, "part", {
    sent: required(1, text),
    received: required(2, text),
    /** Room for a capability; a server without a need for one takes no notice. */
    credential: optional(0x80, bytes),
  }),
  /** Asks for a `pong`; either side, at any time between two frames. */
  ping: declare(0x02, "anytime", { id: required(1, uint) }),
  pong: declare(0x03, "anytime", { id: required(1, uint) }),
  /** The last message of who closes the connection. `code` as in `error`; absent when all is well. */
  goodbye: declare(0x04, "anytime", { code: optional(1, uint), text: optional(2, text) }),
  /** From who sends file data: no more of it comes. From who asked: the running request is no longer wanted. */
  cancel: declare(0x05, "part", {}),
  /** Ends a reply that has no other end. `hidden`: how many entries were left out because of their names. */
  done: declare(0x06, "part", { name: optional(1, text), hidden: optional(0x80, uint) }),
  /** Ends a reply, or a transfer from either side; the connection stays usable. */
  error: declare(0x07, "part", { code: required(1, uint), text: required(2, text), advice: optional(0x80, text) }),
} as const;
