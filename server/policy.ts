/**
 * Who may do what: the one function that every request of every format goes through, before anything is looked at.
 *
 * A request passes when both agree: what its principal (a link, or a stranger without one) may do and where, and what
 * the whole server allows. A link never allows more than the server does.
 */
import { AppError, type ErrorName } from "../protocol/errors.ts";
import { quoteName } from "../protocol/escape.ts";
import type { Turn, TurnUser } from "./access/turn.ts";

/** What a request is about to do: to a name, to the table of countries (`find`, `add`), or to the server. */
export type Action = "list" | "read" | "create" | "overwrite" | "remove" | "find" | "add" | "greet" | "status";

/** What a link can be made for: the actions that it allows. */
export const RIGHTS = {
  read: actions("list", "read", "find", "greet"),
  drop: actions("create"),
  write: actions("list", "read", "find", "greet", "create", "overwrite", "remove", "add"),
  admin: actions("list", "read", "find", "greet", "create", "overwrite", "remove", "add", "status"),
} as const;

export type Right = keyof typeof RIGHTS;

/** What those may do who show no link. */
export const STRANGERS = {
  /** Everything that the server allows: for a loopback address. */
  open: RIGHTS.admin,
  public: RIGHTS.read,
  "public-write": actions("list", "read", "find", "greet", "create", "add"),
  none: actions(),
} as const;

export type StrangerRights = keyof typeof STRANGERS;

/** Who sent a request. */
export interface Principal {
  /** For the log. */
  readonly label: string;
  readonly actions: ReadonlySet<Action>;
  /** The directory that it is confined to; "" for none. Then it may use no records, nor ask for the state. */
  readonly path: string;
  readonly hasLink: boolean;
  /** Why it may do nothing any more, asked anew for each request: its link was revoked, say. */
  fault?(): string | undefined;
  /** Aborted, with the reason, when whatever it has under way has to end at once. */
  readonly ended?: AbortSignal;
  /** What it began to put, of which it may be told how much is there although it may not look at files. */
  readonly begun?: Set<string>;
  /** For a link that is good for one transfer: that of `what`, such as `get a.txt`. Throws `busy` and `not_allowed`. */
  takeTurn?(what: string, user: TurnUser): Turn;
}

/** Somebody without a link. */
export function stranger(rights: StrangerRights): Principal {
  return Object.freeze({ label: "stranger", actions: STRANGERS[rights], path: "", hasLink: false });
}

/** What the whole server allows. */
export interface Policy {
  readonly readOnly: boolean;
  readonly allowOverwrite: boolean;
  readonly allowRemove: boolean;
}

/**
 * Throws `link_needed`, `link_refused`, `not_allowed`, `read_only`, `overwrite_denied` or `remove_denied`. `name` is ""
 * for the shared directory itself, and a country for `find` and `add`.
 */
export function authorize(policy: Policy, principal: Principal, action: Action, name: string): void {
  const fault = faultOf(policy, principal, action, name);
  if (fault) throw new AppError(fault.code, `May not ${formatAction(action, name)}: ${fault.reason}`);
}

function formatAction(action: Action, name: string): string {
  if (action === "status") return "ask for the status";
  return `${action === "find" ? "look up" : action} ${quoteName(name || "/")}`;
}

/** Whether `authorize` would let it pass. */
export function isAuthorized(policy: Policy, principal: Principal, action: Action, name: string): boolean {
  return faultOf(policy, principal, action, name) === undefined;
}

interface Fault {
  readonly code: ErrorName;
  readonly reason: string;
}

function faultOf(policy: Policy, principal: Principal, action: Action, name: string): Fault | undefined {
  return faultOfPrincipal(principal, action, name) ?? faultOfPolicy(policy, action);
}

function faultOfPrincipal(principal: Principal, action: Action, name: string): Fault | undefined {
  const reason = principal.fault?.();
  if (reason !== undefined) return { code: "link_refused", reason };
  if (!principal.actions.has(action)) {
    return principal.hasLink
      ? { code: "not_allowed", reason: "the link does not allow it" }
      : { code: "link_needed", reason: "it needs a link" };
  }
  if (!isWithin(principal.path, action, name)) {
    return { code: "not_allowed", reason: `the link is for ${quoteName(principal.path)} alone` };
  }
}

/** By the text of the name alone: one with ".." in it is refused by the name rule, wherever it would lead. */
function isWithin(path: string, action: Action, name: string): boolean {
  if (path === "" || action === "greet") return true;
  if (action === "find" || action === "add" || action === "status") return false;
  return name === path || name.startsWith(`${path}/`);
}

function faultOfPolicy(policy: Policy, action: Action): Fault | undefined {
  if (!CHANGES.has(action)) return;
  if (policy.readOnly) return { code: "read_only", reason: "the server is read-only" };
  if (action === "overwrite" && !policy.allowOverwrite) {
    return { code: "overwrite_denied", reason: "the server does not let files be replaced" };
  }
  if (action === "remove" && !policy.allowRemove) {
    return { code: "remove_denied", reason: "the server does not let files be removed" };
  }
}

const CHANGES = actions("create", "overwrite", "remove", "add");

function actions(...allowed: Action[]): ReadonlySet<Action> {
  return new Set(allowed);
}
