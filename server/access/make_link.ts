/** Making links, and taking them away: what `app link`, `app revoke` and a server that starts do to the file. */
import { AppError } from "../../protocol/errors.ts";
import { quoteName } from "../../protocol/escape.ts";
import type { Right } from "../policy.ts";
import { changeLinkFile, endOf, type LinkRecord, type Place, readLinkFile } from "./link_file.ts";
import { digestOf, makeSecret } from "./secret.ts";

/** What a new link is to be. */
export interface LinkPlan {
  /** @default one that is made up */
  readonly label?: string | undefined;
  readonly right: Right;
  readonly path: string;
  /** The real path of the directory. */
  readonly root: string;
  readonly isOnce?: boolean;
  /** How long it is good, in milliseconds. @default until it is revoked */
  readonly forMs?: number | undefined;
}

const LABEL = /^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/;

/** Why `label` is none, as the end of a sentence. */
export function labelFault(label: string): string | undefined {
  if (!LABEL.test(label)) return "it must be 1 to 40 letters, digits, dots, dashes and underlines";
}

/** Adds a link; its label, and its secret, which is nowhere else. Throws `exists` for a label that is taken. */
export async function addLink(file: string, plan: LinkPlan): Promise<{ label: string; secret: string }> {
  const secret = makeSecret();
  const digest = await digestOf(secret);
  const nowMs = Date.now();
  let label = "";
  await changeLinkFile(file, (content) => {
    label = plan.label ?? firstFree(plan.right, content.links);
    const links = withoutEnded(content.links, label, nowMs);
    if (links.some((link) => link.label === label)) throw labelTaken(label);
    return { ...content, links: [...links, recordOf(plan, { label, digest, createdMs: nowMs })] };
  });
  return { label, secret };
}

/**
 * Notes where the server of `root` is reached, and adds the link of its start, in place of that of the last start on the
 * same port; its secret. Without `run` there is no such link.
 */
export async function noteStart(file: string, root: string, place: Place, run?: string): Promise<string | undefined> {
  const secret = makeSecret();
  const digest = await digestOf(secret);
  const createdMs = Date.now();
  await changeLinkFile(file, ({ links, places }) => {
    const others = links.filter((link) => link.root !== root || link.start?.port !== place.port);
    const label = firstFree(`start-${place.port}`, others);
    const link = recordOf({ right: "read", path: "", root }, { label, digest, createdMs });
    const started = run === undefined ? [] : [{ ...link, start: { run, port: place.port } }];
    return { links: [...others, ...started], places: { ...places, [root]: place } };
  });
  return run === undefined ? undefined : secret;
}

/** Servers that had the key `old` have `key` from their next start on, and so have new links for them. */
export async function noteRenewal(file: string, old: string, key: string): Promise<void> {
  if (!Object.values(readLinkFile(file).places).some((place) => place.key === old)) return;
  const renewed = (place: Place) => place.key === old ? { ...place, key } : place;
  await changeLinkFile(file, ({ links, places }) => ({
    links,
    places: Object.fromEntries(Object.entries(places).map(([root, place]) => [root, renewed(place)])),
  }));
}

/** Takes the link of a start away, whose server has ended. */
export async function forgetStart(file: string, run: string): Promise<void> {
  await changeLinkFile(file, (content) => ({
    ...content,
    links: content.links.filter((link) => link.start?.run !== run),
  }));
}

/** Takes links away. Throws `not_found`, and does nothing, if one of them is not there. */
export async function revokeLinks(file: string, labels: readonly string[]): Promise<void> {
  const revokedMs = Date.now();
  await changeLinkFile(file, (content) => {
    const missing = labels.find((label) => !content.links.some((link) => link.label === label));
    if (missing !== undefined) {
      const advice = "See what there is with: app links";
      throw new AppError("not_found", `There is no link ${quoteName(missing)}`, { advice });
    }
    const revoked = (link: LinkRecord) => labels.includes(link.label) ? { revokedMs, ...link } : link;
    return { ...content, links: content.links.map(revoked) };
  });
}

function recordOf(
  { right, path, root, isOnce, forMs }: LinkPlan,
  made: Pick<LinkRecord, "label" | "digest" | "createdMs">,
): LinkRecord {
  return {
    ...made,
    right,
    path,
    root,
    ...(isOnce ? { isOnce } : {}),
    ...(forMs === undefined ? {} : { expiresMs: made.createdMs + forMs }),
  };
}

/** What is good for nothing any more gives its label up. */
function withoutEnded(links: readonly LinkRecord[], label: string, nowMs: number): LinkRecord[] {
  return links.filter((link) => link.label !== label || !endOf(link, nowMs));
}

/** `name`, or `name-2`, or the next number that is free. */
function firstFree(name: string, links: readonly LinkRecord[]): string {
  const taken = new Set(links.map(({ label }) => label));
  let label = name;
  for (let number = 2; taken.has(label); number++) label = `${name}-${number}`;
  return label;
}

function labelTaken(label: string): AppError {
  return new AppError("exists", `There is a link ${quoteName(label)} already`, {
    advice: "Choose another --name, or take that one away with: app revoke",
  });
}
