/** What a declaration of a message holds. Everything else about a message is derived from it. */
import type { FieldMap } from "../fields.ts";

/**
 * `request` opens an exchange and may be sent ahead of its turn; `part` belongs to the exchange that is under way;
 * `anytime` stands outside of exchanges.
 */
export type Role = "request" | "part" | "anytime";

export interface Declaration<F extends FieldMap = FieldMap, R extends Role = Role> {
  /** The frame's type; from 0x80 on, who does not know it skips it. */
  readonly type: number;
  readonly role: R;
  readonly fields: F;
}

export function declare<F extends FieldMap, R extends Role>(type: number, role: R, fields: F): Declaration<F, R> {
  return { type, role, fields };
}
