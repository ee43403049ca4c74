/**
 * `links.json`: which links there are, and under which address the server of each directory was last reached.
 *
 * No secret is ever in it, only its SHA-256. Who reads it sees it whole, as it is replaced in one step; who changes it
 * holds a lock. What cannot be understood is never overwritten.
 */
import { AppError } from "../../protocol/errors.ts";
import { quoteName } from "../../protocol/escape.ts";
import { changeKept, readKept } from "../../protocol/files/kept_file.ts";
import { stateFile } from "../../protocol/files/state_folder.ts";
import { type Right, RIGHTS } from "../policy.ts";

/** What is kept of a link. Times are in milliseconds since 1970. */
export interface LinkRecord {
  /** For people; no two links that are good for anything share one. */
  readonly label: string;
  /** The SHA-256 of the secret, as hexadecimal digits: which link it is. */
  readonly digest: string;
  readonly right: Right;
  /** What it is confined to; "" for nothing. */
  readonly path: string;
  /** The real path of the directory that it was made for. */
  readonly root: string;
  readonly createdMs: number;
  readonly expiresMs?: number;
  /** Good for one transfer: that of `boundTo`, once one has begun. */
  readonly isOnce?: boolean;
  readonly boundTo?: string;
  readonly usedMs?: number;
  readonly revokedMs?: number;
  /** Made by a server at its start, for as long as that runs. */
  readonly start?: { readonly run: string; readonly port: number };
}

/** Where a server was last reached, and the key that it had. */
export interface Place {
  readonly host: string;
  readonly port: number;
  readonly key: string;
}

export interface LinkFile {
  readonly links: readonly LinkRecord[];
  /** By the real path of the directory. */
  readonly places: Readonly<Record<string, Place>>;
}

const NO_LINKS: LinkFile = { links: [], places: {} };

/** What is good for nothing any more is shown for this long, and then forgotten. */
const SHOWN_MS = 7 * 24 * 3_600_000;
const ABOUT = "The links of app serve: app link, app links and app revoke show and change them";
const VERSION = 1;

/** The file, where nobody names another. Throws `failed` when the system has no place for it. */
export function linkFile(): string {
  const file = stateFile("links.json");
  if (file !== undefined) return file;
  throw new AppError("failed", "Cannot find where to keep links", { advice: "Set HOME, or XDG_STATE_HOME" });
}

/** What the file says; nothing where there is none. Throws `failed` for one that cannot be understood. */
export function readLinkFile(path: string): LinkFile {
  return parse(readKept(path), path);
}

/** Changes the file, durably. One that cannot be understood is left as it is: throws `failed`. */
export async function changeLinkFile(path: string, change: (file: LinkFile) => LinkFile): Promise<void> {
  await changeKept(path, (text) => {
    const changed = change(parse(text, path));
    const links = changed.links.filter((link) => !isForgotten(link, Date.now()));
    return JSON.stringify({ about: ABOUT, version: VERSION, ...changed, links }, undefined, 2) + "\n";
  });
}

/** Why a link is good for nothing any more, as the end of a sentence; `undefined` if it is not. */
export function endOf(
  link: LinkRecord,
  nowMs: number,
): { state: "revoked" | "used" | "expired"; reason: string } | undefined {
  if (link.revokedMs !== undefined) return { state: "revoked", reason: "the link was revoked" };
  if (link.usedMs !== undefined) return { state: "used", reason: "the link was good for one transfer, and is used up" };
  if (link.expiresMs !== undefined && link.expiresMs <= nowMs) {
    return { state: "expired", reason: "the link has expired" };
  }
}

function isForgotten({ revokedMs, usedMs, expiresMs }: LinkRecord, nowMs: number): boolean {
  return Math.min(revokedMs ?? Infinity, usedMs ?? Infinity, expiresMs ?? Infinity) + SHOWN_MS < nowMs;
}

function parse(text: string | undefined, path: string): LinkFile {
  if (text === undefined) return NO_LINKS;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw damaged(path, cause);
  }
  if (!isLinkFile(value)) throw damaged(path);
  return { links: value.links, places: value.places };
}

function damaged(path: string, cause?: unknown): AppError {
  return new AppError("failed", `Cannot understand ${quoteName(path)}: it is damaged, or of a later version of app`, {
    advice: "Repair it, or remove it: then no link is good any more",
    ...(cause === undefined ? {} : { cause }),
  });
}

function isLinkFile(value: unknown): value is LinkFile {
  if (!isObject(value) || value.version !== VERSION || !Array.isArray(value.links) || !isObject(value.places)) {
    return false;
  }
  return value.links.every(isLinkRecord) && Object.values(value.places).every(isPlace);
}

function isLinkRecord(value: unknown): value is LinkRecord {
  return isObject(value) && isText(value.label) && isText(value.digest) && /^[0-9a-f]{64}$/.test(value.digest) &&
    isText(value.right) && Object.hasOwn(RIGHTS, value.right) && isText(value.path) && isText(value.root) &&
    isTime(value.createdMs) && [value.expiresMs, value.usedMs, value.revokedMs].every(isOptional(isTime)) &&
    isOptional((flag) => typeof flag === "boolean")(value.isOnce) && isOptional(isText)(value.boundTo) &&
    isOptional((start) => isObject(start) && isText(start.run) && isPort(start.port))(value.start);
}

function isPlace(value: unknown): value is Place {
  return isObject(value) && isText(value.host) && isPort(value.port) && isText(value.key);
}

function isOptional(is: (value: unknown) => boolean): (value: unknown) => boolean {
  return (value) => value === undefined || is(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isTime(value: unknown): boolean {
  return Number.isSafeInteger(value);
}

function isPort(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 65_535;
}
