/**
 * Who may do what: the one function that every request of every format goes through, before anything is looked at.
 *
 * Today everybody is the same stranger, and the policy is that of the whole server. The principal and the name are
 * handed in already, because rights will depend on them.
 */
import { AppError, type ErrorName } from "../protocol/errors.ts";
import { quoteName } from "../protocol/escape.ts";

/** Who sent a request. */
export interface Principal {
  /** For the log. */
  readonly label: string;
}

export const STRANGER: Principal = Object.freeze({ label: "stranger" });

/** What a request is about to do to a name. */
export type Action = "list" | "read" | "create" | "overwrite" | "remove";

/** What the whole server allows. */
export interface Policy {
  readonly readOnly: boolean;
  readonly allowOverwrite: boolean;
  readonly allowRemove: boolean;
}

/** Throws `read_only`, `overwrite_denied` or `remove_denied`. `name` is "" for the shared directory itself. */
export function authorize(policy: Policy, _principal: Principal, action: Action, name: string): void {
  const fault = faultOf(policy, action);
  if (fault) throw new AppError(fault, `May not ${action} ${quoteName(name || "/")}: ${REASON[fault]}`);
}

/** Whether `authorize` would let it pass. */
export function isAuthorized(policy: Policy, _principal: Principal, action: Action): boolean {
  return faultOf(policy, action) === undefined;
}

function faultOf(policy: Policy, action: Action): ErrorName | undefined {
  if (action === "list" || action === "read") return;
  if (policy.readOnly) return "read_only";
  if (action === "overwrite" && !policy.allowOverwrite) return "overwrite_denied";
  if (action === "remove" && !policy.allowRemove) return "remove_denied";
}

const REASON: Partial<Record<ErrorName, string>> = {
  read_only: "the server is read-only",
  overwrite_denied: "the server does not let files be replaced",
  remove_denied: "the server does not let files be removed",
};
