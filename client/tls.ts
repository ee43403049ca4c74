/**
 * TLS with a server that is known by its key, and by nothing else: no name, no address, no authority.
 *
 * The runtime trusts, besides what it is given, the authorities of the web. None of those may sign the name that our
 * certificates have, so a server that passes has the key.
 */
import { AppError } from "../protocol/errors.ts";
import { CERTIFICATE_NAME, encodeAnchor, formatPem } from "../protocol/tls/certificate.ts";
import { parseKey } from "../protocol/tls/key.ts";
import { type Use, withPatience } from "./patience.ts";
import { formatTarget, type Target } from "./target.ts";

/** A key, and what is said of it when the server does not have it. */
export interface KnownKey {
  readonly key: string;
  /** Such as "the key of the link". */
  readonly which: string;
  /** What to do then. @default the advice of `wrong_key` */
  readonly advice?: string;
}

/**
 * Begins TLS on `conn`, which is then closed or part of the result. Resolves when the server has proven its key; nothing
 * was sent before but what TLS itself says. Throws `wrong_key`, `not_app`, `lost`, `idle`, or the reason of `signal`.
 */
export async function secure(conn: Deno.TcpConn, target: Target, known: KnownKey, use: Use): Promise<Deno.TlsConn> {
  const anchor = formatPem("CERTIFICATE", encodeAnchor(parseKey(known.key)));
  const tls = await Deno.startTls(conn, { hostname: CERTIFICATE_NAME, caCerts: [anchor] });
  try {
    await withPatience(tls.handshake(), use, () => silence(target, use));
    return tls;
  } catch (error) {
    tls.close();
    if (use.signal?.aborted) throw use.signal.reason;
    throw error instanceof AppError ? error : handshakeError(error, target, known);
  }
}

function silence(target: Target, { timeoutMs }: Use): AppError {
  return new AppError(
    "idle",
    `${formatTarget(target)} took the connection, but no TLS began within ${timeoutMs / 1000} s`,
    {
      advice: "Check that app listens on that port, and run the same command again",
    },
  );
}

function handshakeError(cause: unknown, target: Target, { which, advice }: KnownKey): AppError {
  const detail = cause instanceof Error ? cause.message : String(cause);
  const server = formatTarget(target);
  if (/invalid peer certificate/.test(detail)) {
    const message = `The server at ${server} could not prove that it has ${which}; nothing was sent to it`;
    return new AppError("wrong_key", message, { cause, ...(advice ? { advice } : {}) });
  }
  if (/InvalidContentType/.test(detail)) {
    return new AppError("not_app", `What answers at ${server} speaks no TLS, and nothing was sent to it`, {
      cause,
      advice: `Check the port. If it is right, ask its owner why: with ${which}, it has to`,
    });
  }
  return new AppError("lost", `TLS with ${server} broke off before it had begun: ${detail}`, { cause });
}
